// Gradient of average pooling: dx[plane, inY, inX] = sum over the windows that hold it of dy / (positions that the
// average divided by); or the gradient before an activation whose result is `activated`, of which that is the gradient.
// Layouts and positions as in pool2d.wgsl.
// Grid: one invocation per element of x.
import package::lib::activation::activationGrad;
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

@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(1) var<storage, read> activated: array<f32>;
@group(0) @binding(2) var<storage, read_write> dx: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;
@group(0) @binding(4) var<uniform> live: Live;

override ACTIVATION_GRAD: u32 = 0;

const THREADS = 64u;

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
    let top = outY * params.strideY;
    let height = min(top + params.kernelHeight, params.countBottom) - max(top, params.countTop);
    for (var outX = firstX; outX < endX; outX++) {
      let left = outX * params.strideX;
      let width = min(left + params.kernelWidth, params.countRight) - max(left, params.countLeft);
      sum += dy[(plane * params.outHeight + outY) * params.outWidth + outX] / f32(height * width);
    }
  }
  if (ACTIVATION_GRAD != 0) {
    sum = activationGrad(ACTIVATION_GRAD, activated[index], sum);
  }
  dx[index] = sum;
}
