// Sum, mean, maximum or minimum over some axes; one step of a tree whose shape is fixed.
// y: [kept axes, chunks]: y[o, c] combines elements c * chunk .. (c + 1) * chunk of those that belong to output o, in
// order, so that its bits depend only on where an element stands. Chunks beyond the live rows hold the neutral value.
// x through a stride for each axis. NaN wins over every number.
// Grid: one invocation per element of y.
import package::lib::float_bits::isNanBits;
import package::lib::grid::linearIndex;
import package::lib::live::Live;

struct Params {
  // The kept axes, then the reduced ones, each from the outermost to the innermost: length, stride in x.
  axes: array<vec4u, 6>,
  kept: u32,
  rank: u32,
  // For each sample, if they grow with the samples.
  outputs: u32,
  count: u32,
  chunk: u32,
  chunks: u32,
  // 1 if the samples are reduced, 0 if they are kept
  overSamples: u32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;
@group(0) @binding(3) var<uniform> live: Live;

// 0 sum, 1 maximum, 2 minimum
override OP: u32 = 0;
// Divides the sum by the number of all elements, in the first step of a tree.
override MEAN: bool = false;

const THREADS = 64u;

// Through a variable, because an infinity in a constant expression is an error.
fn neutral() -> f32 {
  var bits = array<u32, 3>(0, 0xff800000, 0x7f800000)[OP];
  return bitcast<f32>(bits);
}

fn combine(p: f32, q: f32) -> f32 {
  if (OP == 0) {
    return p + q;
  }
  if (isNanBits(bitcast<u32>(p)) || isNanBits(bitcast<u32>(q))) {
    return p + q;
  }
  return select(min(p, q), max(p, q), OP == 1);
}

// Where element `index` of the axes first .. last stands in x. The outermost of them needs no division.
fn offsetOf(index: u32, first: u32, last: u32) -> u32 {
  var rest = index;
  var at = 0u;
  for (var axis = last - 1; axis > first; axis--) {
    let current = params.axes[axis];
    at += rest % current.x * current.y;
    rest /= current.x;
  }
  return at + rest * params.axes[first].y;
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let index = linearIndex(group, local, THREADS);
  let reducing = params.overSamples == 1;
  if (index >= params.outputs * params.chunks * select(live.rows, 1u, reducing)) {
    return;
  }
  let count = params.count * select(1u, live.rows, reducing);
  let output = index / params.chunks;
  let start = index % params.chunks * params.chunk;
  let end = min(start + params.chunk, count);

  let outputAt = offsetOf(output, 0, params.kept);
  let inner = params.axes[params.rank - 1];
  var result = neutral();
  // Runs along the innermost axis: one division for each instead of one for each element.
  var run = 0u;
  for (var i = start; i < end; i += run) {
    run = min(inner.x - i % inner.x, end - i);
    let at = outputAt + offsetOf(i, params.kept, params.rank);
    var j = 0u;
    // Four at a time: their loads need not wait for one another.
    for (; j + 4 <= run; j += 4) {
      let four = at + (j + vec4u(0, 1, 2, 3)) * inner.y;
      let a = x[four.x];
      let b = x[four.y];
      let c = x[four.z];
      let d = x[four.w];
      result = combine(combine(combine(combine(result, a), b), c), d);
    }
    for (; j < run; j++) {
      result = combine(result, x[at + j * inner.y]);
    }
  }
  if (MEAN) {
    result /= f32(max(count, 1u));
  }
  y[index] = result;
}
