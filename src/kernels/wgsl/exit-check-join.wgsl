// Exit check of very wide rows, second pass: joins the parts of exit-check-split, decides, and records as exit-check does.
// parts: [rows, params.parts]; origin: u32[rows]; records: one per row of the batch; stays: u32[rows].
// Grid: one invocation per row and no barrier; it takes the parts in their order.
import package::lib::exit_decision::decide;
import package::lib::exit_decision::hasLeft;
import package::lib::exit_part::ExitPart;
import package::lib::exit_part::scoresOfPart;
import package::lib::exit_scores::mergeScores;
import package::lib::exit_scores::noScores;
import package::lib::grid::linearIndex;
import package::lib::live::Live;

struct Params {
  classes: u32,
  parts: u32,
}

@group(0) @binding(3) var<storage, read> parts: array<ExitPart>;
@group(0) @binding(4) var<storage, read> origin: array<u32>;
@group(0) @binding(5) var<storage, read_write> stays: array<u32>;
@group(0) @binding(6) var<uniform> params: Params;
@group(0) @binding(7) var<uniform> live: Live;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let row = linearIndex(group, local, 64);
  if (row >= live.rows) {
    // As in exit-check.
    if (row == 0) {
      stays[0] = 0;
    }
    return;
  }
  var running = noScores();
  for (var part = 0u; part < params.parts; part++) {
    running = mergeScores(running, scoresOfPart(parts[row * params.parts + part]));
  }
  let at = origin[row];
  stays[row] = u32(!hasLeft(at) && !decide(at, running, params.classes));
}
