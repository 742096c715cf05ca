// The greater and the smaller of two; NaN wins over every number.
import package::lib::float_bits::isNanBits;

fn greater(a: f32, b: f32) -> f32 {
  return select(max(a, b), a + b, isNanBits(bitcast<u32>(a)) || isNanBits(bitcast<u32>(b)));
}

fn lesser(a: f32, b: f32) -> f32 {
  return select(min(a, b), a + b, isNanBits(bitcast<u32>(a)) || isNanBits(bitcast<u32>(b)));
}
