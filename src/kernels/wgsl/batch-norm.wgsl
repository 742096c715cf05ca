// Batch normalisation by given statistics: y = activate((x - mean) * scale / sqrt(variance + epsilon) + shift).
// x, y: [rows, channels, plane]; mean, variance, scale, shift: [channels].
// Grid: one invocation per run of up to RUN neighbours in a plane, which have the factor of their channel in common.
// storage: f32 or f16
import package::lib::activation::activate;
import package::lib::batch_normalization::normalizationOf;
import package::lib::batch_normalization::normalized;
import package::lib::grid::linearIndex;
import package::lib::live::Live;
import package::lib::number::Number;
@if(f16) enable f16;

struct Params {
  rowsPerSample: u32,
  channels: u32,
  plane: u32,
  epsilon: f32,
}

@group(0) @binding(0) var<storage, read> x: array<Number>;
@group(0) @binding(1) var<storage, read> mean: array<f32>;
@group(0) @binding(2) var<storage, read> variance: array<f32>;
@group(0) @binding(3) var<storage, read> scale: array<Number>;
@group(0) @binding(4) var<storage, read> shift: array<Number>;
@group(0) @binding(5) var<storage, read_write> y: array<Number>;
@group(0) @binding(6) var<uniform> params: Params;
@group(0) @binding(7) var<uniform> live: Live;

override ACTIVATION: u32 = 0;

const RUN = 8u;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let runs = (params.plane + RUN - 1) / RUN;
  let index = linearIndex(group, local, 64);
  let planeIndex = index / runs;
  if (planeIndex >= live.rows * params.rowsPerSample * params.channels) {
    return;
  }
  let channel = planeIndex % params.channels;
  let normalization = normalizationOf(
    mean[channel], variance[channel], params.epsilon, f32(scale[channel]), f32(shift[channel]),
  );
  let first = index % runs * RUN;
  let planeAt = planeIndex * params.plane;
  let end = planeAt + min(first + RUN, params.plane);
  for (var i = planeAt + first; i < end; i++) {
    y[i] = Number(activate(ACTIVATION, normalized(f32(x[i]), normalization)));
  }
}
