// Gradient of maximum pooling where no windows overlap: each cell of stride x stride inputs holds at most one window, whose
// first maximum, in row-major order, takes its dy; the other inputs of the cell take 0.
// Layouts and positions as in pool2d.wgsl. Grid: one invocation per cell.
import package::lib::float_bits::isNanBits;
import package::lib::grid::linearIndex;
import package::lib::live::Live;

struct Params {
  // For each live row.
  planes: u32,
  inHeight: u32,
  inWidth: u32,
  outHeight: u32,
  outWidth: u32,
  kernelHeight: u32,
  kernelWidth: u32,
  strideY: u32,
  strideX: u32,
  padTop: u32,
  padLeft: u32,
  // Cells that cover the input.
  cellsDown: u32,
  cellsAcross: u32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read_write> dx: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;
@group(0) @binding(4) var<uniform> live: Live;

const THREADS = 64u;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  // Read once: software adapters would read a uniform again at each use.
  let shape = params;
  let index = linearIndex(group, local, THREADS);
  let plane = index / (shape.cellsDown * shape.cellsAcross);
  if (plane >= live.rows * shape.planes) {
    return;
  }
  let cellY = index / shape.cellsAcross % shape.cellsDown;
  let cellX = index % shape.cellsAcross;
  let top = cellY * shape.strideY;
  let left = cellX * shape.strideX;
  let firstY = max(top, shape.padTop) - shape.padTop;
  let firstX = max(left, shape.padLeft) - shape.padLeft;
  let endY = min(top + shape.strideY - shape.padTop, shape.inHeight);
  let endX = min(left + shape.strideX - shape.padLeft, shape.inWidth);
  let windowEndY = top + shape.kernelHeight - shape.padTop;
  let windowEndX = left + shape.kernelWidth - shape.padLeft;

  let planeAt = plane * shape.inHeight;
  var found = (planeAt + firstY) * shape.inWidth + firstX;
  var greatest = x[found];
  for (var row = firstY; row < endY; row++) {
    for (var column = firstX; column < endX; column++) {
      let at = (planeAt + row) * shape.inWidth + column;
      let value = x[at];
      dx[at] = 0.0;
      if (row < windowEndY && column < windowEndX && (value > greatest || isNanBits(bitcast<u32>(value)))) {
        greatest = value;
        found = at;
      }
    }
  }
  if (cellY < shape.outHeight && cellX < shape.outWidth) {
    dx[found] = dy[(plane * shape.outHeight + cellY) * shape.outWidth + cellX];
  }
}
