// The numerator of softmax, defined for every input: exp(value - maximum), 0 for -Inf, NaN for NaN and +Inf.
import package::lib::float_bits::isFiniteBits;
import package::lib::float_bits::notANumber;
import package::lib::float_bits::NEGATIVE_INFINITY_BITS;

// Where a running maximum starts: the smallest f32, since an infinity in a constant expression is an error.
const LOWEST = -3.4028234663852886e38f;
// exp() of this is 0 in f32; a difference kept above it does not make 0 * Inf.
const VANISHING = -200.0f;

fn softmaxWeight(value: f32, maximum: f32) -> f32 {
  let bits = bitcast<u32>(value);
  // Values picked and not branches taken: software adapters run both sides anyway.
  let ofInfinite = select(notANumber(), 0.0, bits == NEGATIVE_INFINITY_BITS);
  return select(ofInfinite, exp(value - maximum), isFiniteBits(bits));
}

// exp() of how far a maximum lies below a greater one.
fn rescaling(lower: f32, greater: f32) -> f32 {
  return exp(max(lower - greater, VANISHING));
}
