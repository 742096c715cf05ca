// Exit check of wide rows: the same function, layout and decisions as exit-check, for many classes.
// logits: f32 bits [rows, classes]; origin: u32[rows]; records: one per row of the batch; stays: u32[rows].
// Grid: one workgroup per row; its invocations take the classes in turn, a tree of fixed shape joins what they found.
import package::lib::exit_decision::ExitRecord;
import package::lib::exit_decision::ExitSettings;
import package::lib::exit_decision::leaves;
import package::lib::exit_decision::recordOf;
import package::lib::exit_scores::RunningScores;
import package::lib::exit_scores::addLogit;
import package::lib::exit_scores::exitScores;
import package::lib::exit_scores::mergeScores;
import package::lib::exit_scores::noScores;
import package::lib::grid::linearIndex;
import package::lib::live::Live;

const THREADS = 128u;

struct Params {
  classes: u32,
}

@group(0) @binding(0) var<storage, read> logits: array<u32>;
@group(0) @binding(1) var<storage, read> settings: ExitSettings;
@group(0) @binding(2) var<storage, read> origin: array<u32>;
@group(0) @binding(3) var<storage, read_write> records: array<ExitRecord>;
@group(0) @binding(4) var<storage, read_write> stays: array<u32>;
@group(0) @binding(5) var<uniform> params: Params;
@group(0) @binding(6) var<uniform> live: Live;

var<workgroup> partials: array<RunningScores, THREADS>;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let row = linearIndex(group, 0, 1);
  if (row >= live.rows) {
    return;
  }
  let start = row * params.classes;
  var running = noScores();
  for (var label = local; label < params.classes; label += THREADS) {
    running = addLogit(running, logits[start + label], settings.inverseTemperature, label);
  }
  partials[local] = running;
  workgroupBarrier();
  for (var half = THREADS / 2; half > 0; half /= 2) {
    if (local < half) {
      partials[local] = mergeScores(partials[local], partials[local + half]);
    }
    workgroupBarrier();
  }
  if (local > 0) {
    return;
  }
  let scores = exitScores(partials[0]);
  let leaving = leaves(scores, settings);
  records[origin[row]] = recordOf(scores, settings, leaving);
  stays[row] = u32(!leaving);
}
