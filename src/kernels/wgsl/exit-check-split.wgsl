// Exit check of very wide rows, first pass: what the parts of a row have to say. exit-check-join decides.
// logits: f32 bits [rows, classes], or pairs of f16; parts: [rows, params.parts].
// Grid: one workgroup per part of a row; its invocations take the classes in turn, a tree of fixed shape joins what they
// found. How many parts there are depends on the classes alone.
// variants: half
import package::lib::exit_logits::scoresOf;
import package::lib::exit_logits::wordsOf;
import package::lib::exit_part::ExitPart;
import package::lib::exit_part::partOf;
import package::lib::exit_tree::THREADS;
import package::lib::exit_tree::joinPartials;
import package::lib::exit_tree::partials;
import package::lib::grid::linearIndex;
import package::lib::live::Live;

struct Params {
  classes: u32,
  parts: u32,
}

@group(0) @binding(4) var<storage, read_write> parts: array<ExitPart>;
@group(0) @binding(5) var<uniform> params: Params;
@group(0) @binding(6) var<uniform> live: Live;

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
  partials[local] = scoresOf(row, params.classes, first + local, min(first + length, words), THREADS);
  joinPartials(local);
  if (local == 0) {
    parts[part] = partOf(partials[0]);
  }
}
