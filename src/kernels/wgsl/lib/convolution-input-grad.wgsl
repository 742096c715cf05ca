// What the kernels of a convolution's gradient by its input share, which is a transposed convolution: dx[n, c, inY,
// inX] = sum over o, ky, kx of weight[o, c, ky, kx] * dy[n, o, outY, outX], over the taps that lead from an output to
// this input: inY + padTop = outY * strideY + ky * dilationY, and so along x. o counts from the first output channel of
// the group that c is in, c in the weight from the first input channel of that.
// Layouts as in lib/convolution.wgsl; bias: [inChannels]; residual, activated: like dx. An element of dx is one chain of
// fma over o, ky, kx, the bias and the residual, activated; or the gradient before an activation whose result is
// `activated`, of which that is the gradient.
// Grid: [tiles of pixels, tiles of a group's input channels, groups].
import package::lib::activation::activate;
import package::lib::activation::activationGrad;
import package::lib::convolution::FOUR;
import package::lib::convolution::Params;
import package::lib::live::Live;

@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(1) var<storage, read> weight: array<f32>;
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read> activated: array<f32>;
@group(0) @binding(4) var<storage, read_write> dx: array<f32>;
@group(0) @binding(5) var<uniform> params: Params;
@group(0) @binding(6) var<uniform> live: Live;
@group(0) @binding(7) var<storage, read> residual: array<f32>;

override BIAS: bool = false;
override RESIDUAL: bool = false;
override ACTIVATION: u32 = 0;
override ACTIVATION_GRAD: u32 = 0;

// One element of a row of dy. Left of the edge the column has wrapped around to more than any width.
fn outputAt(row: u32, column: u32, width: u32) -> f32 {
  let inside = column < width;
  return select(0.0, dy[select(0, row + column, inside)], inside);
}

fn fourOutputsAt(row: u32, first: u32, width: u32) -> vec4f {
  let columns = first + FOUR;
  return vec4f(
    outputAt(row, columns.x, width),
    outputAt(row, columns.y, width),
    outputAt(row, columns.z, width),
    outputAt(row, columns.w, width),
  );
}

// What is stored as element `at` of dx, in a channel.
fn finish(sum: f32, at: u32, channel: u32) -> f32 {
  var result = sum;
  if (BIAS) {
    result += bias[channel];
  }
  if (RESIDUAL) {
    result += residual[at];
  }
  if (ACTIVATION_GRAD != 0) {
    result = activationGrad(ACTIVATION_GRAD, activated[at], result);
  }
  return activate(ACTIVATION, result);
}
