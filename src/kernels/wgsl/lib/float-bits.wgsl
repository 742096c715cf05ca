// Tests on the bits of an f32. Compilers may assume that NaN and infinity never occur, so `x != x` is false for NaN
// on real adapters, and comparisons with infinity are no better: only integer arithmetic can tell.
// https://www.w3.org/TR/WGSL/#floating-point-evaluation
const EXPONENT_BITS = 0x7f800000u;
const NEGATIVE_INFINITY_BITS = 0xff800000u;

// False for NaN and both infinities.
fn isFiniteBits(word: u32) -> bool {
  return (word & EXPONENT_BITS) != EXPONENT_BITS;
}

// A quiet NaN. Through a variable, because a NaN in a constant expression is an error.
fn notANumber() -> f32 {
  var bits = 0x7fc00000u;
  return bitcast<f32>(bits);
}

fn infinity() -> f32 {
  var bits = EXPONENT_BITS;
  return bitcast<f32>(bits);
}

fn isNanBits(word: u32) -> bool {
  return (word & 0x7fffffffu) > EXPONENT_BITS;
}
