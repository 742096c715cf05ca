// Gradient of cross-entropy: dlogits = dloss * (total * softmax(logits) - a), where a is the weighted target of a class
// (lib/smoothed-target.wgsl, times its weight) and total the sum of a over the classes.
// logits, dlogits: [rows, classes], labels: u32[rows], classWeights: [classes], dloss: [rows], or [1] of their mean.
// A label >= classes or equal to `ignore` gives zeros. Grid: one invocation per row.
import package::lib::grid::linearIndex;
import package::lib::live::Live;
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
@group(0) @binding(3) var<storage, read> dloss: array<f32>;
@group(0) @binding(4) var<storage, read_write> dlogits: array<f32>;
@group(0) @binding(5) var<uniform> params: Params;
@group(0) @binding(6) var<uniform> live: Live;

override WEIGHTED: bool = false;
// dloss is that of the mean over the live rows.
override MEAN: bool = false;

fn shareOf(c: u32, label: u32) -> f32 {
  let share = smoothedTarget(c, label, params.smoothing, params.classes);
  if (WEIGHTED) {
    return classWeights[c] * share;
  }
  return share;
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let row = linearIndex(group, local, 64);
  if (row >= live.rows * params.rowsPerSample) {
    return;
  }
  let label = labels[row];
  let classes = params.classes;
  let start = row * classes;
  let end = start + classes;
  if (label >= classes || label == params.ignore) {
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
  // Targets add up to 1, unless they are weighted.
  var total = select(1.0, 0.0, WEIGHTED);
  for (var i = start; i < end; i++) {
    sum += softmaxWeight(logits[i], maximum);
    if (WEIGHTED) {
      total += shareOf(i - start, label);
    }
  }
  let rows = f32(live.rows * params.rowsPerSample);
  let scale = dloss[select(row, 0, MEAN)] / select(1.0, rows, MEAN);
  for (var i = start; i < end; i++) {
    let probability = softmaxWeight(logits[i], maximum) / sum;
    dlogits[i] = scale * (total * probability - shareOf(i - start, label));
  }
}
