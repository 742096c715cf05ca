// Exit check of very wide rows, second pass: joins what exit-check-split found, decides, records as exit-check does.
// found: [rows, params.parts, THREADS]; origin: u32[rows]; records: one per row of the batch; stays: u32[rows].
// Grid: one workgroup per row; each invocation takes the parts in their order, a tree of fixed shape joins them all.
import package::lib::exit_decision::decide;
import package::lib::exit_decision::hasLeft;
import package::lib::exit_part::ExitPart;
import package::lib::exit_part::scoresOfPart;
import package::lib::exit_scores::mergeScores;
import package::lib::exit_scores::noScores;
import package::lib::exit_tree::THREADS;
import package::lib::exit_tree::joinPartials;
import package::lib::exit_tree::partials;
import package::lib::grid::linearIndex;
import package::lib::live::Live;

struct Params {
  classes: u32,
  parts: u32,
}

@group(0) @binding(3) var<storage, read> found: array<ExitPart>;
@group(0) @binding(4) var<storage, read> origin: array<u32>;
@group(0) @binding(5) var<storage, read_write> stays: array<u32>;
@group(0) @binding(6) var<uniform> params: Params;
@group(0) @binding(7) var<uniform> live: Live;

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
  for (var part = 0u; part < params.parts; part++) {
    running = mergeScores(running, scoresOfPart(found[(row * params.parts + part) * THREADS + local]));
  }
  partials[local] = running;
  joinPartials(local, min(params.classes, THREADS));
  if (local > 0) {
    return;
  }
  stays[row] = u32(!hasLeft(origin[row]) && !decide(origin[row], partials[0], params.classes));
}
