// The last linear layer of an exit and its check in one: logits = x weight^T + bias are judged as they arise and never
// stored. Scores, decision and records are those of exit-check.
// x: f32[rows, features]; weight: f32[classes, features]; bias: f32[classes]; origin: u32[rows]; records: one per row
// of the batch; stays: u32[rows]. Grid: one workgroup per row; its invocations take four classes each in turn, a tree
// of fixed shape joins what they found.
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

const FOUR = vec4u(0, 1, 2, 3);

// Of four classes at a time, so that a feature is read once for them; beyond the last class, the last again.
fn logits(row: u32, label: u32) -> vec4f {
  let xAt = row * params.features;
  let labels = min(label + FOUR, vec4u(params.classes - 1));
  let at = labels * params.features;
  var sums = vec4f();
  for (var i = 0u; i < params.features; i++) {
    let weights = vec4f(weight[at.x + i], weight[at.y + i], weight[at.z + i], weight[at.w + i]);
    sums = fma(vec4f(x[xAt + i]), weights, sums);
  }
  return sums + vec4f(bias[labels.x], bias[labels.y], bias[labels.z], bias[labels.w]);
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
  for (var first = 4 * local; first < params.classes; first += 4 * THREADS) {
    let four = logits(row, first);
    for (var label = first; label < min(first + 4, params.classes); label++) {
      running = addLogit(running, bitcast<u32>(four[label - first]), settings.inverseTemperature, label);
    }
  }
  partials[local] = running;
  joinPartials(local, min((params.classes + 3) / 4, THREADS));
  if (local > 0) {
    return;
  }
  stays[row] = u32(!hasLeft(origin[row]) && !decide(origin[row], partials[0], params.classes));
}
