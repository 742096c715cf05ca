// Exit check of rows of some hundred classes: the same function, layout and decisions as exit-check, without barriers.
// logits: f32 bits [rows, classes], or pairs of f16; origin: u32[rows]; records: one per row of the batch; stays:
// u32[rows]. Grid: one workgroup per ROWS rows, one subgroup per row; its invocations take the classes in turn and
// exchange what they found. The order of the sums, and so the last bits of scores, depends on the size of a subgroup.
// variants: half
import package::lib::exit_decision::decide;
import package::lib::exit_decision::hasLeft;
import package::lib::exit_logits::addWord;
import package::lib::exit_logits::wordsOf;
import package::lib::exit_scores::RunningScores;
import package::lib::exit_scores::mergeScores;
import package::lib::exit_scores::noScores;
import package::lib::grid::linearIndex;
import package::lib::live::Live;

enable subgroups;

// The largest size of a subgroup: a workgroup is made of whole ones, whatever theirs is. That neighbours make one is
// nowhere promised, and so on every adapter that was tried.
const THREADS = 128u;
const ROWS = 4u;

struct Params {
  classes: u32,
}

@group(0) @binding(3) var<storage, read> logits: array<u32>;
@group(0) @binding(4) var<storage, read> origin: array<u32>;
@group(0) @binding(5) var<storage, read_write> stays: array<u32>;
@group(0) @binding(6) var<uniform> params: Params;
@group(0) @binding(7) var<uniform> live: Live;

// What the invocation `mask` away found.
fn fromAfar(r: RunningScores, mask: u32) -> RunningScores {
  return RunningScores(
    subgroupShuffleXor(r.greatest, mask),
    subgroupShuffleXor(r.second, mask),
    subgroupShuffleXor(r.s, mask),
    subgroupShuffleXor(r.t, mask),
    subgroupShuffleXor(r.label, mask),
    subgroupShuffleXor(u32(r.finite), mask) == 1,
    subgroupShuffleXor(u32(r.empty), mask) == 1,
  );
}

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) local: u32,
  @builtin(subgroup_invocation_id) lane: u32,
  @builtin(subgroup_size) size: u32,
) {
  let first = linearIndex(group, 0, ROWS);
  // As in exit-check.
  if (live.rows == 0 && first == 0 && local == 0) {
    stays[0] = 0;
  }
  let words = wordsOf(params.classes);
  for (var turn = 0u; turn < ROWS; turn += THREADS / size) {
    let place = turn + local / size;
    let row = first + place;
    let alive = place < ROWS && row < live.rows;
    // Those without a row go along with none of its classes: subgroup operations want company.
    let end = select(0, words, alive);
    var running = noScores();
    for (var at = lane; at < end; at += size) {
      running = addWord(running, logits[row * words + at], at, params.classes);
    }
    for (var mask = 1u; mask < size; mask *= 2) {
      running = mergeScores(running, fromAfar(running, mask));
    }
    if (alive && lane == 0) {
      stays[row] = u32(!hasLeft(origin[row]) && !decide(origin[row], running, params.classes));
    }
  }
}
