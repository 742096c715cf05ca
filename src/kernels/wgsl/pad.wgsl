// An axis moved, and zeros put where nothing came from: y[outer, i] = x[outer, i - before], or 0 where x has no such i.
// x: [outer, xLength], y: [outer, yLength], where i counts along the axis and what is behind it, of any dtype: the
// bits move. A negative `before` leaves out the first.
// Grid: four elements per invocation, THREADS apart, so that neighbours read neighbours.
import package::lib::grid::linearIndex;
import package::lib::live::Live;

struct Params {
  outerPerSample: u32,
  xLength: u32,
  yLength: u32,
  before: i32,
}

@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;
@group(0) @binding(2) var<uniform> params: Params;
@group(0) @binding(3) var<uniform> live: Live;

const THREADS = 64u;
const ELEMENTS = 4u;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let shape = params;
  let start = linearIndex(group, local, THREADS * ELEMENTS);
  let end = live.rows * shape.outerPerSample * shape.yLength;
  for (var j = 0u; j < ELEMENTS; j++) {
    let i = start + j * THREADS;
    if (i < end) {
      let source = i32(i % shape.yLength) - shape.before;
      if (source >= 0 && source < i32(shape.xLength)) {
        y[i] = x[i / shape.yLength * shape.xLength + u32(source)];
      } else {
        y[i] = 0u;
      }
    }
  }
}
