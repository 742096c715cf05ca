// Two parts of y along an axis: y[outer, offset + i] = a[outer, i], or b[outer, i - aLength] behind the end of a.
// a: [outer, aLength], b: [outer, bLength], y: [outer, yLength], where i counts along the axis and what is behind it,
// of any dtype: the bits move.
// Grid: four elements per invocation, THREADS apart, so that neighbours read neighbours.
// storage: 4 bytes or f16
import package::lib::grid::linearIndex;
import package::lib::live::Live;
import package::lib::word::Word;
@if(f16) enable f16;

struct Params {
  outerPerSample: u32,
  aLength: u32,
  bLength: u32,
  yLength: u32,
  offset: u32,
}

@group(0) @binding(0) var<storage, read> a: array<Word>;
@group(0) @binding(1) var<storage, read> b: array<Word>;
@group(0) @binding(2) var<storage, read_write> y: array<Word>;
@group(0) @binding(3) var<uniform> params: Params;
@group(0) @binding(4) var<uniform> live: Live;

const THREADS = 64u;
const ELEMENTS = 4u;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let shape = params;
  let length = shape.aLength + shape.bLength;
  let start = linearIndex(group, local, THREADS * ELEMENTS);
  let end = live.rows * shape.outerPerSample * length;
  for (var j = 0u; j < ELEMENTS; j++) {
    let i = start + j * THREADS;
    if (i < end) {
      let outer = i / length;
      let along = i % length;
      let at = outer * shape.yLength + shape.offset + along;
      if (along < shape.aLength) {
        y[at] = a[outer * shape.aLength + along];
      } else {
        y[at] = b[outer * shape.bLength + along - shape.aLength];
      }
    }
  }
}
