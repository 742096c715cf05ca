// What is left of p divided by q, exactly: WGSL's % loses the digits of large quotients.
import package::lib::exponential::powerOfTwo;
import package::lib::float_bits::EXPONENT_BITS;
import package::lib::float_bits::notANumber;

// With the sign of p, as C's fmod: NaN where p is infinite or q is 0, p where q is infinite.
fn remainderOf(p: f32, q: f32) -> f32 {
  let a = bitcast<u32>(p) & 0x7fffffffu;
  let b = bitcast<u32>(q) & 0x7fffffffu;
  if (a >= EXPONENT_BITS || b > EXPONENT_BITS || b == 0) {
    return notANumber();
  }
  if (a < b) {
    return p;
  }
  // Both as mantissa * 2^(exponent - 150); long division, eight digits at a time.
  let exponent = max(b >> 23, 1u);
  let divisor = mantissaOf(b);
  var rest = mantissaOf(a) % divisor;
  var digits = max(a >> 23, 1u) - exponent;
  loop {
    if (digits == 0) {
      break;
    }
    let step = min(digits, 8u);
    rest = (rest << step) % divisor;
    digits -= step;
  }
  // In two halves, since 2^-149 itself is too small.
  let power = i32(exponent) - 150;
  let size = f32(rest) * powerOfTwo(power / 2) * powerOfTwo(power - power / 2);
  return select(size, -size, p < 0);
}

fn mantissaOf(bits: u32) -> u32 {
  return (bits & 0x7fffffu) | select(0u, 0x800000u, bits >= 0x800000u);
}

// With the sign of q.
fn flooredRemainder(p: f32, q: f32) -> f32 {
  let rest = remainderOf(p, q);
  return select(rest, rest + q, rest != 0.0 && (rest < 0) != (q < 0));
}
