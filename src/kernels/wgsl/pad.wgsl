// An axis with its positions moved: y[outer, p, behind] = x[outer, source of p, behind], or `fill` where there is none.
// x: [outer, xLength, behind], y: [outer, yLength, behind], of any dtype: the bits move. By MODE, with q = p - before:
// 0 constant: q. 1 reflect: q, turned around at the first and at the last position. 2 edge: the position nearest to q.
// 3 wrap: q modulo xLength. 4 spread: q / step where that is whole. A negative `before` leaves out the first.
// Grid: four elements per invocation, THREADS apart, so that neighbours read neighbours.
// storage: 4 bytes or f16
import package::lib::grid::linearIndex;
import package::lib::live::Live;
import package::lib::word::Word;
import package::lib::word::wordOf;
@if(f16) enable f16;

struct Params {
  outerPerSample: u32,
  xLength: u32,
  yLength: u32,
  behind: u32,
  before: i32,
  step: i32,
  fill: u32,
}

@group(0) @binding(0) var<storage, read> x: array<Word>;
@group(0) @binding(1) var<storage, read_write> y: array<Word>;
@group(0) @binding(2) var<uniform> params: Params;
@group(0) @binding(3) var<uniform> live: Live;

override MODE: u32 = 0;

const THREADS = 64u;
const ELEMENTS = 4u;

// The position in x for position q, which counts from the first of x; any that x does not have if there is none.
fn sourceOf(q: i32) -> i32 {
  let length = i32(params.xLength);
  switch (MODE) {
    case 1u: { return min(abs(q), abs(2 * (length - 1) - q)); }
    case 2u: { return clamp(q, 0, length - 1); }
    case 3u: { return (q % length + length) % length; }
    case 4u: { return select(-1, q / params.step, q % params.step == 0); }
    default: { return q; }
  }
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let shape = params;
  let xPlane = shape.xLength * shape.behind;
  let yPlane = shape.yLength * shape.behind;
  let start = linearIndex(group, local, THREADS * ELEMENTS);
  let end = live.rows * shape.outerPerSample * yPlane;
  for (var j = 0u; j < ELEMENTS; j++) {
    let i = start + j * THREADS;
    if (i < end) {
      // The position and what is behind it, in one number; only what moves positions apart has to tell them apart.
      var source = i32(i % yPlane) - shape.before * i32(shape.behind);
      if (MODE != 0) {
        let behind = i % shape.behind;
        source = sourceOf((source - i32(behind)) / i32(shape.behind)) * i32(shape.behind) + i32(behind);
      }
      if (source >= 0 && source < i32(xPlane)) {
        y[i] = x[i / yPlane * xPlane + u32(source)];
      } else {
        y[i] = wordOf(shape.fill);
      }
    }
  }
}
