// Kullback-Leibler divergence of p = softmax(logits / T) from q = softmax(goal / T): sum of q (log q - log p) over the
// classes. `goal` is the target, a word that WGSL keeps for itself.
// logits, goal: [rows, classes], y: [rows]. -Inf in the goal is a probability of 0, in the logits alone an infinite
// divergence; NaN or +Inf in either gives NaN. Grid: one invocation per row.
import package::lib::grid::linearIndex;
import package::lib::live::Live;
import package::lib::logarithm::logarithm;
import package::lib::softmax_weight::softmaxWeight;
import package::lib::softmax_weight::LOWEST;

struct Params {
  classes: u32,
  rowsPerSample: u32,
  inverseTemperature: f32,
}

@group(0) @binding(0) var<storage, read> logits: array<f32>;
@group(0) @binding(1) var<storage, read> goal: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;
@group(0) @binding(4) var<uniform> live: Live;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let row = linearIndex(group, local, 64);
  if (row >= live.rows * params.rowsPerSample) {
    return;
  }
  let start = row * params.classes;
  let end = start + params.classes;
  let by = params.inverseTemperature;
  var maximumP = LOWEST;
  var maximumQ = LOWEST;
  for (var i = start; i < end; i++) {
    maximumP = max(maximumP, logits[i] * by);
    maximumQ = max(maximumQ, goal[i] * by);
  }
  var sumP = 0.0;
  var sumQ = 0.0;
  var total = 0.0;
  for (var i = start; i < end; i++) {
    let weight = softmaxWeight(goal[i] * by, maximumQ);
    sumP += softmaxWeight(logits[i] * by, maximumP);
    sumQ += weight;
    // 0 times the infinite logarithm of a class that is impossible is NaN, and should be 0.
    if (weight > 0.0) {
      total += weight * ((goal[i] * by - maximumQ) - (logits[i] * by - maximumP));
    }
  }
  // Divided by sumQ, the weights are q; the sums of exponentials are the same for all classes.
  y[row] = total / sumQ + (logarithm(sumP) - logarithm(sumQ));
}
