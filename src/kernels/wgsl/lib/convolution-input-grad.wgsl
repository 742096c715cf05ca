// What the kernels of a convolution's gradient by its input share, which is a transposed convolution: dx[n, c, inY,
// inX] = sum over o, ky, kx of weight[o, c, ky, kx] * dy[n, o, outY, outX], over the taps that lead from an output to
// this input: inY + padTop = outY * strideY + ky * dilationY, and so along x. o counts from the first output channel of
// the group that c is in, c in the weight from the first input channel of that.
// Layouts as in lib/convolution.wgsl; bias: [inChannels]. An element of dx is one chain of fma over o, ky, kx, and the
// bias, activated; or the gradient before an activation whose result is `activated`, of which that is the gradient.
// Grid: [tiles of pixels, tiles of a group's input channels, groups].
import package::lib::activation::activate;
import package::lib::activation::activationGrad;
import package::lib::live::Live;

struct Params {
  // For each live row.
  samples: u32,
  inChannels: u32,
  inHeight: u32,
  inWidth: u32,
  outChannels: u32,
  outHeight: u32,
  outWidth: u32,
  // Of one group.
  groupInChannels: u32,
  groupOutChannels: u32,
  kernelHeight: u32,
  kernelWidth: u32,
  strideY: u32,
  strideX: u32,
  dilationY: u32,
  dilationX: u32,
  padTop: u32,
  padLeft: u32,
  // From one tap that reaches an input to the next, and how much further back the output is that it reads.
  tapStepY: u32,
  tapStepX: u32,
  outStepY: u32,
  outStepX: u32,
}

@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(1) var<storage, read> weight: array<f32>;
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read> activated: array<f32>;
@group(0) @binding(4) var<storage, read_write> dx: array<f32>;
@group(0) @binding(5) var<uniform> params: Params;
@group(0) @binding(6) var<uniform> live: Live;

// outStepX is 1: each tap that reaches an input reads the output just before that of the last one.
override SLIDING: bool = true;
override BIAS: bool = false;
override ACTIVATION: u32 = 0;
override ACTIVATION_GRAD: u32 = 0;

const FOUR = vec4u(0, 1, 2, 3);

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
  if (ACTIVATION_GRAD != 0) {
    result = activationGrad(ACTIVATION_GRAD, activated[at], result);
  }
  return activate(ACTIVATION, result);
}
