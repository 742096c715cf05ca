import package::lib::float_bits::isFiniteBits;

// What an optimiser multiplies a gradient by: share * min(1, maxNorm / sqrt(squares)) (clipping by the norm, Pascanu et
// al. 2013, algorithm 1), or 0, which changes nothing, where loss or squares are not finite. squares: the sum of the
// squares of the gradient's elements. Both as bits.
fn updateScale(loss: u32, squares: u32, share: f32, maxNorm: f32) -> f32 {
  if (!isFiniteBits(loss) || !isFiniteBits(squares)) {
    return 0.0;
  }
  let norm = sqrt(bitcast<f32>(squares));
  if (norm > maxNorm) {
    return share * (maxNorm / norm);
  }
  return share;
}
