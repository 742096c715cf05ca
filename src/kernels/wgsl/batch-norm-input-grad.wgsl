// Gradient of batch normalisation by its input, through the statistics of the batch as well (Ioffe and Szegedy 2015,
// section 3): dx = scale r (dy - dshift / n - (x - mean) r dscale / n), r = 1 / sqrt(variance + epsilon), n the
// elements of a channel in the live rows.
// x, dy, dx: [rows, channels, plane]; mean, variance, scale, dscale, dshift: [channels].
// Grid: one invocation per run of up to RUN neighbours in a plane, which have all but x and dy in common.
import package::lib::grid::linearIndex;
import package::lib::live::Live;

struct Params {
  rowsPerSample: u32,
  channels: u32,
  plane: u32,
  epsilon: f32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read> mean: array<f32>;
@group(0) @binding(3) var<storage, read> variance: array<f32>;
@group(0) @binding(4) var<storage, read> scale: array<f32>;
@group(0) @binding(5) var<storage, read> dscale: array<f32>;
@group(0) @binding(6) var<storage, read> dshift: array<f32>;
@group(0) @binding(7) var<storage, read_write> dx: array<f32>;
@group(0) @binding(8) var<uniform> params: Params;
@group(0) @binding(9) var<uniform> live: Live;

const RUN = 8u;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let runs = (params.plane + RUN - 1) / RUN;
  let index = linearIndex(group, local, 64);
  let planeIndex = index / runs;
  let rows = live.rows * params.rowsPerSample;
  if (planeIndex >= rows * params.channels) {
    return;
  }
  let channel = planeIndex % params.channels;
  let center = mean[channel];
  let inverse = 1.0 / sqrt(variance[channel] + params.epsilon);
  let factor = scale[channel] * inverse;
  let count = f32(rows * params.plane);
  let meanGrad = dshift[channel] / count;
  let slope = inverse * dscale[channel] / count;
  let first = index % runs * RUN;
  let planeAt = planeIndex * params.plane;
  let end = planeAt + min(first + RUN, params.plane);
  for (var i = planeAt + first; i < end; i++) {
    dx[i] = factor * (dy[i] - meanGrad - (x[i] - center) * slope);
  }
}
