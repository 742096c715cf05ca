// Moves the rows that stay to the front, in place and in order: x[k] = x[order[k]] for k < live.rows.
// x: [rows, size], in items of one number or, for the variant, of four; order: u32[rows], ascending, so order[k] >= k.
// Grid: one invocation per column. No other touches its elements, and each source lies at or behind its place: nothing
// is overwritten before it is read, and no barrier needed.
// storage: 4 bytes or f16
// variants: four
import package::lib::grid::linearIndex;
import package::lib::live::Live;
@if(!four) import package::lib::word::Word;
@if(four) import package::lib::word::Words;
@if(f16) enable f16;

@if(four) alias Item = Words;
@if(!four) alias Item = Word;

struct Params {
  size: u32,
}

@group(0) @binding(0) var<storage, read_write> x: array<Item>;
@group(0) @binding(1) var<storage, read> order: array<u32>;
@group(0) @binding(2) var<uniform> params: Params;
@group(0) @binding(3) var<uniform> live: Live;

// The first row that moves: order[k] - k never falls, so bisection finds it.
fn firstMoved(rows: u32) -> u32 {
  var low = 0u;
  var high = rows;
  for (; low < high;) {
    let middle = (low + high) / 2;
    if (order[middle] > middle) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let column = linearIndex(group, local, 64);
  let rows = live.rows;
  if (column >= params.size || rows == 0 || order[rows - 1] == rows - 1) {
    return;
  }
  let size = params.size;
  var k = firstMoved(rows);
  // Four at a time: their loads need not wait for one another.
  for (; k + 4 <= rows; k += 4) {
    let a = x[order[k] * size + column];
    let b = x[order[k + 1] * size + column];
    let c = x[order[k + 2] * size + column];
    let d = x[order[k + 3] * size + column];
    x[k * size + column] = a;
    x[(k + 1) * size + column] = b;
    x[(k + 2) * size + column] = c;
    x[(k + 3) * size + column] = d;
  }
  for (; k < rows; k++) {
    x[k * size + column] = x[order[k] * size + column];
  }
}
