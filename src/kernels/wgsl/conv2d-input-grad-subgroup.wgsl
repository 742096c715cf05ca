// The gradient of lib/convolution-input-grad where the convolution moves by 1, with weights exchanged within subgroups
// as in conv2d-subgroup.
// Grid: [tiles, channels / 8, groups], a workgroup each: an invocation computes 8 channels of 4 pixels that are
// neighbours in a row.
import package::lib::convolution::SLIDING;
import package::lib::convolution_input_grad::dx;
import package::lib::convolution_input_grad::finish;
import package::lib::convolution_input_grad::fourOutputsAt;
import package::lib::convolution_input_grad::live;
import package::lib::convolution_input_grad::outputAt;
import package::lib::convolution_input_grad::params;
import package::lib::convolution_input_grad::weight;

enable subgroups;

// The width of the kernel, where it is to be unrolled; 0: params has it.
override KERNEL_WIDTH: u32 = 0;

// Fewer where a sample has few tiles: invocations without any go along.
override THREADS: u32 = 64;

const PIXELS = 4u;
const CHANNELS = 8u;

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
  let firstChannel = group.z * shape.groupInChannels + group.y * CHANNELS;
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
  let first = group.y * CHANNELS;
  let last = shape.groupInChannels - 1;
  let small = size < CHANNELS;
  let lower = min(first + lane % select(CHANNELS, 4, small), last) * taps;
  let upper = min(first + 4 + lane % 4, last) * taps;
  let half = select(4u, 0u, small);

  // Eight variables and not an array: software adapters keep arrays in memory.
  var sum0 = vec4f(); var sum1 = vec4f(); var sum2 = vec4f(); var sum3 = vec4f();
  var sum4 = vec4f(); var sum5 = vec4f(); var sum6 = vec4f(); var sum7 = vec4f();
  for (var i = 0u; i < shape.groupOutChannels; i++) {
    let channel = group.z * shape.groupOutChannels + i;
    let plane = (sample * shape.outChannels + channel) * shape.outHeight;
    var tap = channel * shape.groupInChannels * taps;
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
          four = fourOutputsAt(outRow, outX, width);
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
  let stored = select(0, min(CHANNELS, shape.groupInChannels - first), alive);
  for (var i = 0u; i < stored; i++) {
    let channel = firstChannel + i;
    let at = ((sample * shape.inChannels + channel) * shape.inHeight + inY) * shape.inWidth + inX;
    for (var j = 0u; j < min(PIXELS, shape.inWidth - inX); j++) {
      dx[at + j] = finish(sums[i][j], at + j, channel);
    }
  }
}
