// Random changes of images, in this order: y[n, c] = cut(noisy(flipped(shifted(x[n, c])))).
// x, y: [images, channels, height, width]; seed: u32[1], another one each step. What an image draws (its shift, its
// flip, the place of its square) depends on the seed, the stream and its place in the batch, and is the same in all its
// channels. It is drawn in integers, so that every adapter moves the same bits; the noise differs in its last digits.
// Grid: one invocation per 8 pixels that are neighbours in a row, which share the draws of their image.
import package::lib::grid::linearIndex;
import package::lib::live::Live;
import package::lib::random::{multiplyHigh, normalOf, philox};

struct Params {
  // For each live row.
  images: u32,
  channels: u32,
  height: u32,
  width: u32,
  stream: u32,
  // The farthest that an image moves along each axis.
  shift: u32,
  // Probability * 2^31: of 32 bits, the bound of what always happens could not be written.
  flipBelow: u32,
  // Side of the square.
  cutout: u32,
  // Standard deviation.
  noise: f32,
  fill: f32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> seed: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;
@group(0) @binding(4) var<uniform> live: Live;

const THREADS = 64u;
const PIXELS = 8u;
const DRAWS = 3u;

// A whole number below `bound`, from 32 random bits (Lemire 2019, without the rejection: a bias of bound / 2^32).
fn below(bound: u32, word: u32) -> u32 {
  return multiplyHigh(word, bound);
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let shape = params;
  let across = (shape.width + PIXELS - 1) / PIXELS;
  let i = linearIndex(group, local, THREADS);
  let line = i / across;
  let plane = line / shape.height;
  let image = plane / shape.channels;
  if (image >= live.rows * shape.images) {
    return;
  }
  let key = seed[0];
  let row = line % shape.height;
  let first = i % across * PIXELS;

  // Differences wrap around: what lies before the first row or column is beyond every size.
  var shift = vec2u();
  if (shape.shift > 0) {
    let words = philox(vec2u(image * DRAWS, shape.stream), key);
    shift = vec2u(below(2 * shape.shift + 1, words.x), below(2 * shape.shift + 1, words.y)) - shape.shift;
  }
  var flip = false;
  if (shape.flipBelow > 0) {
    flip = (philox(vec2u(image * DRAWS + 1, shape.stream), key).x >> 1) < shape.flipBelow;
  }
  // The square's first row and column.
  var square = vec2u();
  if (shape.cutout > 0) {
    let words = philox(vec2u(image * DRAWS + 2, shape.stream), key);
    square = vec2u(below(shape.height, words.x), below(shape.width, words.y)) - shape.cutout / 2;
  }

  let rowFrom = row - shift.x;
  let lineFrom = (plane * shape.height + rowFrom) * shape.width;
  for (var column = first; column < min(first + PIXELS, shape.width); column++) {
    let columnFrom = select(column, shape.width - 1 - column, flip) - shift.y;
    let inside = rowFrom < shape.height && columnFrom < shape.width;
    var value = select(shape.fill, x[select(0, lineFrom + columnFrom, inside)], inside);
    let at = line * shape.width + column;
    if (shape.noise > 0) {
      // Counted from the end: the draws of the images are counted from the beginning.
      value += shape.noise * normalOf(philox(vec2u(~at, shape.stream), key));
    }
    let cut = row - square.x < shape.cutout && column - square.y < shape.cutout;
    y[at] = select(value, shape.fill, cut);
  }
}
