// Inverted dropout: y = keep ? x / (1 - rate) : 0, keep decided by a counter-based generator.
// x, y: [sizePerSample * samples]; seed: u32[1], another one each step. The mask of an element depends on the seed, the
// stream and its index alone, so the gradient computes the same mask again instead of storing it.
// Grid: one invocation per element.
import package::lib::grid::linearIndex;
import package::lib::live::Live;
import package::lib::random::philox;

struct Params {
  sizePerSample: u32,
  stream: u32,
  // rate * 2^32, rounded: an element whose word is below it is dropped
  dropBelow: u32,
  scale: f32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> seed: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;
@group(0) @binding(4) var<uniform> live: Live;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let i = linearIndex(group, local, 64);
  if (i >= live.rows * params.sizePerSample) {
    return;
  }
  let word = philox(vec2u(i, params.stream), seed[0]).x;
  y[i] = select(x[i] * params.scale, 0.0, word < params.dropBelow);
}
