// What an optimiser multiplies a gradient by: share * min(1, maxNorm / sqrt(squares)) (clipping by the norm, Pascanu et
// al. 2013, algorithm 1), or 0, which changes nothing, where loss or squares are not finite.
// loss, squares: f32 bits [1], squares the sum of those of the gradient's elements; share: [1]; scale: [1].
// Grid: one invocation.
import package::lib::float_bits::isFiniteBits;

struct Params {
  maxNorm: f32,
}

@group(0) @binding(0) var<storage, read> loss: array<u32>;
@group(0) @binding(1) var<storage, read> squares: array<u32>;
@group(0) @binding(2) var<storage, read> share: array<f32>;
@group(0) @binding(3) var<storage, read_write> scale: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(1)
fn main() {
  var by = 0.0;
  if (isFiniteBits(loss[0]) && isFiniteBits(squares[0])) {
    let norm = sqrt(bitcast<f32>(squares[0]));
    by = share[0] * min(1.0, params.maxNorm / max(norm, 1e-30));
  }
  scale[0] = by;
}
