// Gradient of softmax-measure, with p the softmax of the row, a and b its most and second most probable class, H its
// entropy: confidence p_a ([c=a] - p_c), margin p_a ([c=a] - p_c) - p_b ([c=b] - p_c), entropy -p_c (log p_c + H).
// logits, dlogits: [rows, classes], dy: [rows]. Grid: one invocation per row.
import package::lib::grid::linearIndex;
import package::lib::live::Live;
import package::lib::softmax_weight::softmaxWeight;
import package::lib::softmax_weight::LOWEST;
import package::lib::softmax_weight::VANISHING;

struct Params {
  classes: u32,
  rowsPerSample: u32,
}

@group(0) @binding(0) var<storage, read> logits: array<f32>;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read_write> dlogits: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;
@group(0) @binding(4) var<uniform> live: Live;

// 0 confidence, 1 margin, 2 entropy
override MEASURE: u32 = 0;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let row = linearIndex(group, local, 64);
  if (row >= live.rows * params.rowsPerSample) {
    return;
  }
  let start = row * params.classes;
  let end = start + params.classes;
  var maximum = LOWEST;
  var second = LOWEST;
  var a = end;
  var b = end;
  for (var i = start; i < end; i++) {
    let z = logits[i];
    if (z > maximum) {
      second = maximum;
      b = a;
      maximum = z;
      a = i;
    } else if (z > second) {
      second = z;
      b = i;
    }
  }
  var sum = 0.0;
  var weighted = 0.0;
  for (var i = start; i < end; i++) {
    let weight = softmaxWeight(logits[i], maximum);
    sum += weight;
    weighted += weight * max(logits[i] - maximum, VANISHING);
  }
  let greatest = 1.0 / sum;
  let next = exp(max(second - maximum, VANISHING)) / sum;
  for (var i = start; i < end; i++) {
    let p = softmaxWeight(logits[i], maximum) / sum;
    var derivative = greatest * (select(0.0, 1.0, i == a) - p);
    if (MEASURE == 1) {
      derivative -= next * (select(0.0, 1.0, i == b) - p);
    } else if (MEASURE == 2) {
      // log p + H = (z - m - log s) + (log s - weighted / s)
      derivative = -p * (max(logits[i] - maximum, VANISHING) - weighted / sum);
    }
    dlogits[i] = dy[row] * derivative;
  }
}
