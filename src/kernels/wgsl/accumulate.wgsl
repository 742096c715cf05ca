// Adds up the gradients of several batches: sum = share * grad at the first of them, sum += share * grad after.
// sum, grads: [size], whole arenas; weights: [first (0 or 1), share]. Grid: one invocation per vec4.
import package::lib::grid::linearIndex;

struct Params {
  vectors: u32,
}

@group(0) @binding(0) var<storage, read> grads: array<vec4f>;
@group(0) @binding(1) var<storage, read> weights: array<f32>;
@group(0) @binding(2) var<storage, read_write> sum: array<vec4f>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let i = linearIndex(group, local, 64);
  if (i >= params.vectors) {
    return;
  }
  let part = weights[1] * grads[i];
  // Nothing of an older sum, were it NaN.
  if (weights[0] == 1.0) {
    sum[i] = part;
  } else {
    sum[i] += part;
  }
}
