// Elements in another order, some of them left out, turned around or repeated: y[c0, c1, ...] = x[offset + sum of
// ci * stride i]. y: [sizePerSample * samples] through its axes; x of any dtype: the bits move. Strides and offset are
// modulo 2^32, so that those that lead back need no sign.
// Grid: four elements per invocation, THREADS apart, so that neighbours write neighbours.
// storage: 4 bytes or f16
import package::lib::grid::linearIndex;
import package::lib::live::Live;
import package::lib::word::Word;
@if(f16) enable f16;

struct Params {
  // From the outermost to the innermost: length, stride in x.
  axes: array<vec4u, 6>,
  rank: u32,
  sizePerSample: u32,
  offset: u32,
}

@group(0) @binding(0) var<storage, read> x: array<Word>;
@group(0) @binding(1) var<storage, read_write> y: array<Word>;
@group(0) @binding(2) var<uniform> params: Params;
@group(0) @binding(3) var<uniform> live: Live;

const THREADS = 64u;
const ELEMENTS = 4u;

// The outermost axis takes what is left and so needs no division.
fn sourceOf(index: u32) -> u32 {
  var rest = index;
  var at = params.offset;
  for (var axis = params.rank - 1; axis > 0; axis--) {
    let current = params.axes[axis];
    at += rest % current.x * current.y;
    rest /= current.x;
  }
  return at + rest * params.axes[0].y;
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let start = linearIndex(group, local, THREADS * ELEMENTS);
  let end = live.rows * params.sizePerSample;
  for (var j = 0u; j < ELEMENTS; j++) {
    let i = start + j * THREADS;
    if (i < end) {
      y[i] = x[sourceOf(i)];
    }
  }
}
