// Element-wise comparisons and logic with broadcasting, y = 1 where they hold, else 0, chosen by OP (the list is that
// of compare.ts). a and b are compared as integers in the same order, so that numbers below 2^-126 count on every
// adapter; NaN differs from everything and is neither less nor greater.
// y: [sizePerSample * samples]; a and b, bits of the dtype KIND, through the strides of lib/broadcast.
// Grid: four elements per invocation, THREADS apart, so that neighbours read neighbours.
// storage: 4 bytes or f16
import package::lib::broadcast::live;
import package::lib::broadcast::operandsOf;
import package::lib::broadcast::params;
import package::lib::float_bits::isNanBits;
import package::lib::grid::linearIndex;
import package::lib::order_key::orderKey;
import package::lib::word::Word;
import package::lib::word::bitsOf;
@if(f16) enable f16;

@group(0) @binding(2) var<storage, read> a: array<Word>;
@group(0) @binding(3) var<storage, read> b: array<Word>;
@group(0) @binding(4) var<storage, read_write> y: array<u32>;

override OP: u32 = 0;
// 0 f32, 1 i32, 2 u32
override KIND: u32 = 0;

const THREADS = 64u;
const ELEMENTS = 4u;

fn holds(p: u32, q: u32) -> bool {
  if (KIND == 0 && (isNanBits(p) || isNanBits(q))) {
    return OP == 1;
  }
  let left = orderKey(p, KIND, 0);
  let right = orderKey(q, KIND, 0);
  switch (OP) {
    case 1u: { return left != right; }
    case 2u: { return left < right; }
    case 3u: { return left <= right; }
    case 4u: { return left > right; }
    case 5u: { return left >= right; }
    case 6u: { return p != 0 && q != 0; }
    case 7u: { return p != 0 || q != 0; }
    case 8u: { return (p != 0) != (q != 0); }
    default: { return left == right; }
  }
}

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
      y[i] = select(0u, 1u, holds(bitsOf(a[at.x]), bitsOf(b[at.y])));
    }
  }
}
