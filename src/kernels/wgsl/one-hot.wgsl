// y[outer, c, behind] = on where c is the place of indices[outer, behind], else off; all off where it has no place.
// indices: [outer, behind], y: [outer, depth, behind] of any dtype: on and off are bits.
// Grid: four elements per invocation, THREADS apart, so that neighbours write neighbours.
import package::lib::grid::linearIndex;
import package::lib::live::Live;
import package::lib::place::placeOf;

struct Params {
  sizePerSample: u32,
  depth: u32,
  behind: u32,
  // 1 if negative indices count from the end
  isSigned: u32,
  on: u32,
  off: u32,
}

@group(0) @binding(0) var<storage, read> indices: array<u32>;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;
@group(0) @binding(2) var<uniform> params: Params;
@group(0) @binding(3) var<uniform> live: Live;

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
      let index = row / shape.depth * shape.behind + i % shape.behind;
      let place = placeOf(indices[index], shape.depth, shape.isSigned);
      y[i] = select(shape.off, shape.on, row % shape.depth == place);
    }
  }
}
