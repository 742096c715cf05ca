// Gradient of attention-weights by what they are computed from: with s its scores before the mask,
// dx = y (dy - sum over the keys of dy y) ds / dx, ds / dx = scale (1 - tanh(scale x / cap)^2), or scale without a cap.
// x, y, dy, dx: [rows, keys]. What a query does not see has y = 0 and so no gradient, whatever x holds there.
// Grid: one invocation per row and no barrier; of wide rows LANES, a divisor of THREADS, side by side.
// variants: wide
import package::lib::activation::boundedTanh;
import package::lib::lanes::LANES;
import package::lib::lanes::THREADS;
import package::lib::lanes::partOf;
import package::lib::lanes::together;
import package::lib::live::Live;

struct Params {
  rowsPerSample: u32,
  keys: u32,
  scale: f32,
  // 0: none
  cap: f32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> y: array<f32>;
@group(0) @binding(2) var<storage, read> dy: array<f32>;
@group(0) @binding(3) var<storage, read_write> dx: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;
@group(0) @binding(5) var<uniform> live: Live;

fn slopeAt(value: f32) -> f32 {
  if (params.cap == 0.0) {
    return params.scale;
  }
  let t = boundedTanh(params.scale * value / params.cap);
  return params.scale * (1.0 - t * t);
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let part = partOf(group, local, live.rows * params.rowsPerSample, params.keys);
  var sum = 0.0;
  for (var i = part.start; i < part.end; i += LANES) {
    sum += dy[i] * y[i];
  }
  sum = together(vec2f(sum), local, 0).x;
  for (var i = part.start; i < part.end; i += LANES) {
    let weight = y[i];
    dx[i] = select(weight * (dy[i] - sum) * slopeAt(x[i]), 0.0, weight == 0.0);
  }
}
