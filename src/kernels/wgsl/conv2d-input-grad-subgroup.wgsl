// Gradient of a convolution by its input, where that moves by 1: dx[n, c, inY, inX] = sum over o, ky, kx of
// weight[o, c, ky, kx] * dy[n, o, inY + padTop - ky * dilationY, inX + padLeft - kx * dilationX], to the same bits as
// conv2d-input-grad, with weights exchanged within subgroups as in conv2d-subgroup.
// Layouts as in lib/convolution.wgsl. `activated` as in conv2d-input-grad.
// Grid: [tiles, channels / 8], a workgroup each: an invocation computes 8 channels of 4 pixels that are neighbours in a
// row.
import package::lib::activation::activationGrad;
import package::lib::live::Live;

enable subgroups;

struct Params {
  // For each live row.
  samples: u32,
  inChannels: u32,
  inHeight: u32,
  inWidth: u32,
  outChannels: u32,
  outHeight: u32,
  outWidth: u32,
  kernelHeight: u32,
  kernelWidth: u32,
  dilationY: u32,
  dilationX: u32,
  padTop: u32,
  padLeft: u32,
}

@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(1) var<storage, read> weight: array<f32>;
@group(0) @binding(2) var<storage, read> activated: array<f32>;
@group(0) @binding(3) var<storage, read_write> dx: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;
@group(0) @binding(5) var<uniform> live: Live;

// dilationX is 1: each tap reads the output just before that of the last one.
override SLIDING: bool = true;
override ACTIVATION_GRAD: u32 = 0;
// The width of the kernel, where it is to be unrolled; 0: params has it.
override KERNEL_WIDTH: u32 = 0;

// Fewer where a sample has few tiles: invocations without any go along.
override THREADS: u32 = 64;

const PIXELS = 4u;
const CHANNELS = 8u;

// One element of a row of dy. Left of the edge the column has wrapped around to more than any width.
fn outputAt(row: u32, column: u32, width: u32) -> f32 {
  let inside = column < width;
  return select(0.0, dy[select(0, row + column, inside)], inside);
}

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) local: u32,
  @builtin(subgroup_invocation_id) lane: u32,
  @builtin(subgroup_size) size: u32,
) {
  // Read once: software adapters would read a uniform again at each use.
  let shape = params;
  let across = (shape.inWidth + PIXELS - 1) / PIXELS;
  let rows = live.rows * shape.samples * shape.inHeight;
  let firstChannel = group.y * CHANNELS;
  if (group.x * THREADS >= rows * across || firstChannel >= shape.inChannels) {
    return;
  }
  let tile = group.x * THREADS + local;
  let inRow = tile / across;
  let sample = inRow / shape.inHeight;
  // Those without pixels go along: subgroup operations want company.
  let alive = inRow < rows;
  let inY = inRow % shape.inHeight;
  let inX = tile % across * PIXELS;
  let firstX = inX + shape.padLeft;

  // As in conv2d-subgroup.
  let kernelWidth = select(KERNEL_WIDTH, shape.kernelWidth, KERNEL_WIDTH == 0);
  let taps = shape.kernelHeight * kernelWidth;
  let small = size < CHANNELS;
  let lower = min(firstChannel + lane % select(CHANNELS, 4, small), shape.inChannels - 1) * taps;
  let upper = min(firstChannel + 4 + lane % 4, shape.inChannels - 1) * taps;
  let half = select(4u, 0u, small);

  // Eight variables and not an array: software adapters keep arrays in memory.
  var sum0 = vec4f(); var sum1 = vec4f(); var sum2 = vec4f(); var sum3 = vec4f();
  var sum4 = vec4f(); var sum5 = vec4f(); var sum6 = vec4f(); var sum7 = vec4f();
  for (var channel = 0u; channel < shape.outChannels; channel++) {
    let plane = (sample * shape.outChannels + channel) * shape.outHeight;
    var tap = channel * shape.inChannels * taps;
    for (var ky = 0u; ky < shape.kernelHeight; ky++) {
      let outY = inY + shape.padTop - ky * shape.dilationY;
      let outRow = (plane + outY) * shape.outWidth;
      // A row beyond the edge has no width and adds nothing.
      let width = select(0, shape.outWidth, alive && outY < shape.outHeight);
      // The outputs of one tap. Where they slide, they begin one after the first tap.
      var four = vec4f();
      if (SLIDING) {
        four = vec4f(
          outputAt(outRow, firstX + 1, width),
          outputAt(outRow, firstX + 2, width),
          outputAt(outRow, firstX + 3, width),
          0,
        );
      }
      for (var kx = 0u; kx < kernelWidth; kx++) {
        let outX = firstX - kx * shape.dilationX;
        if (SLIDING) {
          four = vec4f(outputAt(outRow, outX, width), four.xyz);
        } else {
          four = vec4f(
            outputAt(outRow, outX, width),
            outputAt(outRow, outX + 1, width),
            outputAt(outRow, outX + 2, width),
            outputAt(outRow, outX + 3, width),
          );
        }
        let ofLower = weight[lower + tap];
        var ofUpper = ofLower;
        if (small) {
          ofUpper = weight[upper + tap];
        }
        tap++;
        sum0 = fma(vec4f(subgroupBroadcast(ofLower, 0)), four, sum0);
        sum1 = fma(vec4f(subgroupBroadcast(ofLower, 1)), four, sum1);
        sum2 = fma(vec4f(subgroupBroadcast(ofLower, 2)), four, sum2);
        sum3 = fma(vec4f(subgroupBroadcast(ofLower, 3)), four, sum3);
        sum4 = fma(vec4f(subgroupShuffle(ofUpper, half)), four, sum4);
        sum5 = fma(vec4f(subgroupShuffle(ofUpper, half + 1)), four, sum5);
        sum6 = fma(vec4f(subgroupShuffle(ofUpper, half + 2)), four, sum6);
        sum7 = fma(vec4f(subgroupShuffle(ofUpper, half + 3)), four, sum7);
      }
    }
  }

  var sums = array<vec4f, CHANNELS>(sum0, sum1, sum2, sum3, sum4, sum5, sum6, sum7);
  let stored = select(0, min(CHANNELS, shape.inChannels - firstChannel), alive);
  for (var i = 0u; i < stored; i++) {
    let at = ((sample * shape.inChannels + firstChannel + i) * shape.inHeight + inY) * shape.inWidth + inX;
    for (var j = 0u; j < min(PIXELS, shape.inWidth - inX); j++) {
      var grad = sums[i][j];
      if (ACTIVATION_GRAD != 0) {
        grad = activationGrad(ACTIVATION_GRAD, activated[at + j], grad);
      }
      dx[at + j] = grad;
    }
  }
}
