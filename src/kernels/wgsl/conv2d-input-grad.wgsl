// The gradient of lib/convolution-input-grad, for any stride, without subgroups.
// Grid: [tiles, channels / CHANNELS, groups]: an invocation computes 5 channels, or 1, of 8 pixels of a row that are
// strideX apart, since such pixels are reached by the same taps, from outputs that are neighbours.
import package::lib::convolution::SLIDING;
import package::lib::convolution_input_grad::dx;
import package::lib::convolution_input_grad::finish;
import package::lib::convolution_input_grad::fourOutputsAt;
import package::lib::convolution_input_grad::live;
import package::lib::convolution_input_grad::outputAt;
import package::lib::convolution_input_grad::params;
import package::lib::convolution_input_grad::weight;

const THREADS = 64u;
const PIXELS = 8u;
const MOST = 5u;
// MOST, or 1 where a group has so few that the others would stand idle.
override CHANNELS: u32 = MOST;

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
  let firstChannel = id.z * shape.groupInChannels + id.y * CHANNELS;
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

  // Channels beyond the last of the group repeat it and are not stored.
  let taps = shape.kernelHeight * shape.kernelWidth;
  let first = id.y * CHANNELS;
  let last = shape.groupInChannels - 1;
  let at0 = first * taps;
  let at1 = min(first + 1, last) * taps;
  let at2 = min(first + 2, last) * taps;
  let at3 = min(first + 3, last) * taps;
  let at4 = min(first + 4, last) * taps;

  // Ten variables and not an array: software adapters keep arrays in memory.
  var l0 = vec4f(); var r0 = vec4f();
  var l1 = vec4f(); var r1 = vec4f();
  var l2 = vec4f(); var r2 = vec4f();
  var l3 = vec4f(); var r3 = vec4f();
  var l4 = vec4f(); var r4 = vec4f();
  for (var i = 0u; i < shape.groupOutChannels; i++) {
    let channel = id.z * shape.groupOutChannels + i;
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
        let tap = channel * shape.groupInChannels * taps + ky * shape.kernelWidth + kx;
        let w0 = vec4f(weight[at0 + tap]);
        l0 = fma(w0, left, l0); r0 = fma(w0, right, r0);
        if (CHANNELS > 1) {
          let w1 = vec4f(weight[at1 + tap]);
          let w2 = vec4f(weight[at2 + tap]);
          let w3 = vec4f(weight[at3 + tap]);
          let w4 = vec4f(weight[at4 + tap]);
          l1 = fma(w1, left, l1); r1 = fma(w1, right, r1);
          l2 = fma(w2, left, l2); r2 = fma(w2, right, r2);
          l3 = fma(w3, left, l3); r3 = fma(w3, right, r3);
          l4 = fma(w4, left, l4); r4 = fma(w4, right, r4);
        }
      }
    }
  }

  var left = array<vec4f, MOST>(l0, l1, l2, l3, l4);
  var right = array<vec4f, MOST>(r0, r1, r2, r3, r4);
  for (var i = 0u; i < min(CHANNELS, shape.groupInChannels - first); i++) {
    let channel = firstChannel + i;
    let at = ((sample * shape.inChannels + channel) * shape.inHeight + inY) * shape.inWidth;
    // Not a loop that drivers can count: they would unroll it, and compile for twice as long.
    var j = 0u;
    for (var column = inX; column < min(inX + span, shape.inWidth); column += shape.strideX) {
      let sum = select(right[i][j % 4], left[i][j % 4], j < 4);
      dx[at + column] = finish(sum, at + column, channel);
      j++;
    }
  }
}
