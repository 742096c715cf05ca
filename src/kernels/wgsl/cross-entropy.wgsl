// Cross-entropy of logits z against labels: loss = sum over classes of w t (log(sum of exp(z - max)) + max - z), t the
// smoothed target (lib/smoothed-target.wgsl), w the weight of the class; without smoothing the term of the label alone.
// logits: [rows, classes], labels: u32[rows], classWeights: [classes], loss: [rows]. A label >= classes or equal to
// `ignore` is ignored: its loss is 0. NaN or +Inf among the logits gives NaN; -Inf is a probability of 0.
// Grid: one invocation per row.
import package::lib::grid::linearIndex;
import package::lib::live::Live;
import package::lib::logarithm::logarithm;
import package::lib::softmax_weight::softmaxWeight;
import package::lib::softmax_weight::LOWEST;
import package::lib::smoothed_target::smoothedTarget;

struct Params {
  classes: u32,
  rowsPerSample: u32,
  ignore: u32,
  smoothing: f32,
}

@group(0) @binding(0) var<storage, read> logits: array<f32>;
@group(0) @binding(1) var<storage, read> labels: array<u32>;
@group(0) @binding(2) var<storage, read> classWeights: array<f32>;
@group(0) @binding(3) var<storage, read_write> loss: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;
@group(0) @binding(5) var<uniform> live: Live;

override WEIGHTED: bool = false;
override SMOOTHED: bool = false;

fn weightOf(c: u32) -> f32 {
  if (WEIGHTED) {
    return classWeights[c];
  }
  return 1.0;
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let row = linearIndex(group, local, 64);
  if (row >= live.rows * params.rowsPerSample) {
    return;
  }
  let classes = params.classes;
  let label = labels[row];
  if (label >= classes || label == params.ignore) {
    loss[row] = 0.0;
    return;
  }
  let start = row * classes;
  let end = start + classes;
  var maximum = LOWEST;
  for (var i = start; i < end; i++) {
    maximum = max(maximum, logits[i]);
  }
  var sum = 0.0;
  for (var i = start; i < end; i++) {
    sum += softmaxWeight(logits[i], maximum);
  }
  let logSum = logarithm(sum);
  if (!SMOOTHED) {
    loss[row] = weightOf(label) * (logSum + (maximum - logits[start + label]));
    return;
  }
  var total = 0.0;
  for (var c = 0u; c < classes; c++) {
    let share = weightOf(c) * smoothedTarget(c, label, params.smoothing, classes);
    // A class without weight takes no part, however improbable: 0 times infinity is NaN.
    if (share != 0.0) {
      total += share * (logSum + (maximum - logits[start + c]));
    }
  }
  loss[row] = total;
}
