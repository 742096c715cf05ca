// Gradient of a convolution by weight and bias, in parts: partial[p, o, (c, ky, kx)] = sum over n, outY, outX of
// dy[n, o, outY, outX] * x[n, c, inY, inX] with inY = outY * strideY + ky * dilationY - padTop, and so along x; and
// partial[p, o, last] the sum of dy alone: the bias is the weight of an input that is 1 everywhere.
// Part p has the output rows n * outHeight + outY that are p modulo the number of parts, in order: its bits do not
// depend on how many come after. A part that no live row belongs to is 0.
// Layouts as in conv2d.wgsl. partial: [parts, outChannels, inChannels * kernelHeight * kernelWidth + 1]
// Grid: [tiles, outChannels / 5]: an invocation computes 5 output channels of up to 8 taps of a row of the kernel.
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
  kernelHeight: u32,
  kernelWidth: u32,
  strideY: u32,
  strideX: u32,
  dilationY: u32,
  dilationX: u32,
  padTop: u32,
  padLeft: u32,
  parts: u32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read_write> partial: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;
@group(0) @binding(4) var<uniform> live: Live;

// Stride and dilation along x are 1: neighbouring taps of neighbouring pixels read the same elements.
override SLIDING: bool = true;

const THREADS = 64u;
const TAPS = 8u;
const CHANNELS = 5u;
const FOUR = vec4u(0, 1, 2, 3);

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

@compute @workgroup_size(THREADS)
fn main(@builtin(global_invocation_id) id: vec3u) {
  // Read once: software adapters would read a uniform again at each use.
  let shape = params;
  let across = (shape.kernelWidth + TAPS - 1) / TAPS;
  let tapRows = shape.inChannels * shape.kernelHeight;
  // And one for the bias.
  let tiles = tapRows * across + 1;
  let part = id.x / tiles;
  let firstChannel = id.y * CHANNELS;
  if (part >= shape.parts || firstChannel >= shape.outChannels) {
    return;
  }
  let tile = id.x % tiles;
  let ofBias = tile == tiles - 1;
  beyond = select(0.0, 1.0, ofBias);
  let tapRow = tile / across;
  let channel = tapRow / shape.kernelHeight;
  let ky = tapRow % shape.kernelHeight;
  let kx = tile % across * TAPS;

  // Channels beyond the last repeat it and are not stored.
  let outSize = shape.outHeight * shape.outWidth;
  let lastChannel = shape.outChannels - 1;
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
      let d1 = vec4f(dy[at + at1]);
      let d2 = vec4f(dy[at + at2]);
      let d3 = vec4f(dy[at + at3]);
      let d4 = vec4f(dy[at + at4]);
      l0 = fma(d0, left, l0); r0 = fma(d0, right, r0);
      l1 = fma(d1, left, l1); r1 = fma(d1, right, r1);
      l2 = fma(d2, left, l2); r2 = fma(d2, right, r2);
      l3 = fma(d3, left, l3); r3 = fma(d3, right, r3);
      l4 = fma(d4, left, l4); r4 = fma(d4, right, r4);
    }
  }

  var left = array<vec4f, CHANNELS>(l0, l1, l2, l3, l4);
  var right = array<vec4f, CHANNELS>(r0, r1, r2, r3, r4);
  for (var i = 0u; i < min(CHANNELS, shape.outChannels - firstChannel); i++) {
    let channelAt = (part * shape.outChannels + firstChannel + i) * (tapRows * shape.kernelWidth + 1);
    let at = channelAt + tapRow * shape.kernelWidth + kx;
    for (var j = 0u; j < select(min(TAPS, shape.kernelWidth - kx), 1, ofBias); j++) {
      partial[at + j] = select(right[i][j % 4], left[i][j % 4], j < 4);
    }
  }
}
