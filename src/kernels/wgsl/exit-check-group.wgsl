// Exit check and compaction of a small batch in one launch: records as exit-check writes them, and the rows that stay
// as compact lists them. logits: f32 bits [rows, classes], or [rows, classes + 1] with each row's halting score behind
// its logits; origin: u32[rows]; order, nextOrigin: u32[rows]; next: the live count of the rows that follow. Grid: one
// workgroup, an invocation per row; each counts those before its own that stay, so that one barrier is enough.
import package::lib::exit_decision::decideHalting;
import package::lib::exit_decision::hasLeft;
import package::lib::exit_scores::addLogit;
import package::lib::exit_scores::noScores;
import package::lib::exit_settings::settings;
import package::lib::live::Live;

// At most so many rows.
const THREADS = 64u;

struct Params {
  classes: u32,
  // 1 with a halting score.
  halting: u32,
}

@group(0) @binding(3) var<storage, read> logits: array<u32>;
@group(0) @binding(4) var<storage, read> origin: array<u32>;
@group(0) @binding(5) var<storage, read_write> order: array<u32>;
@group(0) @binding(6) var<storage, read_write> nextOrigin: array<u32>;
@group(0) @binding(7) var<storage, read_write> next: Live;
@group(0) @binding(8) var<uniform> params: Params;
@group(0) @binding(9) var<uniform> live: Live;

var<workgroup> staying: array<u32, THREADS>;

@compute @workgroup_size(THREADS)
fn main(@builtin(local_invocation_index) row: u32) {
  if (live.rows == 0) {
    if (row == 0) {
      next.rows = 0;
    }
    return;
  }
  var at = 0u;
  var stays = false;
  if (row < live.rows) {
    at = origin[row];
    if (!hasLeft(at)) {
      let start = row * (params.classes + params.halting);
      var running = noScores();
      for (var label = 0u; label < params.classes; label++) {
        running = addLogit(running, logits[start + label], settings.inverseTemperature, label);
      }
      var score = 0u;
      if (params.halting == 1) {
        score = logits[start + params.classes];
      }
      stays = !decideHalting(at, running, params.classes, score);
    }
  }
  staying[row] = u32(stays);
  workgroupBarrier();
  var count = 0u;
  var place = 0u;
  for (var other = 0u; other < live.rows; other++) {
    if (other == row) {
      place = count;
    }
    count += staying[other];
  }
  if (count > 0 && live.rows - count < settings.regroupFrom) {
    count = live.rows;
    place = row;
    stays = row < live.rows;
  }
  if (stays) {
    order[place] = row;
    nextOrigin[place] = at;
  }
  if (row == 0) {
    next.rows = count;
  }
}
