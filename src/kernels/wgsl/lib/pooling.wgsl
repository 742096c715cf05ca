// What the kernels of pooling share. x: [planes, inHeight, inWidth], y: [planes, outHeight, outWidth], a plane for each
// channel of each sample. Positions count from the corner of the padded input, where window outY begins at outY *
// strideY and has taps dilationY apart.
import package::lib::float_bits::isNanBits;

struct Params {
  // For each live row.
  planes: u32,
  inHeight: u32,
  inWidth: u32,
  outHeight: u32,
  outWidth: u32,
  kernelHeight: u32,
  kernelWidth: u32,
  strideY: u32,
  strideX: u32,
  dilationY: u32,
  dilationX: u32,
  padTop: u32,
  padLeft: u32,
  // Positions that an average divides by: those of x, or of the padded input.
  countTop: u32,
  countBottom: u32,
  countLeft: u32,
  countRight: u32,
  // The p of the norm (sum |x|^p)^(1/p).
  power: f32,
}

// A dilation is not 1; where it is, nothing is divided by it.
override DILATED: bool = false;

// The taps, first and end, of a window that begins at `start`, which lie from position `low` up to before `high`.
fn tapsBetween(start: u32, taps: u32, dilation: u32, low: u32, high: u32) -> vec2u {
  let end = start + (taps - 1) * dilation + 1;
  let span = clamp(vec2u(low, high), vec2u(start), vec2u(end)) - start;
  if (DILATED) {
    return (span + dilation - 1) / dilation;
  }
  return span;
}

// Whether a value takes the place of the greatest so far, which may be NaN: a comparison would come out either way.
fn wins(value: f32, greatest: f32) -> bool {
  return isNanBits(bitcast<u32>(value)) || (value > greatest && !isNanBits(bitcast<u32>(greatest)));
}

// base^exponent of a base from 0 up; NaN stays NaN, which some drivers' pow makes a number of.
fn powerOf(base: f32, exponent: f32) -> f32 {
  return select(pow(base, exponent), base, isNanBits(bitcast<u32>(base)));
}
