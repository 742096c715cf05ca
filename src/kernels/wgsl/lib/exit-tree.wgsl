// What the invocations of a workgroup found, joined by a tree of fixed shape.
import package::lib::exit_scores::RunningScores;
import package::lib::exit_scores::mergeScores;

const THREADS = 128u;

// One of each invocation; of all together, in the first place, when they are joined.
var<workgroup> partials: array<RunningScores, THREADS>;

fn joinPartials(local: u32) {
  workgroupBarrier();
  for (var reach = THREADS / 2; reach > 0; reach /= 2) {
    if (local < reach) {
      partials[local] = mergeScores(partials[local], partials[local + reach]);
    }
    workgroupBarrier();
  }
}
