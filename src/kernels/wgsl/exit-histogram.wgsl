// Counts the rows that have left, by exit, label and score, each once: the marked are not counted again. Layouts, for
// each exit: histograms u32[labels: classes, scores: bins, rows not finite: 1]; edges f32[bins - 1], ascending. The bin
// of a score is the number of edges at or below it. Rows that are not finite have their place alone: their label says
// nothing, and they have no score. Grid: one invocation per record, of which there are `rows`. Sums of whole numbers
// are the same in any order.
import package::lib::exit_record::ExitRecord;
import package::lib::exit_record::GO_ON;
import package::lib::exit_record::NOT_FINITE;
import package::lib::exit_record::records;
import package::lib::grid::linearIndex;

struct Params {
  rows: u32,
  classes: u32,
  // Scores are told apart in so many, 2 or more.
  bins: u32,
  // Which score: that of the criterion's step of this number.
  measure: u32,
}

const CONFIDENCE = 0u;
const MARGIN = 1u;
// In place of the streak, which nobody asks for once the row has left.
const COUNTED = 0xffffffffu;

@group(0) @binding(0) var<storage, read> edges: array<f32>;
@group(0) @binding(1) var<storage, read_write> histograms: array<atomic<u32>>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let row = linearIndex(group, local, 64);
  if (row >= params.rows) {
    return;
  }
  let record = records[row];
  // Exits count from 1: with 0 there has been no row here yet.
  if (record.exit == 0 || record.decision == GO_ON || record.streak == COUNTED) {
    return;
  }
  records[row].streak = COUNTED;
  let exit = record.exit - 1;
  let start = exit * (params.classes + params.bins + 1);
  if ((record.label & NOT_FINITE) != 0) {
    atomicAdd(&histograms[start + params.classes + params.bins], 1);
    return;
  }
  var score = record.entropy;
  if (params.measure == CONFIDENCE) {
    score = record.confidence;
  } else if (params.measure == MARGIN) {
    score = record.margin;
  }
  var bin = 0u;
  for (var i = 0u; i < params.bins - 1; i++) {
    bin += u32(edges[exit * (params.bins - 1) + i] <= score);
  }
  atomicAdd(&histograms[start + record.label], 1);
  atomicAdd(&histograms[start + params.classes + bin], 1);
}
