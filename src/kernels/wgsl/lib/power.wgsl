// base^exponent, as C's pow treats what is not finite, where WGSL's pow() knows no negative base.
import package::lib::exponential::exponential;
import package::lib::float_bits::EXPONENT_BITS;
import package::lib::float_bits::infinity;
import package::lib::float_bits::isNanBits;
import package::lib::float_bits::notANumber;
import package::lib::logarithm::logarithm;

fn power(base: f32, exponent: f32) -> f32 {
  let baseBits = bitcast<u32>(base);
  let exponentBits = bitcast<u32>(exponent);
  // Even of NaN. What is below 2^-126 counts as 0.
  if (baseBits == 0x3f800000u || (exponentBits & EXPONENT_BITS) == 0) {
    return 1.0;
  }
  if (isNanBits(baseBits) || isNanBits(exponentBits)) {
    return notANumber();
  }
  let size = abs(base);
  let grows = exponentBits < 0x80000000u;
  if ((exponentBits & EXPONENT_BITS) == EXPONENT_BITS) {
    if (size == 1.0) {
      return 1.0;
    }
    return select(0.0, infinity(), (size > 1.0) == grows);
  }
  // From 2^24 on all are even.
  let isWhole = floor(exponent) == exponent;
  let isOdd = isWhole && abs(exponent) < 16777216.0 && (i32(exponent) & 1) != 0;
  let isNegative = baseBits >= 0x80000000u;
  var result = 0.0;
  if (size == 0.0 || (baseBits & EXPONENT_BITS) == EXPONENT_BITS) {
    result = select(infinity(), 0.0, (size == 0.0) == grows);
  } else if (isNegative && !isWhole) {
    return notANumber();
  } else if (isWhole && abs(exponent) <= 64.0) {
    result = wholePower(size, exponent);
  } else {
    result = exponential(exponent * logarithm(size));
  }
  return select(result, -result, isNegative && isOdd);
}

fn wholePower(size: f32, exponent: f32) -> f32 {
  // The power of a number below 1 might vanish while its inverse is finite.
  let invertFirst = exponent < 0 && size < 1.0;
  var factor = select(size, 1.0 / size, invertFirst);
  var left = u32(abs(exponent));
  var result = 1.0;
  for (; left > 1; left >>= 1) {
    if ((left & 1) != 0) {
      result *= factor;
    }
    factor *= factor;
  }
  result *= factor;
  return select(result, 1.0 / result, exponent < 0 && !invertFirst);
}

// The derivative by the base, exponent base^(exponent - 1).
fn powerSlope(base: f32, exponent: f32) -> f32 {
  if (exponent == 0.0) {
    return 0.0;
  }
  return exponent * power(base, exponent - 1.0);
}

// The derivative by the exponent, base^exponent ln(base): 0 at a base of 0, NaN below.
fn powerGrowth(base: f32, exponent: f32) -> f32 {
  if (base == 0.0 && exponent >= 0.0) {
    return 0.0;
  }
  return power(base, exponent) * logarithm(base);
}
