// Gradient of maximum pooling: dx[plane, inY, inX] = sum of dy over the windows whose first maximum, in row-major order,
// stands there. The maxima are sought again in x instead of being kept. Layouts and positions as in pool2d.wgsl.
// Grid: one invocation per element of x.
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
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read_write> dx: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;
@group(0) @binding(4) var<uniform> live: Live;

const THREADS = 64u;

// Where in x the first maximum of a window stands.
fn firstMaximum(plane: u32, outY: u32, outX: u32) -> u32 {
  let top = outY * params.strideY;
  let left = outX * params.strideX;
  let firstY = max(top, params.padTop) - params.padTop;
  let firstX = max(left, params.padLeft) - params.padLeft;
  let endY = min(top + params.kernelHeight - params.padTop, params.inHeight);
  let endX = min(left + params.kernelWidth - params.padLeft, params.inWidth);
  let planeAt = plane * params.inHeight;
  var found = (planeAt + firstY) * params.inWidth + firstX;
  var greatest = x[found];
  for (var row = firstY; row < endY; row++) {
    for (var column = firstX; column < endX; column++) {
      let at = (planeAt + row) * params.inWidth + column;
      let value = x[at];
      if (value > greatest || isNanBits(bitcast<u32>(value))) {
        greatest = value;
        found = at;
      }
    }
  }
  return found;
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let index = linearIndex(group, local, THREADS);
  let plane = index / (params.inHeight * params.inWidth);
  if (plane >= live.rows * params.planes) {
    return;
  }
  let positionY = index / params.inWidth % params.inHeight + params.padTop;
  let positionX = index % params.inWidth + params.padLeft;
  // The windows that this element is part of.
  let firstY = (max(positionY + 1, params.kernelHeight) - params.kernelHeight + params.strideY - 1) / params.strideY;
  let firstX = (max(positionX + 1, params.kernelWidth) - params.kernelWidth + params.strideX - 1) / params.strideX;
  let endY = min(positionY / params.strideY + 1, params.outHeight);
  let endX = min(positionX / params.strideX + 1, params.outWidth);
  var sum = 0.0;
  for (var outY = firstY; outY < endY; outY++) {
    for (var outX = firstX; outX < endX; outX++) {
      if (firstMaximum(plane, outY, outX) == index) {
        sum += dy[(plane * params.outHeight + outY) * params.outWidth + outX];
      }
    }
  }
  dx[index] = sum;
}
