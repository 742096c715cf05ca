// SGD with momentum: v = momentum * v + (g + weightDecay * p), p -= lr * v; Nesterov: p -= lr * (g' + momentum * v).
// parameters, grads, velocity: [size], whole arenas, so that one dispatch steps every parameter.
// hyper: [lr, momentum, weightDecay, nesterov (0 or 1)]. loss, squares: f32 bits [1], and share: [1], as in
// lib/update-scale.wgsl. Grid: one invocation per vec4.
import package::lib::grid::linearIndex;
import package::lib::update_scale::updateScale;

struct Params {
  vectors: u32,
  maxNorm: f32,
}

@group(0) @binding(0) var<storage, read> grads: array<vec4f>;
@group(0) @binding(1) var<storage, read> hyper: array<f32>;
@group(0) @binding(2) var<storage, read> loss: array<u32>;
@group(0) @binding(3) var<storage, read> squares: array<u32>;
@group(0) @binding(4) var<storage, read> share: array<f32>;
@group(0) @binding(5) var<storage, read_write> parameters: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> velocity: array<vec4f>;
@group(0) @binding(7) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let i = linearIndex(group, local, 64);
  let scale = updateScale(loss[0], squares[0], share[0], params.maxNorm);
  if (i >= params.vectors || scale == 0.0) {
    return;
  }
  let momentum = hyper[1];
  let grad = scale * grads[i] + hyper[2] * parameters[i];
  let v = momentum * velocity[i] + grad;
  velocity[i] = v;
  parameters[i] -= hyper[0] * select(v, grad + momentum * v, hyper[3] != 0.0);
}
