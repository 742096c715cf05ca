// What unary applies that is long to compile and seldom asked for (its numbers are those of unary.ts, trigonometry.ts
// and activations.ts).
import package::lib::error_function::errorFunction;
import package::lib::exponential::exponential;
import package::lib::exponential::exponentialMinusOne;
import package::lib::hyperbolic::hyperbolic;
import package::lib::hyperbolic::inverseHyperbolic;
import package::lib::logarithm::logarithmOnePlus;
import package::lib::mish::tanhOfSoftplus;
import package::lib::trigonometry::arcCircular;
import package::lib::trigonometry::arcTangent;
import package::lib::trigonometry::circular;

fn specialFunction(op: u32, value: f32, alpha: f32, beta: f32) -> f32 {
  switch (op) {
    case 29u, 30u, 31u: { return circular(op - 29, value); }
    case 32u, 33u: { return arcCircular(op == 33, value); }
    case 34u: { return arcTangent(value); }
    case 35u, 36u: { return hyperbolic(op == 36, value); }
    case 37u, 38u, 39u: { return inverseHyperbolic(op - 37, value); }
    case 40u: { return errorFunction(value); }
    case 41u: { return max(value, 0.0) + logarithmOnePlus(exponential(-abs(value))); }
    // Beyond 1e30 the quotient is 1, at infinity it would be Inf / Inf.
    case 42u: { return clamp(value, -1e30, 1e30) / (1.0 + min(abs(value), 1e30)); }
    case 43u: { return max(value, -200.0) * tanhOfSoftplus(value); }
    // elu and selu, and celu.
    case 44u, 45u: {
      let below = alpha * exponentialMinusOne(value / select(1.0, alpha, op == 45));
      return select(below, value, value > 0.0) * select(beta, 1.0, op == 45);
    }
    case 46u: { return select(alpha * value, value, value >= 0.0); }
    case 47u: { return clamp(fma(value, alpha, beta), 0.0, 1.0); }
    case 48u: { return select(0.0, value, value > alpha); }
    case 49u: { return min(max(value, alpha), beta); }
    default: { return value; }
  }
}
