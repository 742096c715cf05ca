// Softmax of wide rows, or its logarithm: the same functions and treatment of non-finite values as softmax.
// x, y: [rows, cols], in vectors of four where `quads`. Rows from live.rows * params.rowsPerSample on keep what they
// hold. A first pass gives each invocation its greatest value m and s = sum exp(x - m), rescaled whenever a greater
// value turns up (Milakov and Gimelshein, Online normalizer calculation for softmax, 2018); a second one writes.
// Grid: LANES invocations per row, side by side; LANES, a divisor of THREADS, fixes the order of the sums.
// storage: f32 or f16
// variants: quads
import package::lib::element::Element;
import package::lib::element::greatestOf;
import package::lib::element::totalOf;
import package::lib::element::weightOf;
import package::lib::grid::linearIndex;
import package::lib::live::Live;
import package::lib::logarithm::logarithm;
@if(!quads) import package::lib::number::Number;
@if(quads) import package::lib::number::Numbers;
import package::lib::softmax_weight::rescaling;
import package::lib::softmax_weight::LOWEST;
@if(f16) enable f16;

// As in memory.
@if(quads) alias Stored = Numbers;
@else alias Stored = Number;

struct Params {
  // Elements of a row: numbers, or vectors of four.
  width: u32,
  rowsPerSample: u32,
}

@group(0) @binding(0) var<storage, read> x: array<Stored>;
@group(0) @binding(1) var<storage, read_write> y: array<Stored>;
@group(0) @binding(2) var<uniform> params: Params;
@group(0) @binding(3) var<uniform> live: Live;

override LANES: u32 = 4;
override LOG: bool = false;

const THREADS = 64u;

var<workgroup> maxima: array<f32, THREADS>;
var<workgroup> sums: array<f32, THREADS>;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let row = linearIndex(group, local / LANES, THREADS / LANES);
  let lane = local % LANES;
  let first = row * params.width + lane;
  // Those without a row go along to the barrier.
  let end = select(0, (row + 1) * params.width, row < live.rows * params.rowsPerSample);

  var maximum = LOWEST;
  var weights: Element;
  for (var i = first; i < end; i += LANES) {
    let v = Element(x[i]);
    let greatest = greatestOf(v);
    if (greatest > maximum) {
      weights *= rescaling(maximum, greatest);
      maximum = greatest;
    }
    weights += weightOf(v, maximum);
  }
  maxima[local] = maximum;
  sums[local] = totalOf(weights);
  workgroupBarrier();

  let ofRow = local - lane;
  for (var other = ofRow; other < ofRow + LANES; other++) {
    maximum = max(maximum, maxima[other]);
  }
  var sum = 0.0;
  for (var other = ofRow; other < ofRow + LANES; other++) {
    sum += sums[other] * rescaling(maxima[other], maximum);
  }
  let logSum = logarithm(sum);
  for (var i = first; i < end; i += LANES) {
    if (LOG) {
      y[i] = Stored((Element(x[i]) - maximum) - logSum);
    } else {
      y[i] = Stored(weightOf(Element(x[i]), maximum) / sum);
    }
  }
}
