// Gradient of a reduction: dx = dy * slope(x, y), of what was reduced repeated along the axes that were.
// dx, x: [sizePerSample * samples]; dy, y, count through a stride for each axis of dx, 0 where they are repeated.
// Grid: four elements per invocation, THREADS apart, so that neighbours read neighbours.
import package::lib::float_bits::isNanBits;
import package::lib::grid::linearIndex;
import package::lib::live::Live;
import package::lib::softmax_weight::softmaxWeight;

struct Params {
  // From the outermost to the innermost: length, stride in dy.
  axes: array<vec4u, 6>,
  rank: u32,
  sizePerSample: u32,
  divisor: u32,
  // 1 if the divisor is that of one sample
  overSamples: u32,
}

@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> y: array<f32>;
// How many x are equal to y, or to 0.
@group(0) @binding(3) var<storage, read> count: array<f32>;
@group(0) @binding(4) var<storage, read_write> dx: array<f32>;
@group(0) @binding(5) var<uniform> params: Params;
@group(0) @binding(6) var<uniform> live: Live;

// The list is that of reduce-grad.ts.
override SLOPE: u32 = 0;

const THREADS = 64u;
const ELEMENTS = 4u;

fn offsetOf(index: u32) -> u32 {
  var rest = index;
  var at = 0u;
  for (var axis = params.rank - 1; axis > 0; axis--) {
    let current = params.axes[axis];
    at += rest % current.x * current.y;
    rest /= current.x;
  }
  return at + rest * params.axes[0].y;
}

// Of the element i, that belongs to output o.
fn gradient(i: u32, o: u32, divisor: f32) -> f32 {
  let grad = dy[o];
  switch (SLOPE) {
    // Maximum or minimum y: shared by those that are equal to it.
    case 1u: {
      let share = select(0.0, grad / count[o], x[i] == y[o]);
      return select(share, y[o], isNanBits(bitcast<u32>(y[o])));
    }
    // Sum of |x|.
    case 2u: { return grad * select(sign(x[i]), x[i], isNanBits(bitcast<u32>(x[i]))); }
    // Square root y of the sum of x^2: 0 where all are 0.
    case 3u: { return select(grad * x[i] / y[o], 0.0, y[o] == 0.0); }
    // Sum of x^2.
    case 4u: { return 2.0 * grad * x[i]; }
    // Logarithm y of the sum.
    case 5u: { return select(grad * exp(-y[o]), y[o], isNanBits(bitcast<u32>(y[o]))); }
    // Logarithm y of the sum of exp(x).
    case 6u: { return grad * softmaxWeight(x[i], y[o]); }
    // Product, from the product y of those that are not 0, and how many are.
    case 7u: {
      let others = select(0.0, y[o], x[i] == 0.0 && count[o] == 1.0);
      return grad * select(others, y[o] / x[i], count[o] == 0.0);
    }
    default: { return grad / divisor; }
  }
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let divisor = f32(params.divisor * select(1u, live.rows, params.overSamples == 1));
  let start = linearIndex(group, local, THREADS * ELEMENTS);
  for (var j = 0u; j < ELEMENTS; j++) {
    let i = start + j * THREADS;
    if (i < live.rows * params.sizePerSample) {
      dx[i] = gradient(i, offsetOf(i), divisor);
    }
  }
}
