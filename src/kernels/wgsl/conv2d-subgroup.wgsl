// The convolution of lib/convolution, with weights exchanged within subgroups: an invocation loads that of one channel,
// for all of them. A load costs a software adapter as much as 30 products, an exchange about as much as one.
// Grid: [tiles, channels / 8, groups], a workgroup each: an invocation computes 8 channels of 4 pixels that are
// neighbours in a row, or in two.
// storage: f32 or f16
import package::lib::convolution::FOUR;
import package::lib::convolution::POOL;
import package::lib::convolution::SLIDING;
import package::lib::convolution::activated;
import package::lib::convolution::finishFour;
import package::lib::convolution::finishOf;
import package::lib::convolution::fourInputsAt;
import package::lib::convolution::inputAt;
import package::lib::convolution::live;
import package::lib::convolution::params;
import package::lib::convolution::weight;
import package::lib::convolution::y;
import package::lib::extremes::greater;
import package::lib::number::Number;
@if(f16) enable f16;

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
  let across = (shape.outWidth + PIXELS - 1) / PIXELS;
  let tileRows = select(shape.outHeight, shape.outHeight / 2, POOL);
  let rows = live.rows * shape.samples * tileRows;
  let firstChannel = group.z * shape.groupOutChannels + group.y * CHANNELS;
  if (group.x * THREADS >= rows * across || firstChannel >= shape.outChannels) {
    return;
  }
  let tile = group.x * THREADS + local;
  let tileRow = tile / across;
  let sample = tileRow / tileRows;
  // Those without pixels go along: subgroup operations want company.
  let alive = tileRow < rows;
  let outX = tile % across * PIXELS;
  let firstX = outX * shape.strideX - shape.padLeft;

  // The channels of which an invocation loads weights: one of all, or one of each half if a subgroup is no larger.
  // Channels beyond the last of the group repeat it and are not stored.
  let lastChannel = (group.z + 1) * shape.groupOutChannels - 1;
  let kernelWidth = select(KERNEL_WIDTH, shape.kernelWidth, KERNEL_WIDTH == 0);
  let taps = shape.groupInChannels * shape.kernelHeight * kernelWidth;
  let small = size < CHANNELS;
  let lower = min(firstChannel + lane % select(CHANNELS, 4, small), lastChannel) * taps;
  let upper = min(firstChannel + 4 + lane % 4, lastChannel) * taps;
  let half = select(4u, 0u, small);

  // Not a constant: drivers would unroll the loop, and compile for twice as long.
  let height = select(1u, min(2, shape.outHeight), POOL);
  // Of the windows' upper rows.
  var above = array<vec2f, CHANNELS>();
  for (var windowRow = 0u; windowRow < height; windowRow++) {
    let outY = tileRow % tileRows * height + windowRow;
    let firstY = outY * shape.strideY - shape.padTop;

    // Eight variables and not an array: software adapters keep arrays in memory.
    var sum0 = vec4f(); var sum1 = vec4f(); var sum2 = vec4f(); var sum3 = vec4f();
    var sum4 = vec4f(); var sum5 = vec4f(); var sum6 = vec4f(); var sum7 = vec4f();
    var tap = 0u;
    for (var channel = 0u; channel < shape.groupInChannels; channel++) {
      let inChannel = sample * shape.inChannels + group.z * shape.groupInChannels + channel;
      let plane = inChannel * shape.inHeight;
      for (var ky = 0u; ky < shape.kernelHeight; ky++) {
        let inY = firstY + ky * shape.dilationY;
        let inRow = (plane + inY) * shape.inWidth;
        // A row beyond the edge has no width.
        let width = select(0, shape.inWidth, alive && inY < shape.inHeight);
        // The inputs of one tap. Where they slide, they begin one before the first tap.
        var four = vec4f();
        if (SLIDING) {
          four = vec4f(
            0,
            inputAt(inRow, firstX, width),
            inputAt(inRow, firstX + 1, width),
            inputAt(inRow, firstX + 2, width),
          );
        }
        for (var kx = 0u; kx < kernelWidth; kx++) {
          let inX = firstX + kx * shape.dilationX;
          if (SLIDING) {
            four = vec4f(four.yzw, inputAt(inRow, inX + PIXELS - 1, width));
          } else {
            four = fourInputsAt(inRow, inX + FOUR * shape.strideX, width);
          }
          let ofLower = f32(weight[lower + tap]);
          var ofUpper = ofLower;
          if (small) {
            ofUpper = f32(weight[upper + tap]);
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
    let stored = select(0, min(CHANNELS, lastChannel + 1 - firstChannel), alive);
    for (var i = 0u; i < stored; i++) {
      let channel = firstChannel + i;
      let four = finishFour(sums[i], finishOf(channel));
      let plane = (sample * shape.outChannels + channel) * tileRows;
      if (POOL) {
        let widest = vec2f(greater(four.x, four.y), greater(four.z, four.w));
        if (windowRow == 0) {
          above[i] = widest;
          continue;
        }
        let pooledWidth = shape.outWidth / 2;
        let at = (plane + outY / 2) * pooledWidth + outX / 2;
        for (var j = 0u; j < min(PIXELS / 2, pooledWidth - outX / 2); j++) {
          y[at + j] = activated(greater(above[i][j], widest[j]), at + j);
        }
      } else {
        let at = (plane + outY) * shape.outWidth + outX;
        for (var j = 0u; j < min(PIXELS, shape.outWidth - outX); j++) {
          y[at + j] = activated(four[j], at + j);
        }
      }
    }
  }
}
