// What the invocations of a workgroup found, joined by a tree whose shape depends on their number alone.
import package::lib::exit_scores::RunningScores;
import package::lib::exit_scores::mergeScores;

const THREADS = 128u;

var<workgroup> partials: array<RunningScores, THREADS>;

// Leaves in partials[0] what the first `count` invocations, at least one, found together. A loop of known length would
// be unrolled: software adapters then take seconds to compile it.
fn joinPartials(local: u32, count: u32) {
  workgroupBarrier();
  for (var left = count; left > 1; left = (left + 1) / 2) {
    let reach = (left + 1) / 2;
    if (local + reach < left) {
      partials[local] = mergeScores(partials[local], partials[local + reach]);
    }
    workgroupBarrier();
  }
}
