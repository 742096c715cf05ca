// How elements of any dtype are ordered: a u32 that is the greater the further in front an element belongs. Comparing
// integers finds NaN, and tells denormals apart, where comparing floats may not.
import package::lib::float_bits::isNanBits;

const SIGN = 0x80000000u;

// dtype: 0 f32, 1 i32, 2 u32. order: 0 descending, NaN first, 1 ascending, NaN first, 2 ascending, NaN last.
fn orderKey(bits: u32, dtype: u32, order: u32) -> u32 {
  if (dtype == 0 && isNanBits(bits)) {
    return select(0xffffffffu, 0u, order == 2);
  }
  var key = bits;
  if (dtype == 1) {
    key ^= SIGN;
  }
  if (dtype == 0) {
    // Negative ones with the greatest magnitude last; -0 is 0.
    let negative = (bits & SIGN) != 0 && bits != SIGN;
    key = select(bits | SIGN, ~bits, negative);
  }
  return select(~key, key, order == 0);
}
