// ln(x) and ln(1 + x) to a unit or two in the last place, near ln(1) too, where WGSL promises an absolute 2^-21 only.
// x = 2^k (1 + f) with 1 + f from sqrt(1/2) to sqrt(2), and a polynomial for ln(1 + f): logf of the Cephes library,
// Moshier 1989, https://www.netlib.org/cephes
import package::lib::float_bits::EXPONENT_BITS;
import package::lib::float_bits::infinity;
import package::lib::float_bits::notANumber;

const SQRT_HALF_BITS = 0x3f3504f3u;

fn polynomialOf(f: f32) -> f32 {
  var p = 7.0376836292e-2;
  p = fma(p, f, -1.1514610310e-1);
  p = fma(p, f, 1.1676998740e-1);
  p = fma(p, f, -1.2420140846e-1);
  p = fma(p, f, 1.4249322787e-1);
  p = fma(p, f, -1.6668057665e-1);
  p = fma(p, f, 2.0000714765e-1);
  p = fma(p, f, -2.4999993993e-1);
  p = fma(p, f, 3.3333331174e-1);
  return p * f * f * f - 0.5 * f * f;
}

// -Inf for 0 and what is below 2^-126, NaN for negative numbers.
fn logarithm(x: f32) -> f32 {
  let bits = bitcast<u32>(x);
  if (bits == EXPONENT_BITS) {
    return x;
  }
  if ((bits & EXPONENT_BITS) == 0) {
    return -infinity();
  }
  if (bits > EXPONENT_BITS) {
    return notANumber();
  }
  let k = i32(bits - SQRT_HALF_BITS) >> 23;
  let f = bitcast<f32>(bits - bitcast<u32>(k << 23)) - 1.0;
  // ln 2 in two parts, the first so short that k times it is exact.
  return fma(f32(k), 0.693359375, f + fma(f32(k), -2.12194440e-4, polynomialOf(f)));
}

fn logarithmOnePlus(x: f32) -> f32 {
  if (x > -0.2928932 && x < 0.4142135) {
    return x + polynomialOf(x);
  }
  return logarithm(1.0 + x);
}
