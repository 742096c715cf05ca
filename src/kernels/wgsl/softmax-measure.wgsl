// One measure of each row's softmax p = exp(z - m) / s, with m the greatest logit and s = sum exp(z - m):
// confidence = 1 / s, margin = (1 - exp(second - m)) / s, entropy = log s - sum (z - m) exp(z - m) / s, in nats.
// logits: [rows, classes], y: [rows]. -Inf is a probability of 0; NaN or +Inf, or nothing but -Inf, gives NaN.
// Grid: one invocation per row.
import package::lib::float_bits::notANumber;
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
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;
@group(0) @binding(3) var<uniform> live: Live;

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
  for (var i = start; i < end; i++) {
    second = max(second, min(maximum, logits[i]));
    maximum = max(maximum, logits[i]);
  }
  var sum = 0.0;
  var weighted = 0.0;
  for (var i = start; i < end; i++) {
    let weight = softmaxWeight(logits[i], maximum);
    sum += weight;
    weighted += weight * max(logits[i] - maximum, VANISHING);
  }
  if (sum < 1.0) {
    y[row] = notANumber();
  } else if (MEASURE == 0) {
    y[row] = 1.0 / sum;
  } else if (MEASURE == 1) {
    y[row] = (1.0 - exp(max(second - maximum, VANISHING))) / sum;
  } else {
    y[row] = log(sum) - weighted / sum;
  }
}
