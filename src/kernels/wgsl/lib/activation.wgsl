// The functions that a kernel may apply to its result: 0 none, 1 relu, 2 sigmoid, 3 tanh, and those whose derivative
// does not follow from their result, 4 silu, 5 gelu, 6 gelu by tanh, 7 hard-swish, 8 leaky-relu, 9 relu6 (the same list
// as in activation.ts). NaN stays NaN: GPUs take max(NaN, 0) for 0, which would make a poisoned sample look sound.
import package::lib::error_function::errorFunction;
import package::lib::float_bits::isNanBits;

fn activate(kind: u32, value: f32) -> f32 {
  return select(activateNumber(kind, value), value, isNanBits(bitcast<u32>(value)));
}

fn activateNumber(kind: u32, value: f32) -> f32 {
  switch (kind) {
    case 1u: { return max(value, 0.0); }
    case 2u: { return sigmoid(value); }
    case 3u: { return boundedTanh(value); }
    // The lower bounds are where the products are 0 already: at -Inf they would be Inf * 0.
    case 4u: { return max(value, -200.0) * sigmoid(value); }
    case 5u: { return max(value, -20.0) * fma(0.5, errorFunction(value * 0.70710678118654752), 0.5); }
    case 6u: { return max(value, -20.0) * sigmoid(2.0 * geluTanhArgument(value)); }
    case 7u: { return max(value, -3.0) * hardGate(value); }
    case 8u: { return select(0.01 * value, value, value >= 0.0); }
    case 9u: { return clamp(value, 0.0, 6.0); }
    default: { return value; }
  }
}

// The gradient before an activation, from its result and the gradient of that.
fn activationGrad(kind: u32, result: f32, grad: f32) -> f32 {
  switch (kind) {
    case 1u: { return select(0.0, grad, result > 0.0); }
    case 2u: { return grad * result * (1.0 - result); }
    case 3u: { return grad * (1.0 - result * result); }
    default: { return grad; }
  }
}

// exp of the negative magnitude only, which cannot overflow.
fn sigmoid(value: f32) -> f32 {
  let e = exp(-abs(value));
  return select(e, 1.0, value >= 0.0) / (1.0 + e);
}

// Beyond 10 tanh is 1 in f32, while some drivers compute Inf / Inf there.
fn boundedTanh(value: f32) -> f32 {
  return tanh(clamp(value, -10.0, 10.0));
}

// sqrt(2 / pi) (x + 0.044715 x^3), bounded where its tanh is 1 already.
fn geluTanhArgument(value: f32) -> f32 {
  let x = clamp(value, -20.0, 20.0);
  return 0.79788456080286536 * x * fma(0.044715 * x, x, 1.0);
}

fn hardGate(value: f32) -> f32 {
  return clamp(value / 6.0 + 0.5, 0.0, 1.0);
}
