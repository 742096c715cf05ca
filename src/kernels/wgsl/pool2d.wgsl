// Pooling: y[plane, outY, outX] = activate(f of the elements of the window that lie on x), f the maximum, the average
// or the norm (sum |x|^power)^(1 / power). NaN wins over every number. Of no element at all the maximum is -Infinity,
// the others are 0. Where `indices`: also the place of the maximum in its plane, row-major; 2^32 - 1 where it has none.
// Layouts and positions as in lib/pooling.wgsl.
// Grid: one invocation per element of y.
// storage: f32 or f16
// variants: indices
import package::lib::activation::activate;
import package::lib::float_bits::infinity;
import package::lib::grid::linearIndex;
import package::lib::live::Live;
import package::lib::number::Number;
import package::lib::pooling::Params;
import package::lib::pooling::powerOf;
import package::lib::pooling::tapsBetween;
import package::lib::pooling::wins;
@if(f16) enable f16;

@group(0) @binding(0) var<storage, read> x: array<Number>;
@group(0) @binding(1) var<storage, read_write> y: array<Number>;
@group(0) @binding(2) var<uniform> params: Params;
@group(0) @binding(3) var<uniform> live: Live;
@if(indices) @group(0) @binding(4) var<storage, read_write> indices: array<u32>;

// 0 maximum, 1 average, 2 norm
override OP: u32 = 0;
override ACTIVATION: u32 = 0;

const THREADS = 64u;

fn powered(value: f32, power: f32) -> f32 {
  let magnitude = abs(value);
  if (power == 1) {
    return magnitude;
  }
  if (power == 2) {
    return magnitude * magnitude;
  }
  return powerOf(magnitude, power);
}

fn rooted(sum: f32, power: f32) -> f32 {
  if (power == 1) {
    return sum;
  }
  if (power == 2) {
    return sqrt(sum);
  }
  return powerOf(sum, 1 / power);
}

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
  let bottomOfX = shape.padTop + shape.inHeight;
  let rightOfX = shape.padLeft + shape.inWidth;
  let down = tapsBetween(top, shape.kernelHeight, shape.dilationY, shape.padTop, bottomOfX);
  let across = tapsBetween(left, shape.kernelWidth, shape.dilationX, shape.padLeft, rightOfX);

  let planeAt = plane * shape.inHeight * shape.inWidth;
  var sum = 0.0;
  var greatest = -infinity();
  let firstX = left + across.x * shape.dilationX - shape.padLeft;
  var found = (top + down.x * shape.dilationY - shape.padTop) * shape.inWidth + firstX;
  for (var ky = down.x; ky < down.y; ky++) {
    let row = (top + ky * shape.dilationY - shape.padTop) * shape.inWidth;
    var at = row + firstX;
    for (var kx = across.x; kx < across.y; kx++) {
      let value = f32(x[planeAt + at]);
      if (OP == 1) {
        sum += value;
      } else if (OP == 2) {
        sum += powered(value, shape.power);
      } else if (wins(value, greatest)) {
        greatest = value;
        found = at;
      }
      at += shape.dilationX;
    }
  }
  var result = greatest;
  if (OP == 1) {
    let height = tapsBetween(top, shape.kernelHeight, shape.dilationY, shape.countTop, shape.countBottom);
    let width = tapsBetween(left, shape.kernelWidth, shape.dilationX, shape.countLeft, shape.countRight);
    result = sum / f32(max((height.y - height.x) * (width.y - width.x), 1u));
  } else if (OP == 2) {
    result = rooted(sum, shape.power);
  }
  y[index] = Number(activate(ACTIVATION, result));
  @if(indices) {
    let empty = down.x == down.y || across.x == across.y;
    indices[index] = select(found, 0xffffffffu, empty);
  }
}
