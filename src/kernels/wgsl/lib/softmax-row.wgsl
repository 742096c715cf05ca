// What the measures of a row's softmax and their gradients are made of, found in one pass: sums are rescaled whenever a
// greater logit turns up. logits: [rows, classes], in vectors of four where `quads`.
import package::lib::element::Element;
import package::lib::element::greatestOf;
import package::lib::element::secondOf;
import package::lib::element::totalOf;
import package::lib::element::weightOf;
import package::lib::lanes::LANES;
import package::lib::lanes::Part;
import package::lib::lanes::THREADS;
import package::lib::live::Live;
import package::lib::softmax_weight::LOWEST;
import package::lib::softmax_weight::VANISHING;

struct Params {
  // Elements of a row: numbers, or vectors of four.
  width: u32,
  rowsPerSample: u32,
}

@group(0) @binding(0) var<storage, read> logits: array<Element>;
@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<uniform> live: Live;

// 0 confidence, 1 margin, 2 entropy
override MEASURE: u32 = 0;

struct SoftmaxRow {
  greatest: f32,
  second: f32,
  // Of the weights exp(z - greatest).
  sum: f32,
  // Of (z - greatest) exp(z - greatest).
  weighted: f32,
}

@if(wide || quads) var<workgroup> found: array<SoftmaxRow, THREADS>;

fn rescaled(row: SoftmaxRow, greatest: f32) -> SoftmaxRow {
  let shift = max(row.greatest - greatest, VANISHING);
  let scale = exp(shift);
  return SoftmaxRow(greatest, row.second, row.sum * scale, (row.weighted + row.sum * shift) * scale);
}

// The second greatest logit of a row and of others, whose greatest and second are given.
fn secondWith(row: SoftmaxRow, greatest: f32, second: f32) -> f32 {
  return max(max(row.second, second), min(row.greatest, greatest));
}

fn softmaxRow(part: Part, local: u32) -> SoftmaxRow {
  var own = SoftmaxRow(LOWEST, LOWEST, 0, 0);
  for (var i = part.start; i < part.end; i += LANES) {
    let z = logits[i];
    let greatest = greatestOf(z);
    own.second = secondWith(own, greatest, secondOf(z));
    if (greatest > own.greatest) {
      own = rescaled(own, greatest);
    }
    let weight = weightOf(z, own.greatest);
    own.sum += totalOf(weight);
    own.weighted += totalOf(weight * max(z - own.greatest, Element(VANISHING)));
  }
  @if(wide || quads) {
    found[local] = own;
    workgroupBarrier();
    let first = local / LANES * LANES;
    var row = SoftmaxRow(LOWEST, LOWEST, 0, 0);
    for (var other = first; other < first + LANES; other++) {
      row.second = secondWith(row, found[other].greatest, found[other].second);
      row.greatest = max(row.greatest, found[other].greatest);
    }
    for (var other = first; other < first + LANES; other++) {
      let share = rescaled(found[other], row.greatest);
      row.sum += share.sum;
      row.weighted += share.weighted;
    }
    return row;
  }
  @else {
    return own;
  }
}
