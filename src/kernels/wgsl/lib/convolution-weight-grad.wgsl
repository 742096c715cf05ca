// What the kernels of a convolution's gradient by weight and bias share, in parts: partial[p, o, (c, ky, kx)] = sum
// over n, outY, outX of dy[n, o, outY, outX] * x[n, c, inY, inX] with inY = outY * strideY + ky * dilationY - padTop,
// and so along x, c counted from the first input channel of the group that o is in; and partial[p, o, last] the sum of
// dy alone: the bias is the weight of an input that is 1 everywhere.
// Part p has the output rows n * outHeight + outY that are p modulo the number of parts, in order: its bits do not
// depend on how many come after. A part that no live row belongs to is 0.
// Layouts as in lib/convolution.wgsl. partial: [parts, outChannels, groupInChannels * kernelHeight * kernelWidth + 1]
// Grid: [tiles of taps, tiles of a group's output channels, groups].
import package::lib::convolution::Params;
import package::lib::live::Live;

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read_write> partial: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;
@group(0) @binding(4) var<uniform> live: Live;

// What lies beyond the edges: 0, or the 1 that the bias is the weight of.
var<private> beyond: f32;

// One element of a row of x. Left of the edge the column has wrapped around to more than any width.
fn inputAt(row: u32, column: u32, width: u32) -> f32 {
  let inside = column < width;
  return select(beyond, x[select(0, row + column, inside)], inside);
}

fn fourInputsAt(row: u32, columns: vec4u, width: u32) -> vec4f {
  return vec4f(
    inputAt(row, columns.x, width),
    inputAt(row, columns.y, width),
    inputAt(row, columns.z, width),
    inputAt(row, columns.w, width),
  );
}
