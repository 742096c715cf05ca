// Exit check of wide rows: the same function, layout and decisions as exit-check, for many classes.
// logits: f32 bits [rows, classes], or pairs of f16; origin: u32[rows]; records: one per row of the batch; stays:
// u32[rows]. Grid: one workgroup per row; its invocations take the classes in turn, a tree of fixed shape joins what
// they found.
// variants: half
import package::lib::exit_decision::decide;
import package::lib::exit_decision::hasLeft;
import package::lib::exit_logits::addWord;
import package::lib::exit_logits::wordsOf;
import package::lib::exit_scores::noScores;
import package::lib::exit_tree::THREADS;
import package::lib::exit_tree::joinPartials;
import package::lib::exit_tree::partials;
import package::lib::grid::linearIndex;
import package::lib::live::Live;

struct Params {
  classes: u32,
}

@group(0) @binding(3) var<storage, read> logits: array<u32>;
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
  let words = wordsOf(params.classes);
  var running = noScores();
  for (var at = local; at < words; at += THREADS) {
    running = addWord(running, logits[row * words + at], at, params.classes);
  }
  partials[local] = running;
  joinPartials(local, min(words, THREADS));
  if (local > 0) {
    return;
  }
  stays[row] = u32(!hasLeft(origin[row]) && !decide(origin[row], partials[0], params.classes));
}
