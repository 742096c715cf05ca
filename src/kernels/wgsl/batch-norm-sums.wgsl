// What the gradients of batch normalisation sum over the live rows, in parts of `chunk` elements: dscale = sum of
// dy (x - mean) / sqrt(variance + epsilon), dshift = sum of dy, for each channel.
// x, dy: [rows, channels, plane]; mean, variance: [channels]; dscale, dshift: [channels, parts]. Parts beyond the live
// rows hold 0. Grid: one invocation per part of a channel.
import package::lib::grid::linearIndex;
import package::lib::live::Live;

struct Params {
  rowsPerSample: u32,
  channels: u32,
  plane: u32,
  chunk: u32,
  parts: u32,
  epsilon: f32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read> mean: array<f32>;
@group(0) @binding(3) var<storage, read> variance: array<f32>;
@group(0) @binding(4) var<storage, read_write> dscale: array<f32>;
@group(0) @binding(5) var<storage, read_write> dshift: array<f32>;
@group(0) @binding(6) var<uniform> params: Params;
@group(0) @binding(7) var<uniform> live: Live;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let index = linearIndex(group, local, 64);
  if (index >= params.channels * params.parts) {
    return;
  }
  let channel = index / params.parts;
  let count = live.rows * params.rowsPerSample * params.plane;
  let start = index % params.parts * params.chunk;
  let end = min(start + params.chunk, count);
  let center = mean[channel];
  var products = 0.0;
  var sum = 0.0;
  // Runs along a plane: one division for each instead of one for each element.
  var run = 0u;
  for (var i = start; i < end; i += run) {
    run = min(params.plane - i % params.plane, end - i);
    let at = (i / params.plane * params.channels + channel) * params.plane + i % params.plane;
    for (var j = 0u; j < run; j++) {
      products += dy[at + j] * (x[at + j] - center);
      sum += dy[at + j];
    }
  }
  dscale[index] = products / sqrt(variance[channel] + params.epsilon);
  dshift[index] = sum;
}
