// The convolution of lib/convolution, without subgroups.
// Grid: [tiles, channels / CHANNELS, groups]: an invocation computes 5 channels, or 1, of 8 pixels that are neighbours
// in a row, or in two.
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
import package::lib::convolution::x;
import package::lib::convolution::y;
import package::lib::extremes::greater;
@if(f16) enable f16;

const THREADS = 64u;
const PIXELS = 8u;
// Loads are what costs: 5 x 8 sums need fewer for each product than 4 x 8, and larger tiles no longer pay.
const MOST = 5u;
// MOST, or 1 where a group has so few that the others would stand idle.
override CHANNELS: u32 = MOST;

@compute @workgroup_size(THREADS)
fn main(@builtin(global_invocation_id) id: vec3u) {
  // Read once: software adapters would read a uniform again at each use.
  let shape = params;
  let across = (shape.outWidth + PIXELS - 1) / PIXELS;
  let tileRows = select(shape.outHeight, shape.outHeight / 2, POOL);
  let tileRow = id.x / across;
  let sample = tileRow / tileRows;
  let firstChannel = id.z * shape.groupOutChannels + id.y * CHANNELS;
  if (sample >= live.rows * shape.samples || firstChannel >= shape.outChannels) {
    return;
  }
  let outX = id.x % across * PIXELS;
  let firstX = outX * shape.strideX - shape.padLeft;

  // Channels beyond the last of the group repeat it and are not stored.
  let taps = shape.groupInChannels * shape.kernelHeight * shape.kernelWidth;
  let lastChannel = (id.z + 1) * shape.groupOutChannels - 1;
  let at0 = firstChannel * taps;
  let at1 = min(firstChannel + 1, lastChannel) * taps;
  let at2 = min(firstChannel + 2, lastChannel) * taps;
  let at3 = min(firstChannel + 3, lastChannel) * taps;
  let at4 = min(firstChannel + 4, lastChannel) * taps;

  // Not a constant: drivers would unroll the loop, and compile for twice as long.
  let height = select(1u, min(2, shape.outHeight), POOL);
  // Of the windows' upper rows.
  var above = array<vec4f, MOST>();
  for (var windowRow = 0u; windowRow < height; windowRow++) {
    let outY = tileRow % tileRows * height + windowRow;
    let firstY = outY * shape.strideY - shape.padTop;

    // Ten variables and not an array: software adapters keep arrays in memory.
    var l0 = vec4f(); var r0 = vec4f();
    var l1 = vec4f(); var r1 = vec4f();
    var l2 = vec4f(); var r2 = vec4f();
    var l3 = vec4f(); var r3 = vec4f();
    var l4 = vec4f(); var r4 = vec4f();
    for (var channel = 0u; channel < shape.groupInChannels; channel++) {
      let inChannel = sample * shape.inChannels + id.z * shape.groupInChannels + channel;
      let plane = inChannel * shape.inHeight;
      for (var ky = 0u; ky < shape.kernelHeight; ky++) {
        let inY = firstY + ky * shape.dilationY;
        let inRow = (plane + inY) * shape.inWidth;
        // A row beyond the edge has no width.
        let width = select(0, shape.inWidth, inY < shape.inHeight);
        // The inputs of one tap. Where they slide, they begin one before the first tap.
        var left = vec4f(); var right = vec4f();
        if (SLIDING) {
          left = fourInputsAt(inRow, firstX - 1 + FOUR, width);
          right = fourInputsAt(inRow, firstX + 3 + FOUR, width);
        }
        for (var kx = 0u; kx < shape.kernelWidth; kx++) {
          let inX = firstX + kx * shape.dilationX;
          if (SLIDING) {
            left = vec4f(left.yzw, right.x);
            right = vec4f(right.yzw, inputAt(inRow, inX + PIXELS - 1, width));
          } else {
            left = fourInputsAt(inRow, inX + FOUR * shape.strideX, width);
            right = fourInputsAt(inRow, inX + (4 + FOUR) * shape.strideX, width);
          }
          let tap = (channel * shape.kernelHeight + ky) * shape.kernelWidth + kx;
          let w0 = vec4f(f32(weight[at0 + tap]));
          l0 = fma(w0, left, l0); r0 = fma(w0, right, r0);
          if (CHANNELS > 1) {
            let w1 = vec4f(f32(weight[at1 + tap]));
            let w2 = vec4f(f32(weight[at2 + tap]));
            let w3 = vec4f(f32(weight[at3 + tap]));
            let w4 = vec4f(f32(weight[at4 + tap]));
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
    for (var i = 0u; i < min(CHANNELS, lastChannel + 1 - firstChannel); i++) {
      let channel = firstChannel + i;
      let finish = finishOf(channel);
      let l = finishFour(left[i], finish);
      let r = finishFour(right[i], finish);
      let plane = (sample * shape.outChannels + channel) * tileRows;
      if (POOL) {
        let widest = vec4f(greater(l.x, l.y), greater(l.z, l.w), greater(r.x, r.y), greater(r.z, r.w));
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
          y[at + j] = activated(select(r[j % 4], l[j % 4], j < 4), at + j);
        }
      }
    }
  }
}
