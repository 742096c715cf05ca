// Where along an axis the foremost elements are, in their order (lib/order-key.wgsl); one step of a tree whose shape is
// fixed. Each invocation picks the first `keep` out of a chunk of candidates in as many passes, each of which looks for
// what comes behind the one before.
// x: [lines / stride, length, stride], 4 bytes of any dtype; candidates: [lines, count], positions along the axis; in
// the FIRST step all of them; y: [lines / yStride, total, yStride], total the sum of what is kept of each chunk.
// Grid: one invocation per line and chunk.
// storage: 4 bytes or f16
import package::lib::grid::linearIndex;
import package::lib::live::Live;
import package::lib::order_key::orderKey;
import package::lib::word::Word;
import package::lib::word::bitsOf;
@if(f16) enable f16;

struct Params {
  linesPerSample: u32,
  length: u32,
  stride: u32,
  count: u32,
  chunk: u32,
  chunks: u32,
  keep: u32,
  total: u32,
  yStride: u32,
  dtype: u32,
  order: u32,
  // 1 if of equal elements the last comes first
  last: u32,
}

@group(0) @binding(0) var<storage, read> x: array<Word>;
@group(0) @binding(1) var<storage, read> candidates: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<u32>;
@group(0) @binding(3) var<uniform> params: Params;
@group(0) @binding(4) var<uniform> live: Live;

override FIRST: bool = true;

const THREADS = 64u;

struct Element {
  key: u32,
  at: u32,
}

fn elementOf(line: u32, index: u32) -> Element {
  var at = index;
  if (!FIRST) {
    at = candidates[line * params.count + index];
  }
  let place = (line / params.stride * params.length + at) * params.stride + line % params.stride;
  return Element(orderKey(bitsOf(x[place]), params.dtype, params.order), at);
}

fn isBefore(p: Element, q: Element) -> bool {
  let wins = select(q.at > p.at, p.at > q.at, params.last == 1);
  return p.key > q.key || (p.key == q.key && wins);
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let index = linearIndex(group, local, THREADS);
  if (index >= live.rows * params.linesPerSample * params.chunks) {
    return;
  }
  let line = index / params.chunks;
  let chunk = index % params.chunks;
  let start = chunk * params.chunk;
  let end = min(start + params.chunk, params.count);
  let kept = min(params.keep, end - start);
  let first = (line / params.yStride * params.total + chunk * params.keep) * params.yStride + line % params.yStride;

  var previous: Element;
  for (var j = 0u; j < kept; j++) {
    var best: Element;
    var found = false;
    for (var i = start; i < end; i++) {
      let element = elementOf(line, i);
      let open = j == 0 || isBefore(previous, element);
      if (open && (!found || isBefore(element, best))) {
        best = element;
        found = true;
      }
    }
    y[first + j * params.yStride] = best.at;
    previous = best;
  }
}
