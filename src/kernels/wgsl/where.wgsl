// Element-wise y = condition ? a : b with broadcasting, where any number but 0 is true.
// y: [sizePerSample * samples]; condition, a and b through the strides of lib/broadcast; a, b and y of any one dtype:
// the bits move.
// Grid: four elements per invocation, THREADS apart, so that neighbours read neighbours.
// storage: 4 bytes or f16
import package::lib::broadcast::live;
import package::lib::broadcast::operandsOf;
import package::lib::broadcast::params;
import package::lib::grid::linearIndex;
import package::lib::word::Word;
@if(f16) enable f16;

@group(0) @binding(2) var<storage, read> condition: array<u32>;
@group(0) @binding(3) var<storage, read> a: array<Word>;
@group(0) @binding(4) var<storage, read> b: array<Word>;
@group(0) @binding(5) var<storage, read_write> y: array<Word>;

const THREADS = 64u;
const ELEMENTS = 4u;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let start = linearIndex(group, local, THREADS * ELEMENTS);
  let end = live.rows * params.sizePerSample;
  if (start >= end) {
    return;
  }
  for (var j = 0u; j < ELEMENTS; j++) {
    let i = start + j * THREADS;
    if (i < end) {
      let at = operandsOf(i);
      y[i] = select(b[at.z], a[at.y], condition[at.x] != 0);
    }
  }
}
