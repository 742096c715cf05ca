// The gradient through y = f(x) where f'(x) does not follow from y: dx = dy f'(x), f chosen by OP (the list is that of
// unary.ts). NaN in x gives NaN.
// x, dy, dx: [sizePerSample * samples].
// Grid: four elements per invocation, THREADS apart, so that neighbours read neighbours.
import package::lib::activation::geluTanhArgument;
import package::lib::activation::sigmoid;
import package::lib::error_function::errorFunction;
import package::lib::exponential::exponential;
import package::lib::float_bits::isNanBits;
import package::lib::grid::linearIndex;
import package::lib::hyperbolic::hyperbolic;
import package::lib::live::Live;
import package::lib::mish::tanhOfSoftplus;
import package::lib::trigonometry::circular;

struct Params {
  sizePerSample: u32,
  // As unary has them.
  alpha: f32,
  beta: f32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read_write> dx: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;
@group(0) @binding(4) var<uniform> live: Live;

override OP: u32 = 0;

const THREADS = 64u;
const ELEMENTS = 4u;

fn derivative(value: f32) -> f32 {
  return select(derivativeAtNumber(value), value, isNanBits(bitcast<u32>(value)));
}

fn derivativeAtNumber(value: f32) -> f32 {
  let alpha = params.alpha;
  let beta = params.beta;
  switch (OP) {
    case 4u: { return siluSlope(value); }
    case 5u: { return geluSlope(value); }
    case 6u: { return geluTanhSlope(value); }
    case 7u: { return select(clamp(value, -3.0, 3.0) / 3.0 + 0.5, select(0.0, 1.0, value > 0.0), abs(value) >= 3.0); }
    case 19u: { return sign(value); }
    case 21u: { return 2.0 * value; }
    case 22u: { return -1.0 / (value * value); }
    case 29u, 30u, 31u: { return circularSlope(value); }
    case 32u: { return 1.0 / sqrt((1.0 - value) * (1.0 + value)); }
    case 33u: { return -1.0 / sqrt((1.0 - value) * (1.0 + value)); }
    case 34u: { return 1.0 / fma(value, value, 1.0); }
    case 35u, 36u: { return hyperbolic(OP == 35, value); }
    // Beyond 1e8 the 1 does not show, and the square might overflow.
    case 37u: { let t = abs(value); return 1.0 / select(sqrt(fma(t, t, 1.0)), t, t > 1e8); }
    case 38u: { return 1.0 / (sqrt(value - 1.0) * sqrt(value + 1.0)); }
    case 39u: { return 1.0 / ((1.0 - value) * (1.0 + value)); }
    case 40u: { return 1.12837916709551257 * exponential(-value * value); }
    case 41u: { return sigmoid(value); }
    case 42u: { let t = 1.0 + abs(value); return 1.0 / t / t; }
    case 43u: { return mishSlope(value); }
    // elu and selu, and celu.
    case 44u, 45u: {
      let below = exponential(value / select(1.0, alpha, OP == 45)) * select(alpha, 1.0, OP == 45);
      return select(below, 1.0, value > 0.0) * select(beta, 1.0, OP == 45);
    }
    case 46u: { return select(alpha, 1.0, value >= 0.0); }
    case 47u: { let t = fma(value, alpha, beta); return select(0.0, alpha, t > 0.0 && t < 1.0); }
    case 48u: { return select(0.0, 1.0, value > alpha); }
    case 49u: { return select(0.0, 1.0, value >= alpha && value <= beta); }
    default: { return 1.0; }
  }
}

// cos x, -sin x, 1 + tan^2 x
fn circularSlope(value: f32) -> f32 {
  let kind = select(select(1u, 0u, OP == 30), 2u, OP == 31);
  let other = circular(kind, value);
  return select(select(other, -other, OP == 30), fma(other, other, 1.0), OP == 31);
}

// Where these functions are linear or 0 in f32: beyond, infinity would be multiplied by 0.
const FAR = 100.0;

// s + x s (1 - s) with s = sigmoid(x), 1 - s = sigmoid(-x)
fn siluSlope(value: f32) -> f32 {
  let x = clamp(value, -FAR, FAR);
  return sigmoid(x) * fma(x, sigmoid(-x), 1.0);
}

// Phi(x) + x phi(x): distribution and density of the standard normal.
fn geluSlope(value: f32) -> f32 {
  let x = clamp(value, -FAR, FAR);
  let density = 0.39894228040143268 * exponential(-0.5 * x * x);
  return fma(x, density, fma(0.5, errorFunction(x * 0.70710678118654752), 0.5));
}

// s + x s (1 - s) u' with s = sigmoid(u), u = 2 sqrt(2 / pi) (x + 0.044715 x^3)
fn geluTanhSlope(value: f32) -> f32 {
  let x = clamp(value, -20.0, 20.0);
  let u = 2.0 * geluTanhArgument(x);
  let slope = 1.59576912160573071 * fma(0.134145 * x, x, 1.0);
  return sigmoid(u) * fma(x * slope, sigmoid(-u), 1.0);
}

// t + x (1 - t^2) sigmoid(x) with t = tanh(softplus(x))
fn mishSlope(value: f32) -> f32 {
  let x = clamp(value, -FAR, FAR);
  let t = tanhOfSoftplus(x);
  return fma(x * (1.0 - t) * (1.0 + t), sigmoid(x), t);
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let start = linearIndex(group, local, THREADS * ELEMENTS);
  let end = live.rows * params.sizePerSample;
  if (start >= end) {
    return;
  }
  for (var j = 0u; j < ELEMENTS; j++) {
    let i = start + j * THREADS;
    if (i < end) {
      dx[i] = dy[i] * derivative(x[i]);
    }
  }
}
