// Cross-entropy of logits against labels: loss = log(sum over classes of exp(z - max)) + max - z[label].
// logits: [rows, classes], labels: u32[rows], loss: [rows]. A label >= classes is ignored: its loss is 0.
// NaN or +Inf among the logits gives NaN; -Inf is a probability of 0. Grid: one invocation per row.
import package::lib::grid::linearIndex;
import package::lib::live::Live;
import package::lib::softmax_weight::softmaxWeight;
import package::lib::softmax_weight::LOWEST;

struct Params {
  classes: u32,
  rowsPerSample: u32,
}

@group(0) @binding(0) var<storage, read> logits: array<f32>;
@group(0) @binding(1) var<storage, read> labels: array<u32>;
@group(0) @binding(2) var<storage, read_write> loss: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;
@group(0) @binding(4) var<uniform> live: Live;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let row = linearIndex(group, local, 64);
  if (row >= live.rows * params.rowsPerSample) {
    return;
  }
  let label = labels[row];
  if (label >= params.classes) {
    loss[row] = 0.0;
    return;
  }
  let start = row * params.classes;
  let end = start + params.classes;
  var maximum = LOWEST;
  for (var i = start; i < end; i++) {
    maximum = max(maximum, logits[i]);
  }
  var sum = 0.0;
  for (var i = start; i < end; i++) {
    sum += softmaxWeight(logits[i], maximum);
  }
  loss[row] = log(sum) + (maximum - logits[start + label]);
}
