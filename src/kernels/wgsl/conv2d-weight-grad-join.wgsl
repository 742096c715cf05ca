// Adds up the parts of conv2d-weight-grad, in order: weight[o, t] = sum over p of partial[p, o, t] for the taps t, and
// bias[o] = sum over p of partial[p, o, taps].
// partial: [parts, outChannels, taps + 1]; weight: [outChannels, taps]; bias: [outChannels].
// Grid: one invocation per element of weight and bias.
import package::lib::grid::linearIndex;

struct Params {
  parts: u32,
  outChannels: u32,
  taps: u32,
}

@group(0) @binding(0) var<storage, read> partial: array<f32>;
@group(0) @binding(1) var<storage, read_write> weight: array<f32>;
@group(0) @binding(2) var<storage, read_write> bias: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

const THREADS = 64u;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let index = linearIndex(group, local, THREADS);
  let size = params.outChannels * (params.taps + 1);
  if (index >= size) {
    return;
  }
  var sum = 0.0;
  for (var part = 0u; part < params.parts; part++) {
    sum += partial[part * size + index];
  }
  let channel = index / (params.taps + 1);
  let tap = index % (params.taps + 1);
  if (tap < params.taps) {
    weight[channel * params.taps + tap] = sum;
  } else {
    bias[channel] = sum;
  }
}
