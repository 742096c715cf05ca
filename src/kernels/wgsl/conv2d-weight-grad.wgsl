// The gradients of lib/convolution-weight-grad, without subgroups.
// Grid: [tiles, outChannels / CHANNELS, groups]: an invocation computes 5 output channels, or 1, of up to 8 taps of a
// row of the kernel.
import package::lib::convolution::FOUR;
import package::lib::convolution::SLIDING;
import package::lib::convolution_weight_grad::beyond;
import package::lib::convolution_weight_grad::dy;
import package::lib::convolution_weight_grad::fourInputsAt;
import package::lib::convolution_weight_grad::inputAt;
import package::lib::convolution_weight_grad::live;
import package::lib::convolution_weight_grad::params;
import package::lib::convolution_weight_grad::partial;

const THREADS = 64u;
const TAPS = 8u;
const MOST = 5u;
// MOST, or 1 where a group has so few that the others would stand idle.
override CHANNELS: u32 = MOST;

@compute @workgroup_size(THREADS)
fn main(@builtin(global_invocation_id) id: vec3u) {
  // Read once: software adapters would read a uniform again at each use.
  let shape = params;
  let across = (shape.kernelWidth + TAPS - 1) / TAPS;
  let tapRows = shape.groupInChannels * shape.kernelHeight;
  // And one for the bias.
  let tiles = tapRows * across + 1;
  let part = id.x / tiles;
  let firstChannel = id.z * shape.groupOutChannels + id.y * CHANNELS;
  if (part >= shape.parts || firstChannel >= shape.outChannels) {
    return;
  }
  let tile = id.x % tiles;
  let ofBias = tile == tiles - 1;
  beyond = select(0.0, 1.0, ofBias);
  let tapRow = tile / across;
  let channel = id.z * shape.groupInChannels + tapRow / shape.kernelHeight;
  let ky = tapRow % shape.kernelHeight;
  let kx = tile % across * TAPS;

  // Channels beyond the last of the group repeat it and are not stored.
  let outSize = shape.outHeight * shape.outWidth;
  let lastChannel = (id.z + 1) * shape.groupOutChannels - 1;
  let at0 = firstChannel * outSize;
  let at1 = min(firstChannel + 1, lastChannel) * outSize;
  let at2 = min(firstChannel + 2, lastChannel) * outSize;
  let at3 = min(firstChannel + 3, lastChannel) * outSize;
  let at4 = min(firstChannel + 4, lastChannel) * outSize;

  // Ten variables and not an array: software adapters keep arrays in memory.
  var l0 = vec4f(); var r0 = vec4f();
  var l1 = vec4f(); var r1 = vec4f();
  var l2 = vec4f(); var r2 = vec4f();
  var l3 = vec4f(); var r3 = vec4f();
  var l4 = vec4f(); var r4 = vec4f();
  let firstX = kx * shape.dilationX - shape.padLeft;
  for (var row = part; row < live.rows * shape.samples * shape.outHeight; row += shape.parts) {
    let sample = row / shape.outHeight;
    let outY = row % shape.outHeight;
    let inY = outY * shape.strideY + ky * shape.dilationY - shape.padTop;
    let inRow = ((sample * shape.inChannels + channel) * shape.inHeight + inY) * shape.inWidth;
    let outRow = sample * shape.outChannels * outSize + outY * shape.outWidth;
    // A row beyond the edge has no width and adds nothing.
    let inside = ofBias || inY < shape.inHeight;
    let width = select(0, shape.inWidth, inside && !ofBias);
    // The inputs that one output meets at the eight taps. Where they slide, they begin one before the first output.
    var left = vec4f(); var right = vec4f();
    if (SLIDING) {
      left = fourInputsAt(inRow, firstX - 1 + FOUR, width);
      right = fourInputsAt(inRow, firstX + 3 + FOUR, width);
    }
    for (var outX = 0u; outX < select(0, shape.outWidth, inside); outX++) {
      if (SLIDING) {
        left = vec4f(left.yzw, right.x);
        right = vec4f(right.yzw, inputAt(inRow, firstX + outX + TAPS - 1, width));
      } else {
        let inX = firstX + outX * shape.strideX;
        left = fourInputsAt(inRow, inX + FOUR * shape.dilationX, width);
        right = fourInputsAt(inRow, inX + (4 + FOUR) * shape.dilationX, width);
      }
      let at = outRow + outX;
      let d0 = vec4f(dy[at + at0]);
      l0 = fma(d0, left, l0); r0 = fma(d0, right, r0);
      if (CHANNELS > 1) {
        let d1 = vec4f(dy[at + at1]);
        let d2 = vec4f(dy[at + at2]);
        let d3 = vec4f(dy[at + at3]);
        let d4 = vec4f(dy[at + at4]);
        l1 = fma(d1, left, l1); r1 = fma(d1, right, r1);
        l2 = fma(d2, left, l2); r2 = fma(d2, right, r2);
        l3 = fma(d3, left, l3); r3 = fma(d3, right, r3);
        l4 = fma(d4, left, l4); r4 = fma(d4, right, r4);
      }
    }
  }

  var left = array<vec4f, MOST>(l0, l1, l2, l3, l4);
  var right = array<vec4f, MOST>(r0, r1, r2, r3, r4);
  for (var i = 0u; i < min(CHANNELS, lastChannel + 1 - firstChannel); i++) {
    let channelAt = (part * shape.outChannels + firstChannel + i) * (tapRows * shape.kernelWidth + 1);
    let at = channelAt + tapRow * shape.kernelWidth + kx;
    for (var j = 0u; j < select(min(TAPS, shape.kernelWidth - kx), 1, ofBias); j++) {
      partial[at + j] = select(right[i][j % 4], left[i][j % 4], j < 4);
    }
  }
}
