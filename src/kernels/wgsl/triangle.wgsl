// One triangle of each matrix, zeros in the other: y[row, column] = x[row, column] where column <= row + diagonal, or
// >= of the upper one. x, y: [matrices, rows, columns] of any dtype: the bits move.
// Grid: four elements per invocation, THREADS apart, so that neighbours read neighbours.
// storage: 4 bytes or f16
import package::lib::grid::linearIndex;
import package::lib::live::Live;
import package::lib::word::Word;
@if(f16) enable f16;

struct Params {
  sizePerSample: u32,
  rows: u32,
  columns: u32,
  diagonal: i32,
  // 1 for the upper one
  upper: u32,
}

@group(0) @binding(0) var<storage, read> x: array<Word>;
@group(0) @binding(1) var<storage, read_write> y: array<Word>;
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
      // How far right of the diagonal that is meant.
      let right = i32(i % shape.columns) - i32(i / shape.columns % shape.rows) - shape.diagonal;
      y[i] = select(Word(0), x[i], select(right <= 0, right >= 0, shape.upper == 1));
    }
  }
}
