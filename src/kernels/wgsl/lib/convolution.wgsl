// What the kernels of convolutions share: y[n, o] = activate(sum over c, ky, kx of weight[o, c, ky, kx] * (x[n, c]
// shifted by the tap) + bias[o]), c counted from the first input channel of the group that o is in.
// NORM: the sum with its bias is normalised by given statistics. POOL: y is the maximum of that over windows of 2 x 2
// side by side, rows and columns left over are none of y. RESIDUAL: what is added, before the activation, is not a bias
// but of the shape of y, since the number of bindings does not allow for both.
// x: [rows, inChannels, inHeight, inWidth], zero beyond its edges; weight: [outChannels, groupInChannels, kernelHeight,
// kernelWidth]; bias and all of NORM: [outChannels]; y: [rows, outChannels, outHeight, outWidth], or of half the height
// and width. A sum is one chain of fma over c, ky, kx in each kernel, so its bits depend neither on which of them computes it,
// nor on the number of samples, nor on its place in a tile.
// Grid: [tiles of pixels, tiles of a group's output channels, groups].
import package::lib::activation::activate;
import package::lib::batch_normalization::Normalization;
import package::lib::batch_normalization::normalizationOf;
import package::lib::batch_normalization::normalized;
import package::lib::live::Live;
import package::lib::number::Number;

// Of the gradients as well.
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
  // Of the gradient by the input: from one tap that reaches an input to the next, and how much further back the output
  // is that it reads.
  tapStepY: u32,
  tapStepX: u32,
  outStepY: u32,
  outStepX: u32,
  // Of the gradient by the weight: how many it is summed in.
  parts: u32,
  // Of the normalisation.
  epsilon: f32,
}

@group(0) @binding(0) var<storage, read> x: array<Number>;
@group(0) @binding(1) var<storage, read> weight: array<Number>;
@group(0) @binding(2) var<storage, read> added: array<Number>;
@group(0) @binding(3) var<storage, read_write> y: array<Number>;
@group(0) @binding(4) var<uniform> params: Params;
@group(0) @binding(5) var<uniform> live: Live;
@group(0) @binding(6) var<storage, read> mean: array<f32>;
@group(0) @binding(7) var<storage, read> variance: array<f32>;
@group(0) @binding(8) var<storage, read> scale: array<Number>;
@group(0) @binding(9) var<storage, read> shift: array<Number>;

// Neighbouring taps of neighbouring pixels read the same elements: stride and dilation along x are 1; outStepX is, of
// the gradient by the input, where each tap that reaches an input reads the output just before that of the last one.
override SLIDING: bool = true;
override BIAS: bool = false;
override RESIDUAL: bool = false;
override NORM: bool = false;
override ACTIVATION: u32 = 0;
override POOL: bool = false;

const FOUR = vec4u(0, 1, 2, 3);

// One element of a row of x. Left of the edge the column has wrapped around to more than any width.
fn inputAt(row: u32, column: u32, width: u32) -> f32 {
  let inside = column < width;
  return select(0.0, f32(x[select(0, row + column, inside)]), inside);
}

fn fourInputsAt(row: u32, columns: vec4u, width: u32) -> vec4f {
  return vec4f(
    inputAt(row, columns.x, width),
    inputAt(row, columns.y, width),
    inputAt(row, columns.z, width),
    inputAt(row, columns.w, width),
  );
}

// What becomes of all sums of a channel.
struct Finish {
  bias: f32,
  normalization: Normalization,
}

fn finishOf(channel: u32) -> Finish {
  var finish = Finish();
  if (BIAS) {
    finish.bias = f32(added[channel]);
  }
  if (NORM) {
    finish.normalization = normalizationOf(
      mean[channel], variance[channel], params.epsilon, f32(scale[channel]), f32(shift[channel]),
    );
  }
  return finish;
}

// Up to where they are pooled.
fn finishFour(sums: vec4f, finish: Finish) -> vec4f {
  let four = sums + finish.bias;
  if (!NORM) {
    return four;
  }
  return vec4f(
    normalized(four.x, finish.normalization),
    normalized(four.y, finish.normalization),
    normalized(four.z, finish.normalization),
    normalized(four.w, finish.normalization),
  );
}

// What is stored as element `at` of y.
fn activated(value: f32, at: u32) -> Number {
  var result = value;
  if (RESIDUAL) {
    result += f32(added[at]);
  }
  return Number(activate(ACTIVATION, result));
}
