// Gradient of a convolution by its input: dx[n, c, inY, inX] = sum over o, ky, kx of weight[o, c, ky, kx] *
// dy[n, o, outY, outX], over the taps that lead from an output to this input: inY + padTop = outY * strideY + ky *
// dilationY, and so along x.
// Layouts as in conv2d.wgsl. An element of dx is one chain of fma over o, ky, kx; or the gradient before an activation
// whose result is `activated`, of which that is the gradient.
// Grid: [tiles, channels / 5]: an invocation computes 5 channels of 8 pixels of a row that are strideX apart, since
// such pixels are reached by the same taps, from outputs that are neighbours.
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
@group(0) @binding(2) var<storage, read> activated: array<f32>;
@group(0) @binding(3) var<storage, read_write> dx: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;
@group(0) @binding(5) var<uniform> live: Live;

// outStepX is 1: each tap that reaches an input reads the output just before that of the last one.
override SLIDING: bool = true;
override ACTIVATION_GRAD: u32 = 0;

const THREADS = 64u;
const PIXELS = 8u;
const CHANNELS = 5u;
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

// The first tap that reaches a position of the padded input; none: `kernel`.
fn firstTap(position: u32, kernel: u32, stride: u32, dilation: u32) -> u32 {
  for (var tap = 0u; tap < kernel; tap++) {
    if (tap * dilation % stride == position % stride) {
      return tap;
    }
  }
  return kernel;
}

// The output that a tap reads there. Before the first one it wraps around to more than any size.
fn outputOf(position: u32, tap: u32, stride: u32, dilation: u32) -> u32 {
  return u32(i32(position - tap * dilation) / i32(stride));
}

@compute @workgroup_size(THREADS)
fn main(@builtin(global_invocation_id) id: vec3u) {
  // Read once: software adapters would read a uniform again at each use.
  let shape = params;
  let span = PIXELS * shape.strideX;
  let across = (shape.inWidth + span - 1) / span * shape.strideX;
  let inRow = id.x / across;
  let sample = inRow / shape.inHeight;
  let firstChannel = id.y * CHANNELS;
  if (sample >= live.rows * shape.samples || firstChannel >= shape.inChannels) {
    return;
  }
  let inY = inRow % shape.inHeight;
  let tile = id.x % across;
  let inX = tile / shape.strideX * span + tile % shape.strideX;
  let positionY = inY + shape.padTop;
  let positionX = inX + shape.padLeft;
  let firstY = firstTap(positionY, shape.kernelHeight, shape.strideY, shape.dilationY);
  let firstX = firstTap(positionX, shape.kernelWidth, shape.strideX, shape.dilationX);
  let firstOutY = outputOf(positionY, firstY, shape.strideY, shape.dilationY);
  let firstOutX = outputOf(positionX, firstX, shape.strideX, shape.dilationX);

  // Channels beyond the last repeat it and are not stored.
  let taps = shape.kernelHeight * shape.kernelWidth;
  let lastChannel = shape.inChannels - 1;
  let at0 = firstChannel * taps;
  let at1 = min(firstChannel + 1, lastChannel) * taps;
  let at2 = min(firstChannel + 2, lastChannel) * taps;
  let at3 = min(firstChannel + 3, lastChannel) * taps;
  let at4 = min(firstChannel + 4, lastChannel) * taps;

  // Ten variables and not an array: software adapters keep arrays in memory.
  var l0 = vec4f(); var r0 = vec4f();
  var l1 = vec4f(); var r1 = vec4f();
  var l2 = vec4f(); var r2 = vec4f();
  var l3 = vec4f(); var r3 = vec4f();
  var l4 = vec4f(); var r4 = vec4f();
  for (var channel = 0u; channel < shape.outChannels; channel++) {
    let plane = (sample * shape.outChannels + channel) * shape.outHeight;
    var outY = firstOutY;
    for (var ky = firstY; ky < shape.kernelHeight; ky += shape.tapStepY) {
      let outRow = (plane + outY) * shape.outWidth;
      // A row beyond the edge has no width and adds nothing.
      let inside = outY < shape.outHeight;
      let width = select(0, shape.outWidth, inside);
      outY -= shape.outStepY;
      // The outputs of one tap. Where they slide, they begin one after the first tap.
      var left = vec4f(); var right = vec4f();
      if (SLIDING) {
        left = fourOutputsAt(outRow, firstOutX + 1, width);
        right = fourOutputsAt(outRow, firstOutX + 5, width);
      }
      var outX = firstOutX;
      for (var kx = firstX; kx < select(0, shape.kernelWidth, inside); kx += shape.tapStepX) {
        if (SLIDING) {
          right = vec4f(left.w, right.xyz);
          left = vec4f(outputAt(outRow, outX, width), left.xyz);
        } else {
          left = fourOutputsAt(outRow, outX, width);
          right = fourOutputsAt(outRow, outX + 4, width);
        }
        outX -= shape.outStepX;
        let tap = channel * shape.inChannels * taps + ky * shape.kernelWidth + kx;
        let w0 = vec4f(weight[at0 + tap]);
        let w1 = vec4f(weight[at1 + tap]);
        let w2 = vec4f(weight[at2 + tap]);
        let w3 = vec4f(weight[at3 + tap]);
        let w4 = vec4f(weight[at4 + tap]);
        l0 = fma(w0, left, l0); r0 = fma(w0, right, r0);
        l1 = fma(w1, left, l1); r1 = fma(w1, right, r1);
        l2 = fma(w2, left, l2); r2 = fma(w2, right, r2);
        l3 = fma(w3, left, l3); r3 = fma(w3, right, r3);
        l4 = fma(w4, left, l4); r4 = fma(w4, right, r4);
      }
    }
  }

  var left = array<vec4f, CHANNELS>(l0, l1, l2, l3, l4);
  var right = array<vec4f, CHANNELS>(r0, r1, r2, r3, r4);
  for (var i = 0u; i < min(CHANNELS, shape.inChannels - firstChannel); i++) {
    let at = ((sample * shape.inChannels + firstChannel + i) * shape.inHeight + inY) * shape.inWidth;
    for (var j = 0u; j < PIXELS; j++) {
      let column = inX + j * shape.strideX;
      if (column < shape.inWidth) {
        var grad = select(right[i][j % 4], left[i][j % 4], j < 4);
        if (ACTIVATION_GRAD != 0) {
          grad = activationGrad(ACTIVATION_GRAD, activated[at + column], grad);
        }
        dx[at + column] = grad;
      }
    }
  }
}
