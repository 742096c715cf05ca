// The last linear layer of an exit and its check in one: logits = x weight^T + bias are judged as they arise and never
// stored. Scores, decision and records are those of exit-check.
// x: f32[rows, features]; weight: f32[classes, features]; bias: f32[classes]; origin: u32[rows]; records: one per row of
// the batch; stays: u32[rows]. Grid: one workgroup per row; its invocations take the classes in turn, a tree of fixed
// shape joins what they found.
import package::lib::exit_decision::decide;
import package::lib::exit_decision::hasLeft;
import package::lib::exit_scores::addLogit;
import package::lib::exit_scores::noScores;
import package::lib::exit_settings::settings;
import package::lib::exit_tree::THREADS;
import package::lib::exit_tree::joinPartials;
import package::lib::exit_tree::partials;
import package::lib::grid::linearIndex;
import package::lib::live::Live;

struct Params {
  features: u32,
  classes: u32,
}

@group(0) @binding(3) var<storage, read> x: array<f32>;
@group(0) @binding(4) var<storage, read> weight: array<f32>;
@group(0) @binding(5) var<storage, read> bias: array<f32>;
@group(0) @binding(6) var<storage, read> origin: array<u32>;
@group(0) @binding(7) var<storage, read_write> stays: array<u32>;
@group(0) @binding(8) var<uniform> params: Params;
@group(0) @binding(9) var<uniform> live: Live;

fn logit(row: u32, label: u32) -> f32 {
  let xAt = row * params.features;
  let weightAt = label * params.features;
  var sum = 0.0;
  for (var i = 0u; i < params.features; i++) {
    sum = fma(x[xAt + i], weight[weightAt + i], sum);
  }
  return sum + bias[label];
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let row = linearIndex(group, 0, 1);
  if (row >= live.rows) {
    // As in exit-check.
    if (row == 0 && local == 0) {
      stays[0] = 0;
    }
    return;
  }
  var running = noScores();
  for (var label = local; label < params.classes; label += THREADS) {
    running = addLogit(running, bitcast<u32>(logit(row, label)), settings.inverseTemperature, label);
  }
  partials[local] = running;
  joinPartials(local);
  if (local > 0) {
    return;
  }
  let at = origin[row];
  stays[row] = u32(!hasLeft(at) && !decide(at, partials[0], params.classes));
}
