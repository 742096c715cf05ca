// Gradient of kl-divergence by its logits: dlogits = dy / T * (softmax(logits / T) - softmax(goal / T)).
// logits, goal, dlogits: [rows, classes], dy: [rows]. Grid: one invocation per row.
import package::lib::grid::linearIndex;
import package::lib::live::Live;
import package::lib::softmax_weight::softmaxWeight;
import package::lib::softmax_weight::LOWEST;

struct Params {
  classes: u32,
  rowsPerSample: u32,
  inverseTemperature: f32,
}

@group(0) @binding(0) var<storage, read> logits: array<f32>;
@group(0) @binding(1) var<storage, read> goal: array<f32>;
@group(0) @binding(2) var<storage, read> dy: array<f32>;
@group(0) @binding(3) var<storage, read_write> dlogits: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;
@group(0) @binding(5) var<uniform> live: Live;

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
  for (var i = start; i < end; i++) {
    sumP += softmaxWeight(logits[i] * by, maximumP);
    sumQ += softmaxWeight(goal[i] * by, maximumQ);
  }
  for (var i = start; i < end; i++) {
    let p = softmaxWeight(logits[i] * by, maximumP) / sumP;
    let q = softmaxWeight(goal[i] * by, maximumQ) / sumQ;
    dlogits[i] = dy[row] * by * (p - q);
  }
}
