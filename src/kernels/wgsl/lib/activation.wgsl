// The functions that a kernel may apply to its result: 0 none, 1 relu, 2 sigmoid, 3 tanh (the same list as in
// activation.ts). NaN stays NaN: GPUs take max(NaN, 0) for 0, which would make a poisoned sample look sound.
import package::lib::float_bits::isNanBits;

fn activate(kind: u32, value: f32) -> f32 {
  return select(activateNumber(kind, value), value, isNanBits(bitcast<u32>(value)));
}

fn activateNumber(kind: u32, value: f32) -> f32 {
  switch (kind) {
    case 1u: { return max(value, 0.0); }
    case 2u: { return sigmoid(value); }
    case 3u: { return boundedTanh(value); }
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
