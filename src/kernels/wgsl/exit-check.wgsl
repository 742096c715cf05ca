// Exit check of narrow rows: label, confidence, margin, entropy and the decision, in one pass over the classes.
// logits: f32 bits [rows, classes], or [rows, classes + 1] with each row's halting score behind its logits, or pairs of
// f16; origin: u32[rows], where in the batch each row came from; records: one per row of the batch, at its origin;
// stays: u32[rows], 1 for a row that goes on.
// Grid: one invocation per row and no barrier.
// variants: half
import package::lib::exit_decision::decideHalting;
import package::lib::exit_decision::hasLeft;
import package::lib::exit_logits::addWord;
import package::lib::exit_logits::wordsOf;
import package::lib::exit_scores::noScores;
import package::lib::grid::linearIndex;
import package::lib::live::Live;

struct Params {
  classes: u32,
  // 1 with a halting score.
  halting: u32,
}

@group(0) @binding(3) var<storage, read> logits: array<u32>;
@group(0) @binding(4) var<storage, read> origin: array<u32>;
@group(0) @binding(5) var<storage, read_write> stays: array<u32>;
@group(0) @binding(6) var<uniform> params: Params;
@group(0) @binding(7) var<uniform> live: Live;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let row = linearIndex(group, local, 64);
  if (row >= live.rows) {
    // Of a single row, `stays` is the live count of those that follow: they must hear that there is none.
    if (row == 0) {
      stays[0] = 0;
    }
    return;
  }
  if (hasLeft(origin[row])) {
    stays[row] = 0;
    return;
  }
  let words = wordsOf(params.classes);
  let start = row * (words + params.halting);
  var running = noScores();
  for (var at = 0u; at < words; at++) {
    running = addWord(running, logits[start + at], at, params.classes);
  }
  var score = 0u;
  if (params.halting == 1) {
    score = logits[start + words];
  }
  stays[row] = u32(!decideHalting(origin[row], running, params.classes, score));
}
