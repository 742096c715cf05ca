// Sums or products of all elements up to each one along an axis: y[i] = start + x[0] + .. + x[i], added one after the
// other within a chunk; exclusive: without x[i]; reverse: from the other end.
// x, y: [lines / stride, length, stride]; start, where CHUNKED: [lines, chunks], what stands before each chunk.
// Integers, signed or not, wrap around to the same bits.
// Grid: one invocation per line and chunk.
// variants: integers
import package::lib::grid::linearIndex;
import package::lib::live::Live;

@if(integers) alias Element = u32;
@else alias Element = f32;

struct Params {
  linesPerSample: u32,
  length: u32,
  stride: u32,
  chunk: u32,
  chunks: u32,
  // 1 for those that leave out the element itself, or go from the last to the first
  exclusive: u32,
  reverse: u32,
}

@group(0) @binding(0) var<storage, read> x: array<Element>;
@group(0) @binding(1) var<storage, read> start: array<Element>;
@group(0) @binding(2) var<storage, read_write> y: array<Element>;
@group(0) @binding(3) var<uniform> params: Params;
@group(0) @binding(4) var<uniform> live: Live;

override PRODUCT: bool = false;
override CHUNKED: bool = false;

const THREADS = 64u;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let index = linearIndex(group, local, THREADS);
  if (index >= live.rows * params.linesPerSample * params.chunks) {
    return;
  }
  let line = index / params.chunks;
  let stride = params.stride;
  let lineAt = line / stride * stride * params.length + line % stride;
  let first = index % params.chunks * params.chunk;
  let last = min(first + params.chunk, params.length) - 1;

  var total = select(Element(0), Element(1), PRODUCT);
  if (CHUNKED) {
    total = start[index];
  }
  for (var i = first; i <= last; i++) {
    let at = lineAt + select(i, first + last - i, params.reverse == 1) * stride;
    let before = total;
    if (PRODUCT) {
      total *= x[at];
    } else {
      total += x[at];
    }
    y[at] = select(total, before, params.exclusive == 1);
  }
}
