// What local response normalisation divides by, for its kernel and for that of its gradient.
import package::lib::number::Number;
struct Params {
  rowsPerSample: u32,
  channels: u32,
  plane: u32,
  // The window of channel c is c - reachBefore .. c + reachAfter, cut at the edges.
  reachBefore: u32,
  reachAfter: u32,
  // For each square, not for their mean.
  alpha: f32,
  beta: f32,
  k: f32,
}

@group(0) @binding(0) var<storage, read> x: array<Number>;
@group(0) @binding(1) var<uniform> params: Params;

// Before it is raised to beta, of a channel of the pixel whose first channel is at `pixelAt`.
fn divisor(pixelAt: u32, channel: u32) -> f32 {
  let first = channel - min(channel, params.reachBefore);
  let end = min(channel + params.reachAfter + 1, params.channels);
  var squares = 0.0;
  for (var c = first; c < end; c++) {
    let value = f32(x[pixelAt + c * params.plane]);
    squares += value * value;
  }
  return params.k + params.alpha * squares;
}
