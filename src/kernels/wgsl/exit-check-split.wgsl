// Exit check of very wide rows, first pass: what every invocation has to say of its classes. exit-check-join decides.
// logits: f32 bits [rows, classes], or pairs of f16; found: [rows, params.parts, THREADS].
// Grid: one workgroup per part of a row; its invocations take the classes in turn. There is no barrier, and how many
// parts there are depends on the classes alone.
// variants: half
import package::lib::exit_logits::addWord;
import package::lib::exit_logits::wordsOf;
import package::lib::exit_part::ExitPart;
import package::lib::exit_part::partOf;
import package::lib::exit_scores::noScores;
import package::lib::exit_tree::THREADS;
import package::lib::grid::linearIndex;
import package::lib::live::Live;

struct Params {
  classes: u32,
  parts: u32,
}

@group(0) @binding(1) var<storage, read> logits: array<u32>;
@group(0) @binding(2) var<storage, read_write> found: array<ExitPart>;
@group(0) @binding(3) var<uniform> params: Params;
@group(0) @binding(4) var<uniform> live: Live;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let part = linearIndex(group, 0, 1);
  let row = part / params.parts;
  if (row >= live.rows) {
    return;
  }
  let words = wordsOf(params.classes);
  let length = (words + params.parts - 1) / params.parts;
  let first = (part % params.parts) * length;
  let end = min(first + length, words);
  var running = noScores();
  for (var at = first + local; at < end; at += THREADS) {
    running = addWord(running, logits[row * words + at], at, params.classes);
  }
  found[part * THREADS + local] = partOf(running);
}
