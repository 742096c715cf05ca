// Sine, cosine and their inverses to two or three units in the last place, where WGSL promises an absolute 2^-11
// between -pi and pi and nothing beyond, and 4096 units for the inverses. The polynomials are those of sinf, asinf and
// atanf of the Cephes library, Moshier 1989, https://www.netlib.org/cephes
import package::lib::float_bits::isFiniteBits;
import package::lib::float_bits::notANumber;
import package::lib::random::multiplyHigh;

const HALF_PI = 1.57079632679489661923f;

// |x| = (4 n + quarter) pi / 2 + rest, |rest| <= pi / 4.
struct Turn {
  quarter: u32,
  rest: f32,
}

// |x| times 2 / pi in integers (Payne and Hanek 1983, "Radian reduction for trigonometric functions"): of the many
// digits of 2 / pi only those count that neither give whole turns nor vanish, so a float of any size keeps all of its
// digits.
fn turnOf(x: f32) -> Turn {
  let size = abs(x);
  if (size < 0.785398163) {
    return Turn(0, size);
  }
  // 2 / pi in units of 2^-30, 2^-62, ...
  var digits = array<u32, 8>(0, 0x28be60db, 0x9391054a, 0x7f09d5f4, 0x7d4d3770, 0x36d8a566, 0x4f10e410, 0);
  let bits = bitcast<u32>(size);
  // size = mantissa / 2^32 * 2^exponent
  let mantissa = (bits << 8) | 0x80000000u;
  let exponent = (bits >> 23) - 126;
  let first = exponent / 32;
  let shift = exponent % 32;
  // Two shifts, since one of 32 is none.
  let high = (digits[first] << shift) | ((digits[first + 1] >> 1) >> (31 - shift));
  let middle = (digits[first + 1] << shift) | ((digits[first + 2] >> 1) >> (31 - shift));
  let low = (digits[first + 2] << shift) | ((digits[first + 3] >> 1) >> (31 - shift));
  // The product modulo 4, in units of 2^-62.
  var lower = mantissa * middle + multiplyHigh(mantissa, low);
  var upper = mantissa * high + multiplyHigh(mantissa, middle) + select(0u, 1u, lower < mantissa * middle);
  // To the nearest quarter.
  let quarter = (upper + 0x20000000u) >> 30;
  upper -= quarter << 30;
  let negative = upper >= 0x80000000u;
  if (negative) {
    lower = ~lower + 1;
    upper = ~upper + select(0u, 1u, lower == 0);
  }
  const UNIT = 1.4629180792671596e-9f; // pi / 2 * 2^-30
  let rest = (f32(upper) + f32(lower) * 2.3283064365386963e-10) * UNIT;
  return Turn(quarter, select(rest, -rest, negative));
}

fn sineOfRest(r: f32) -> f32 {
  let square = r * r;
  let p = fma(fma(-1.9515295891e-4, square, 8.3321608736e-3), square, -1.6666654611e-1);
  return fma(p * square, r, r);
}

fn cosineOfRest(r: f32) -> f32 {
  let square = r * r;
  let p = fma(fma(2.443315711809948e-5, square, -1.388731625493765e-3), square, 4.166664568298827e-2);
  return fma(p * square, square, fma(-0.5, square, 1.0));
}

// 0 the sine, 1 the cosine, 2 the tangent; NaN for both infinities. One function, so that a kernel with all three has
// the turn once.
fn circular(kind: u32, x: f32) -> f32 {
  if (!isFiniteBits(bitcast<u32>(x))) {
    return notANumber();
  }
  let turn = turnOf(x);
  let isOdd = (turn.quarter & 1) != 0;
  let isBehind = (turn.quarter & 2) != 0;
  let sineOf = sineOfRest(turn.rest);
  let cosineOf = cosineOfRest(turn.rest);
  if (kind == 0) {
    let result = select(sineOf, cosineOf, isOdd);
    return select(result, -result, isBehind != (x < 0));
  }
  if (kind == 1) {
    let result = select(cosineOf, -sineOf, isOdd);
    return select(result, -result, isBehind);
  }
  let result = select(sineOf, cosineOf, isOdd) / select(cosineOf, -sineOf, isOdd);
  return select(result, -result, x < 0);
}

// For |x| <= 1/2.
fn arcSineNear0(x: f32) -> f32 {
  let square = x * x;
  var p = 4.2163199048e-2;
  p = fma(p, square, 2.4181311049e-2);
  p = fma(p, square, 4.5470025998e-2);
  p = fma(p, square, 7.4953002686e-2);
  p = fma(p, square, 1.6666752422e-1);
  return fma(p * square, x, x);
}

// The sine, or the cosine where `complement`; NaN beyond 1.
fn arcCircular(complement: bool, x: f32) -> f32 {
  let size = abs(x);
  if (size > 1.0) {
    return notANumber();
  }
  // From 1/2 on by half the angle.
  let isFar = size > 0.5;
  let near = arcSineNear0(select(x, sqrt(0.5 * (1.0 - size)), isFar));
  if (complement && isFar) {
    return select(2.0 * near, 2.0 * HALF_PI - 2.0 * near, x < 0);
  }
  let sine = select(near, sign(x) * (HALF_PI - 2.0 * near), isFar);
  return select(sine, HALF_PI - sine, complement);
}

fn arcTangent(x: f32) -> f32 {
  let size = abs(x);
  var start = 0.0;
  var t = size;
  if (size > 2.414213562373095) {
    start = HALF_PI;
    t = -1.0 / size;
  } else if (size > 0.4142135623730950) {
    start = HALF_PI / 2;
    t = (size - 1.0) / (size + 1.0);
  }
  let square = t * t;
  var p = 8.05374449538e-2;
  p = fma(p, square, -1.38776856032e-1);
  p = fma(p, square, 1.99777106478e-1);
  p = fma(p, square, -3.33329491539e-1);
  let result = start + fma(p * square, t, t);
  return select(result, -result, x < 0);
}
