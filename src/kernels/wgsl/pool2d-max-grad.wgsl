// Gradient of maximum pooling: dx[plane, inY, inX] = sum of dy over the windows whose first maximum, in row-major
// order, stands there. The maxima are sought again in x instead of being kept. Or the gradient before an activation
// whose result is `activated`, of which dx is the gradient.
// Layouts and positions as in lib/pooling.wgsl.
// Grid: one invocation per cell of stride x stride inputs, which it alone writes; a window that reaches into several
// cells is searched for each of them.
import package::lib::activation::activationGrad;
import package::lib::float_bits::infinity;
import package::lib::grid::linearIndex;
import package::lib::live::Live;
import package::lib::pooling::Params;
import package::lib::pooling::tapsBetween;
import package::lib::pooling::wins;

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read> activated: array<f32>;
@group(0) @binding(3) var<storage, read_write> dx: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;
@group(0) @binding(5) var<uniform> live: Live;

override ACTIVATION_GRAD: u32 = 0;

const THREADS = 64u;

// First and end of what lies on x, from position `start` on, along one axis.
fn onInput(start: u32, length: u32, pad: u32, size: u32) -> vec2u {
  return clamp(vec2u(start, start + length), vec2u(pad), vec2u(pad + size)) - pad;
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  // Read once: software adapters would read a uniform again at each use.
  let shape = params;
  let bottomOfX = shape.padTop + shape.inHeight;
  let rightOfX = shape.padLeft + shape.inWidth;
  // Cells that cover the input.
  let cellsDown = (bottomOfX + shape.strideY - 1) / shape.strideY;
  let cellsAcross = (rightOfX + shape.strideX - 1) / shape.strideX;
  let index = linearIndex(group, local, THREADS);
  let plane = index / (cellsDown * cellsAcross);
  if (plane >= live.rows * shape.planes) {
    return;
  }
  let cellY = index / cellsAcross % cellsDown;
  let cellX = index % cellsAcross;
  let planeAt = plane * shape.inHeight * shape.inWidth;
  let cellRows = onInput(cellY * shape.strideY, shape.strideY, shape.padTop, shape.inHeight);
  let cellColumns = onInput(cellX * shape.strideX, shape.strideX, shape.padLeft, shape.inWidth);
  for (var row = cellRows.x; row < cellRows.y; row++) {
    for (var column = cellColumns.x; column < cellColumns.y; column++) {
      dx[planeAt + row * shape.inWidth + column] = 0.0;
    }
  }

  // The windows that begin in this cell or reach into it.
  let backY = min(cellY, (shape.kernelHeight - 1) * shape.dilationY / shape.strideY);
  let backX = min(cellX, (shape.kernelWidth - 1) * shape.dilationX / shape.strideX);
  for (var outY = cellY - backY; outY < min(cellY + 1, shape.outHeight); outY++) {
    for (var outX = cellX - backX; outX < min(cellX + 1, shape.outWidth); outX++) {
      let top = outY * shape.strideY;
      let left = outX * shape.strideX;
      let down = tapsBetween(top, shape.kernelHeight, shape.dilationY, shape.padTop, bottomOfX);
      let across = tapsBetween(left, shape.kernelWidth, shape.dilationX, shape.padLeft, rightOfX);
      let corner = vec2u(top, left) - vec2u(shape.padTop, shape.padLeft);
      var greatest = -infinity();
      var found = corner + vec2u(down.x, across.x) * vec2u(shape.dilationY, shape.dilationX);
      for (var ky = down.x; ky < down.y; ky++) {
        let row = corner.x + ky * shape.dilationY;
        for (var kx = across.x; kx < across.y; kx++) {
          let column = corner.y + kx * shape.dilationX;
          let value = x[planeAt + row * shape.inWidth + column];
          if (wins(value, greatest)) {
            greatest = value;
            found = vec2u(row, column);
          }
        }
      }
      // A window without elements finds a place beyond the input, which is in no cell.
      let inCell = all(found >= vec2u(cellRows.x, cellColumns.x)) && all(found < vec2u(cellRows.y, cellColumns.y));
      if (inCell) {
        dx[planeAt + found.x * shape.inWidth + found.y] += dy[(plane * shape.outHeight + outY) * shape.outWidth + outX];
      }
    }
  }
  if (ACTIVATION_GRAD == 0) {
    return;
  }
  for (var row = cellRows.x; row < cellRows.y; row++) {
    for (var column = cellColumns.x; column < cellColumns.y; column++) {
      let at = planeAt + row * shape.inWidth + column;
      dx[at] = activationGrad(ACTIVATION_GRAD, activated[at], dx[at]);
    }
  }
}
