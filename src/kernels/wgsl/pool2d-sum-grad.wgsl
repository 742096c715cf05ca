// Gradient of the poolings that sum: dx[plane, inY, inX] = sum over the windows that hold it of dy / (positions that
// the average divided by), or of dy sign(x) (|x| / y)^(power - 1) where they are norms, 0 where y is; or the gradient
// before an activation whose result is `activated`, of which that is the gradient.
// Layouts and positions as in lib/pooling.wgsl.
// Grid: one invocation per element of x.
import package::lib::activation::activationGrad;
import package::lib::grid::linearIndex;
import package::lib::live::Live;
import package::lib::pooling::DILATED;
import package::lib::pooling::Params;
import package::lib::pooling::powerOf;
import package::lib::pooling::tapsBetween;

@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> y: array<f32>;
@group(0) @binding(3) var<storage, read> activated: array<f32>;
@group(0) @binding(4) var<storage, read_write> dx: array<f32>;
@group(0) @binding(5) var<uniform> params: Params;
@group(0) @binding(6) var<uniform> live: Live;

override NORM: bool = false;
override ACTIVATION_GRAD: u32 = 0;

const THREADS = 64u;

// The derivative of a norm by one of its elements.
fn share(element: f32, norm: f32) -> f32 {
  if (norm == 0) {
    return 0.0;
  }
  if (params.power == 1) {
    return sign(element);
  }
  if (params.power == 2) {
    return element / norm;
  }
  return sign(element) * powerOf(abs(element) / norm, params.power - 1);
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
  // The windows that reach over this element.
  let height = (params.kernelHeight - 1) * params.dilationY + 1;
  let width = (params.kernelWidth - 1) * params.dilationX + 1;
  let firstY = (max(positionY + 1, height) - height + params.strideY - 1) / params.strideY;
  let firstX = (max(positionX + 1, width) - width + params.strideX - 1) / params.strideX;
  let endY = min(positionY / params.strideY + 1, params.outHeight);
  let endX = min(positionX / params.strideX + 1, params.outWidth);
  var sum = 0.0;
  for (var outY = firstY; outY < endY; outY++) {
    let top = outY * params.strideY;
    let down = tapsBetween(top, params.kernelHeight, params.dilationY, params.countTop, params.countBottom);
    if (DILATED && (positionY - top) % params.dilationY != 0) {
      continue;
    }
    for (var outX = firstX; outX < endX; outX++) {
      let left = outX * params.strideX;
      if (DILATED && (positionX - left) % params.dilationX != 0) {
        continue;
      }
      let at = (plane * params.outHeight + outY) * params.outWidth + outX;
      if (NORM) {
        sum += dy[at] * share(x[index], y[at]);
      } else {
        let across = tapsBetween(left, params.kernelWidth, params.dilationX, params.countLeft, params.countRight);
        sum += dy[at] / f32((down.y - down.x) * (across.y - across.x));
      }
    }
  }
  if (ACTIVATION_GRAD != 0) {
    sum = activationGrad(ACTIVATION_GRAD, activated[index], sum);
  }
  dx[index] = sum;
}
