// Positions picked along an axis: y[outer, j, behind] = x[outer, place, behind], or `fill` where there is no such
// place.
// x: [outer, length, behind] of any dtype: the bits move; y: [outer, count, behind]. The place is that of
// indices[j], or, with EACH, of an index for each element of y.
// Grid: four elements per invocation, THREADS apart, so that neighbours read neighbours.
// storage: 4 bytes or f16
import package::lib::grid::linearIndex;
import package::lib::live::Live;
import package::lib::place::placeOf;
import package::lib::word::Word;
import package::lib::word::wordOf;
@if(f16) enable f16;

struct Params {
  sizePerSample: u32,
  count: u32,
  behind: u32,
  length: u32,
  // 1 if negative indices count from the end
  isSigned: u32,
  fill: u32,
}

@group(0) @binding(0) var<storage, read> x: array<Word>;
@group(0) @binding(1) var<storage, read> indices: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<Word>;
@group(0) @binding(3) var<uniform> params: Params;
@group(0) @binding(4) var<uniform> live: Live;

override EACH: bool = false;

const THREADS = 64u;
const ELEMENTS = 4u;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let shape = params;
  let start = linearIndex(group, local, THREADS * ELEMENTS);
  let end = live.rows * shape.sizePerSample;
  for (var k = 0u; k < ELEMENTS; k++) {
    let i = start + k * THREADS;
    if (i < end) {
      let row = i / shape.behind;
      let place = placeOf(indices[select(row % shape.count, i, EACH)], shape.length, shape.isSigned);
      var word = wordOf(shape.fill);
      if (place < shape.length) {
        word = x[(row / shape.count * shape.length + place) * shape.behind + i % shape.behind];
      }
      y[i] = word;
    }
  }
}
