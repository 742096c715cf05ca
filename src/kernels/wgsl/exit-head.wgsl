// The last layers of an exit and its check in one: features = mean over each plane of x, logits = features weight^T +
// bias, judged as in exit-check. Each step adds up in the order of reduce, matmul and exit-check, so that scores,
// decision and records have the bits that these give one after the other.
// x: f32[rows, features, plane]; weight: f32[classes, features]; bias: f32[classes]; origin: u32[rows]; records: one per
// row of the batch; stays: u32[rows]. Grid: one workgroup per row; its invocations take features, then classes, in turn.
import package::lib::exit_decision::decide;
import package::lib::exit_decision::hasLeft;
import package::lib::exit_scores::addLogit;
import package::lib::exit_scores::noScores;
import package::lib::exit_settings::settings;
import package::lib::grid::linearIndex;
import package::lib::live::Live;

struct Params {
  features: u32,
  classes: u32,
  // Elements that a feature is the mean of: 1 where x holds the features themselves.
  plane: u32,
}

@group(0) @binding(3) var<storage, read> x: array<f32>;
@group(0) @binding(4) var<storage, read> weight: array<f32>;
@group(0) @binding(5) var<storage, read> bias: array<f32>;
@group(0) @binding(6) var<storage, read> origin: array<u32>;
@group(0) @binding(7) var<storage, read_write> stays: array<u32>;
@group(0) @binding(8) var<uniform> params: Params;
@group(0) @binding(9) var<uniform> live: Live;

const THREADS = 64u;
// Elements that reduce adds up in its first step; their sums in a second one, of which there is no third.
const CHUNK = 256u;
const MOST_FEATURES = 2048u;
const MOST_CLASSES = 1024u;

var<workgroup> features: array<f32, MOST_FEATURES>;
var<workgroup> logits: array<f32, MOST_CLASSES>;

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
  for (var feature = local; feature < params.features; feature += THREADS) {
    let at = (row * params.features + feature) * params.plane;
    var mean = 0.0;
    for (var start = 0u; start < params.plane; start += CHUNK) {
      var sum = 0.0;
      for (var i = start; i < min(start + CHUNK, params.plane); i++) {
        sum += x[at + i];
      }
      mean += sum / f32(params.plane);
    }
    features[feature] = mean;
  }
  workgroupBarrier();
  for (var label = local; label < params.classes; label += THREADS) {
    var sum = 0.0;
    for (var i = 0u; i < params.features; i++) {
      sum = fma(features[i], weight[label * params.features + i], sum);
    }
    logits[label] = sum + bias[label];
  }
  workgroupBarrier();
  if (local > 0) {
    return;
  }
  var running = noScores();
  for (var label = 0u; label < params.classes; label++) {
    running = addLogit(running, bitcast<u32>(logits[label]), settings.inverseTemperature, label);
  }
  stays[row] = u32(!hasLeft(origin[row]) && !decide(origin[row], running, params.classes));
}
