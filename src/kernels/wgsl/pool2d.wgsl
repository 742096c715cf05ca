// Pooling: y[plane, outY, outX] = activate(maximum, or average, over the part of the window that lies on x).
// x: [planes, inHeight, inWidth], y: [planes, outHeight, outWidth], a plane for each channel of each sample. Positions
// count from the corner of the padded input, where window outY begins at outY * strideY. NaN wins over every number.
// Grid: one invocation per element of y.
import package::lib::activation::activate;
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
  // Positions that an average divides by: those of x, or of the padded input.
  countTop: u32,
  countBottom: u32,
  countLeft: u32,
  countRight: u32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;
@group(0) @binding(3) var<uniform> live: Live;

override AVERAGE: bool = false;
override ACTIVATION: u32 = 0;

const THREADS = 64u;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  // Read once: software adapters would read a uniform again at each use.
  let shape = params;
  let index = linearIndex(group, local, THREADS);
  let plane = index / (shape.outHeight * shape.outWidth);
  if (plane >= live.rows * shape.planes) {
    return;
  }
  let top = index / shape.outWidth % shape.outHeight * shape.strideY;
  let left = index % shape.outWidth * shape.strideX;
  let bottom = top + shape.kernelHeight;
  let right = left + shape.kernelWidth;

  let firstY = max(top, shape.padTop) - shape.padTop;
  let firstX = max(left, shape.padLeft) - shape.padLeft;
  let endY = min(bottom - shape.padTop, shape.inHeight);
  let endX = min(right - shape.padLeft, shape.inWidth);
  let planeAt = plane * shape.inHeight;
  var sum = 0.0;
  var greatest = x[(planeAt + firstY) * shape.inWidth + firstX];
  for (var row = firstY; row < endY; row++) {
    for (var column = firstX; column < endX; column++) {
      let value = x[(planeAt + row) * shape.inWidth + column];
      sum += value;
      // A comparison with NaN may come out either way.
      if (isNanBits(bitcast<u32>(value)) || (value > greatest && !isNanBits(bitcast<u32>(greatest)))) {
        greatest = value;
      }
    }
  }
  if (AVERAGE) {
    let height = min(bottom, shape.countBottom) - max(top, shape.countTop);
    let width = min(right, shape.countRight) - max(left, shape.countLeft);
    y[index] = activate(ACTIVATION, sum / f32(height * width));
  } else {
    y[index] = activate(ACTIVATION, greatest);
  }
}
