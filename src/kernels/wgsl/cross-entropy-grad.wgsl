// Gradient of cross-entropy: dlogits = dloss * (softmax(logits) - onehot(label)).
// logits, dlogits: [rows, classes], labels: u32[rows], dloss: [rows]. A label >= classes gives zeros.
// Grid: one invocation per row.
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
@group(0) @binding(2) var<storage, read> dloss: array<f32>;
@group(0) @binding(3) var<storage, read_write> dlogits: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;
@group(0) @binding(5) var<uniform> live: Live;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let row = linearIndex(group, local, 64);
  if (row >= live.rows * params.rowsPerSample) {
    return;
  }
  let label = labels[row];
  let start = row * params.classes;
  let end = start + params.classes;
  if (label >= params.classes) {
    for (var i = start; i < end; i++) {
      dlogits[i] = 0.0;
    }
    return;
  }
  var maximum = LOWEST;
  for (var i = start; i < end; i++) {
    maximum = max(maximum, logits[i]);
  }
  var sum = 0.0;
  for (var i = start; i < end; i++) {
    sum += softmaxWeight(logits[i], maximum);
  }
  let scale = dloss[row];
  for (var i = start; i < end; i++) {
    let probability = softmaxWeight(logits[i], maximum) / sum;
    dlogits[i] = scale * select(probability, probability - 1.0, i == start + label);
  }
}
