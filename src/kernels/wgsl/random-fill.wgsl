// Random numbers by place: y[i] = first + span * u, u in [0, 1), or with NORMAL from the standard normal distribution.
// y: [sizePerSample * samples]; seed: u32[1]. Each number depends on the seed, the stream and its index alone.
// Grid: one invocation per element.
import package::lib::grid::linearIndex;
import package::lib::live::Live;
import package::lib::random::{normalOf, philox, unitOf};

struct Params {
  sizePerSample: u32,
  stream: u32,
  first: f32,
  span: f32,
}

@group(0) @binding(0) var<storage, read> seed: array<u32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;
@group(0) @binding(3) var<uniform> live: Live;

override NORMAL: bool = false;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let i = linearIndex(group, local, 64);
  if (i >= live.rows * params.sizePerSample) {
    return;
  }
  let words = philox(vec2u(i, params.stream), seed[0]);
  var drawn = unitOf(words.x);
  if (NORMAL) {
    drawn = normalOf(words);
  }
  y[i] = params.first + params.span * drawn;
}
