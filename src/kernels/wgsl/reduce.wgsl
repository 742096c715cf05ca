// Sum, product, maximum or minimum over some axes; one step of a tree whose shape is fixed.
// y: [kept axes, chunks]: y[o, c] = after(combination of before(x) for elements c * chunk .. (c + 1) * chunk of those
// that belong to output o, in order), so that its bits depend only on where an element stands. Chunks beyond the live
// rows hold the neutral value. x through a stride for each axis; base: [kept axes]. NaN wins over every number.
// Integers, signed or not, are told apart by their maxima alone: sums and products wrap around to the same bits.
// Grid: one invocation per element of y.
// variants: integers
@if(!integers) import package::lib::float_bits::isFiniteBits;
@if(!integers) import package::lib::float_bits::isNanBits;
import package::lib::grid::linearIndex;
import package::lib::live::Live;
@if(!integers) import package::lib::logarithm::logarithm;
@if(!integers) import package::lib::softmax_weight::softmaxWeight;
@if(!integers) import package::lib::softmax_weight::LOWEST;

@if(integers) alias Element = u32;
@else alias Element = f32;

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

@group(0) @binding(0) var<storage, read> x: array<Element>;
@group(0) @binding(1) var<storage, read_write> y: array<Element>;
@group(0) @binding(2) var<uniform> params: Params;
@group(0) @binding(3) var<uniform> live: Live;
// One number for each output, for before() and after().
@if(!integers) @group(0) @binding(4) var<storage, read> base: array<f32>;

// 0 sum, 1 maximum, 2 minimum, 3 product
override OP: u32 = 0;
@if(integers) override SIGNED: bool = false;
// Divides the sum by the number of all elements, in the first step of a tree.
@if(!integers) override MEAN: bool = false;
// In the first step: 0 nothing, 1 |x|, 2 x^2, 3 exp(x - base), 4 whether x is base, 5 whether x is 0, 6 1 instead of 0.
@if(!integers) override BEFORE: u32 = 0;
// In the last step, on the result r: 0 nothing, 1 sqrt(r), 2 log(r), 3 log(r) + base.
@if(!integers) override AFTER: u32 = 0;

const THREADS = 64u;

// Through a variable, because an infinity in a constant expression is an error.
fn neutral() -> Element {
  @if(integers) {
    let lowest = select(0u, SIGN, SIGNED);
    return array<u32, 4>(0, lowest, ~lowest, 1)[OP];
  }
  @else {
    var bits = array<u32, 4>(0, 0xff800000, 0x7f800000, 0x3f800000)[OP];
    return bitcast<f32>(bits);
  }
}

fn combine(p: Element, q: Element) -> Element {
  if (OP == 0) {
    return p + q;
  }
  if (OP == 3) {
    return p * q;
  }
  return greatest(p, q);
}

@if(integers) const SIGN = 0x80000000u;

// The greater one, or the smaller one.
@if(integers)
fn greatest(p: u32, q: u32) -> u32 {
  // As numbers without a sign, in the same order.
  let flip = select(0u, SIGN, SIGNED);
  return select(min(p ^ flip, q ^ flip), max(p ^ flip, q ^ flip), OP == 1) ^ flip;
}
@if(!integers)
fn greatest(p: f32, q: f32) -> f32 {
  if (isNanBits(bitcast<u32>(p)) || isNanBits(bitcast<u32>(q))) {
    return p + q;
  }
  return select(min(p, q), max(p, q), OP == 1);
}

fn before(value: Element, output: u32) -> Element {
  @if(integers) {
    return value;
  }
  @else {
    switch (BEFORE) {
      case 1u: { return abs(value); }
      case 2u: { return value * value; }
      case 3u: { return softmaxWeight(value, max(base[output], LOWEST)); }
      case 4u: { return f32(value == base[output]); }
      case 5u: { return f32(value == 0.0); }
      case 6u: { return select(value, 1.0, value == 0.0); }
      default: { return value; }
    }
  }
}

fn after(result: Element, output: u32) -> Element {
  @if(integers) {
    return result;
  }
  @else {
    switch (AFTER) {
      case 1u: { return sqrt(result); }
      case 2u: { return logarithm(result); }
      case 3u: {
        let greatest = base[output];
        let bits = bitcast<u32>(greatest);
        // Of an infinite one nothing can be taken away, and it outweighs everything else.
        return select(greatest, logarithm(result) + greatest, isFiniteBits(bits) || isNanBits(bits));
      }
      default: { return result; }
    }
  }
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
      let a = before(x[four.x], output);
      let b = before(x[four.y], output);
      let c = before(x[four.z], output);
      let d = before(x[four.w], output);
      result = combine(combine(combine(combine(result, a), b), c), d);
    }
    for (; j < run; j++) {
      result = combine(result, before(x[at + j * inner.y], output));
    }
  }
  @if(!integers) {
    if (MEAN) {
      result /= f32(max(count, 1u));
    }
  }
  y[index] = after(result, output);
}
