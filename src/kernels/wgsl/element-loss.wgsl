// The loss of each element x against its goal t, or the gradient of x, dy times its derivative:
// 0 squared error (x - t)^2,
// 1 Huber d^2 / 2 where |d| <= delta, else delta (|d| - delta / 2), d = x - t,
// 2 binary cross-entropy of logits w t softplus(-x) + (1 - t) softplus(x), softplus(x) = log(1 + e^x).
// x, goal, y: [sizePerSample * samples]; weight: [weights], over and over again; dy: like y, or [1] of sum or mean.
// NaN in x or t gives NaN. Grid: one invocation per element.
import package::lib::float_bits::isNanBits;
import package::lib::grid::linearIndex;
import package::lib::live::Live;
import package::lib::logarithm::logarithmOnePlus;

struct Params {
  sizePerSample: u32,
  delta: f32,
  // How many there are; 0: a weight of 1.
  weights: u32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> goal: array<f32>;
@group(0) @binding(2) var<storage, read> weight: array<f32>;
@group(0) @binding(3) var<storage, read> dy: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
@group(0) @binding(5) var<uniform> params: Params;
@group(0) @binding(6) var<uniform> live: Live;

override LOSS: u32 = 0;
override GRAD: bool = false;
// Whose gradient dy is: 0 of each loss, 1 of their sum, 2 of their mean.
override REDUCTION: u32 = 0;

const THREADS = 64u;

fn lossOf(p: f32, t: f32, w: f32) -> f32 {
  let d = p - t;
  switch (LOSS) {
    case 1u: {
      let size = abs(d);
      return select(params.delta * (size - 0.5 * params.delta), 0.5 * d * d, size <= params.delta);
    }
    case 2u: {
      let rest = logarithmOnePlus(exp(-abs(p)));
      return w * t * (max(-p, 0.0) + rest) + (1.0 - t) * (max(p, 0.0) + rest);
    }
    default: { return d * d; }
  }
}

fn derivative(p: f32, t: f32, w: f32) -> f32 {
  let d = p - t;
  switch (LOSS) {
    case 1u: { return clamp(d, -params.delta, params.delta); }
    case 2u: {
      let e = exp(-abs(p));
      let sigmoid = select(e, 1.0, p >= 0.0) / (1.0 + e);
      let opposite = select(1.0, e, p >= 0.0) / (1.0 + e);
      return (1.0 - t) * sigmoid - w * t * opposite;
    }
    default: { return 2.0 * d; }
  }
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let i = linearIndex(group, local, THREADS);
  let elements = live.rows * params.sizePerSample;
  if (i >= elements) {
    return;
  }
  let p = x[i];
  let t = goal[i];
  var w = 1.0;
  if (params.weights > 0) {
    w = weight[i % params.weights];
  }
  var result: f32;
  if (GRAD) {
    result = derivative(p, t, w) * dy[select(i, 0, REDUCTION > 0)];
    if (REDUCTION == 2) {
      result /= f32(elements);
    }
  } else {
    result = lossOf(p, t, w);
  }
  y[i] = select(result, p - t, isNanBits(bitcast<u32>(p - t)));
}
