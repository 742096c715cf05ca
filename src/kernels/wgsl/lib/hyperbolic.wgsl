// Hyperbolic functions and their inverses by way of e^x - 1 and ln(1 + x), which lose no digits near 0 and do not
// overflow before the result does.
import package::lib::exponential::exponential;
import package::lib::exponential::exponentialMinusOne;
import package::lib::float_bits::infinity;
import package::lib::float_bits::notANumber;
import package::lib::logarithm::logarithmOnePlus;

const LN_2 = 0.69314718055994530942f;

// The sine, or the cosine where `complement`.
fn hyperbolic(complement: bool, x: f32) -> f32 {
  let size = abs(x);
  if (size < 1.0) {
    let e = exponentialMinusOne(size);
    return select(sign(x) * 0.5 * (e + e / (e + 1.0)), 1.0 + 0.5 * e * e / (e + 1.0), complement);
  }
  // By e^(x/2), since e^x overflows before its half.
  let root = exponential(0.5 * size);
  let inverse = 0.5 / (root * root);
  return select(sign(x), 1.0, complement) * fma(0.5 * root, root, select(-inverse, inverse, complement));
}

// 0 that of the sine, 1 that of the cosine, NaN below 1, 2 that of the tangent, NaN beyond 1. One function, so that a
// kernel with all three has the logarithm once.
fn inverseHyperbolic(kind: u32, x: f32) -> f32 {
  let size = abs(x);
  if ((kind == 1 && x < 1.0) || (kind == 2 && size > 1.0)) {
    return notANumber();
  }
  if (kind == 2) {
    let ratio = select(2.0 * size / (1.0 - size), infinity(), size == 1.0);
    return sign(x) * 0.5 * logarithmOnePlus(ratio);
  }
  // Beyond, the square might overflow, and what is added to it does not show.
  let isFar = size > 1e8;
  let bounded = min(size, 1e8);
  let square = bounded * bounded;
  let above = bounded - 1.0;
  let near = select(bounded + square / (1.0 + sqrt(1.0 + square)), above + sqrt(above * (bounded + 1.0)), kind == 1);
  let result = logarithmOnePlus(select(near, size, isFar)) + select(0.0, LN_2, isFar);
  return select(sign(x) * result, result, kind == 1);
}
