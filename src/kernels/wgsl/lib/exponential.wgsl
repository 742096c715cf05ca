// e^x and e^x - 1 to a unit or two in the last place, where WGSL's exp() may be wrong by 3 + 2 |x| of them, and near 0
// the difference loses all digits. x = k ln 2 + r with |r| <= ln 2 / 2, and a polynomial for e^r - 1: expf of the
// Cephes library, Moshier 1989, https://www.netlib.org/cephes

struct Reduced {
  // k
  power: f32,
  // e^r - 1
  rest: f32,
}

fn reducedPower(x: f32) -> Reduced {
  let k = round(x * 1.44269504);
  // ln 2 in two parts, the first so short that k times it is exact.
  let r = x - k * 0.693359375 + k * 2.12194440e-4;
  var p = 1.9875691500e-4;
  p = fma(p, r, 1.3981999507e-3);
  p = fma(p, r, 8.3334519073e-3);
  p = fma(p, r, 4.1665795894e-2);
  p = fma(p, r, 1.6666665459e-1);
  p = fma(p, r, 5.0000001201e-1);
  return Reduced(k, fma(p * r, r, r));
}

// 2^k for k from -126 to 127.
fn powerOfTwo(k: i32) -> f32 {
  return bitcast<f32>(u32(k + 127) << 23);
}

// Inf where e^x is too large, 0 where it is too small; what is between 0 and 2^-126 may be either.
fn exponential(x: f32) -> f32 {
  let reduced = reducedPower(clamp(x, -105.0, 89.0));
  // In two halves, since 2^k itself may be too large or too small.
  let k = i32(reduced.power);
  return (1.0 + reduced.rest) * powerOfTwo(k / 2) * powerOfTwo(k - k / 2);
}

fn exponentialMinusOne(x: f32) -> f32 {
  // Beyond, what is subtracted does not show, or is all that does.
  if (x > 20.0) {
    return exponential(x);
  }
  let reduced = reducedPower(max(x, -20.0));
  let scale = powerOfTwo(i32(reduced.power));
  return fma(scale, reduced.rest, scale - 1.0);
}
