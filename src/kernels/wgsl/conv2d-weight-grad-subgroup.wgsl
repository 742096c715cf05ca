// The gradients of lib/convolution-weight-grad, with dy exchanged within subgroups: an invocation loads that of one
// channel, for eight of them.
// Grid: [tiles, outChannels / 8, groups]: an invocation computes 8 output channels of up to 4 taps of a row of the
// kernel, or of 5. Eight neighbours have the same part, hence the tiles of a part are filled up to a multiple of 8.
import package::lib::convolution::SLIDING;
import package::lib::convolution_weight_grad::beyond;
import package::lib::convolution_weight_grad::dy;
import package::lib::convolution_weight_grad::inputAt;
import package::lib::convolution_weight_grad::live;
import package::lib::convolution_weight_grad::params;
import package::lib::convolution_weight_grad::partial;

enable subgroups;

// Of a width of 5, all taps lie in one tile.
override FIVE: bool = false;

const THREADS = 64u;
override TAPS: u32 = select(4u, 5u, FIVE);
const CHANNELS = 8u;
// Pixels of a turn of the loop, which costs software adapters as much as some products.
const PIXELS = 4u;

// One element of a row of dy.
fn outputAt(row: u32, column: u32, width: u32) -> f32 {
  let inside = column < width;
  return select(0.0, dy[select(0, row + column, inside)], inside);
}

// What four neighbours hold, of which the first is given.
fn exchanged(value: f32, first: u32) -> vec4f {
  return vec4f(
    subgroupShuffle(value, first),
    subgroupShuffle(value, first + 1),
    subgroupShuffle(value, first + 2),
    subgroupShuffle(value, first + 3),
  );
}

@compute @workgroup_size(THREADS)
fn main(
  @builtin(global_invocation_id) id: vec3u,
  @builtin(subgroup_invocation_id) lane: u32,
  @builtin(subgroup_size) size: u32,
) {
  // Read once: software adapters would read a uniform again at each use.
  let shape = params;
  let across = (shape.kernelWidth + TAPS - 1) / TAPS;
  let tapRows = shape.groupInChannels * shape.kernelHeight;
  // And one for the bias.
  let tiles = tapRows * across + 1;
  let filled = (tiles + 7) / 8 * 8;
  let part = id.x / filled;
  let firstChannel = id.z * shape.groupOutChannels + id.y * CHANNELS;
  let tile = min(id.x % filled, tiles - 1);
  let ofBias = tile == tiles - 1;
  beyond = select(0.0, 1.0, ofBias);
  let tapRow = tile / across;
  let channel = id.z * shape.groupInChannels + tapRow / shape.kernelHeight;
  let ky = tapRow % shape.kernelHeight;
  let kx = tile % across * TAPS;

  // The channels of which an invocation loads dy: one of all, or one of each half if a subgroup is no larger. Channels
  // beyond the last of the group repeat it and are not stored.
  let outSize = shape.outHeight * shape.outWidth;
  let lastChannel = (id.z + 1) * shape.groupOutChannels - 1;
  let small = size < CHANNELS;
  let lower = min(firstChannel + lane % select(CHANNELS, 4, small), lastChannel) * outSize;
  let upper = min(firstChannel + 4 + lane % 4, lastChannel) * outSize;
  let first = select(lane - lane % 8, 0, small);
  let half = select(first + 4, 0, small);

  // Eight variables and not an array: software adapters keep arrays in memory.
  var sum0 = vec4f(); var sum1 = vec4f(); var sum2 = vec4f(); var sum3 = vec4f();
  var sum4 = vec4f(); var sum5 = vec4f(); var sum6 = vec4f(); var sum7 = vec4f();
  var fifthOfLower = vec4f(); var fifthOfUpper = vec4f();
  let firstX = kx * shape.dilationX - shape.padLeft;
  let rows = live.rows * shape.samples * shape.outHeight;
  // As many turns for all: subgroup operations want company. A row beyond the last, or beyond the edge, adds nothing.
  for (var turn = 0u; turn < (rows + shape.parts - 1) / shape.parts; turn++) {
    let row = turn * shape.parts + part;
    let sample = row / shape.outHeight;
    let outY = row % shape.outHeight;
    let inY = outY * shape.strideY + ky * shape.dilationY - shape.padTop;
    let inRow = ((sample * shape.inChannels + channel) * shape.inHeight + inY) * shape.inWidth;
    let outRow = sample * shape.outChannels * outSize + outY * shape.outWidth;
    let alive = row < rows && part < shape.parts;
    let width = select(0, shape.inWidth, alive && inY < shape.inHeight && !ofBias);
    let outWidth = select(0, shape.outWidth, alive);
    // The inputs that one output meets at the four taps. Where they slide, they begin one before the first output.
    var four = vec4f();
    var fifth = 0.0;
    if (SLIDING) {
      four = vec4f(
        0,
        inputAt(inRow, firstX, width),
        inputAt(inRow, firstX + 1, width),
        inputAt(inRow, firstX + 2, width),
      );
      fifth = inputAt(inRow, firstX + 3, width);
    }
    for (var start = 0u; start < shape.outWidth; start += PIXELS) {
      for (var pixel = 0u; pixel < PIXELS; pixel++) {
        let outX = start + pixel;
        let inX = firstX + outX * shape.strideX;
        if (SLIDING) {
          four = vec4f(four.yzw, select(inputAt(inRow, inX + 3, width), fifth, FIVE));
        } else {
          four = vec4f(
            inputAt(inRow, inX, width),
            inputAt(inRow, inX + shape.dilationX, width),
            inputAt(inRow, inX + 2 * shape.dilationX, width),
            inputAt(inRow, inX + 3 * shape.dilationX, width),
          );
        }
        if (FIVE) {
          fifth = inputAt(inRow, inX + 4 * shape.dilationX, width);
        }
        let ofLower = outputAt(outRow + lower, outX, outWidth);
        var ofUpper = ofLower;
        if (small) {
          ofUpper = outputAt(outRow + upper, outX, outWidth);
        }
        let l = exchanged(ofLower, first);
        let u = exchanged(ofUpper, half);
        sum0 = fma(l.xxxx, four, sum0); sum4 = fma(u.xxxx, four, sum4);
        sum1 = fma(l.yyyy, four, sum1); sum5 = fma(u.yyyy, four, sum5);
        sum2 = fma(l.zzzz, four, sum2); sum6 = fma(u.zzzz, four, sum6);
        sum3 = fma(l.wwww, four, sum3); sum7 = fma(u.wwww, four, sum7);
        if (FIVE) {
          fifthOfLower = fma(l, vec4f(fifth), fifthOfLower);
          fifthOfUpper = fma(u, vec4f(fifth), fifthOfUpper);
        }
      }
    }
  }

  if (part >= shape.parts || id.x % filled >= tiles) {
    return;
  }
  var sums = array<vec4f, CHANNELS>(sum0, sum1, sum2, sum3, sum4, sum5, sum6, sum7);
  var fifths = array<vec4f, 2>(fifthOfLower, fifthOfUpper);
  for (var i = 0u; i < min(CHANNELS, lastChannel + 1 - firstChannel); i++) {
    let channelAt = (part * shape.outChannels + firstChannel + i) * (tapRows * shape.kernelWidth + 1);
    let at = channelAt + tapRow * shape.kernelWidth + kx;
    for (var j = 0u; j < select(min(TAPS, shape.kernelWidth - kx), 1, ofBias); j++) {
      partial[at + j] = select(fifths[i / 4][i % 4], sums[i][j % 4], j < 4);
    }
  }
}
