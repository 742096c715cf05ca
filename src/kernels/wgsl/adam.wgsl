// Adam with decoupled weight decay (Kingma & Ba 2015, algorithm 1; Loshchilov & Hutter 2019, algorithm 2):
// m = b1 m + (1 - b1) g, v = b2 v + (1 - b2) g^2, p -= lr * (m c1 / (sqrt(v c2) + epsilon) + weightDecay * p)
// parameters, grads, moment1, moment2: [size], whole arenas, so that one dispatch steps every parameter.
// hyper: [lr, b1, b2, epsilon, c1, c2, weightDecay], c1 = 1 / (1 - b1^step), c2 = 1 / (1 - b2^step).
// loss, squares: f32 bits [1], and share: [1], as in lib/update-scale.wgsl. Grid: one invocation per vec4.
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
@group(0) @binding(6) var<storage, read_write> moment1: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> moment2: array<vec4f>;
@group(0) @binding(8) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let i = linearIndex(group, local, 64);
  let scale = updateScale(loss[0], squares[0], share[0], params.maxNorm);
  if (i >= params.vectors || scale == 0.0) {
    return;
  }
  let grad = scale * grads[i];
  let m = hyper[1] * moment1[i] + (1.0 - hyper[1]) * grad;
  let v = hyper[2] * moment2[i] + (1.0 - hyper[2]) * grad * grad;
  moment1[i] = m;
  moment2[i] = v;
  let step = m * hyper[4] / (sqrt(v * hyper[5]) + hyper[3]);
  parameters[i] -= hyper[0] * (step + hyper[6] * parameters[i]);
}
