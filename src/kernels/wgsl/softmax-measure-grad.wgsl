// Gradient of softmax-measure, with p the softmax of the row, a and b its most and second most probable class, H its
// entropy: confidence p_a ([c=a] - p_c), margin p_a ([c=a] - p_c) - p_b ([c=b] - p_c), entropy -p_c (log p_c + H).
// logits, dlogits: [rows, classes], dy: [rows]. Of equal logits the first counts as more probable.
// Grid: one invocation per row and no barrier; of wide rows LANES, side by side.
// variants: wide
import package::lib::lanes::LANES;
import package::lib::lanes::Part;
import package::lib::lanes::THREADS;
import package::lib::lanes::partOf;
import package::lib::softmax_row::MEASURE;
import package::lib::softmax_row::SoftmaxRow;
import package::lib::softmax_row::live;
import package::lib::softmax_row::logits;
import package::lib::softmax_row::params;
import package::lib::softmax_row::softmaxRow;
import package::lib::softmax_weight::rescaling;
import package::lib::softmax_weight::softmaxWeight;
import package::lib::softmax_weight::VANISHING;

@group(0) @binding(3) var<storage, read> dy: array<f32>;
@group(0) @binding(4) var<storage, read_write> dlogits: array<f32>;

const NOWHERE = 0xffffffffu;

@if(wide) var<workgroup> places: array<vec2u, THREADS>;

// Where a and b are.
fn placesOf(row: SoftmaxRow, part: Part, local: u32) -> vec2u {
  var own = vec2u(NOWHERE);
  for (var i = part.start; i < part.end; i += LANES) {
    own.x = min(own.x, select(NOWHERE, i, logits[i] == row.greatest));
    own.y = min(own.y, select(NOWHERE, i, (logits[i] == row.second) & (i != own.x)));
  }
  @if(wide) {
    places[local] = own;
    workgroupBarrier();
    let first = local / LANES * LANES;
    var all = vec2u(NOWHERE);
    for (var other = first; other < first + LANES; other++) {
      let those = places[other];
      all.y = min(all.y, those.y);
      if (row.greatest == row.second) {
        all.y = min(all.y, max(all.x, those.x));
      }
      all.x = min(all.x, those.x);
    }
    return all;
  }
  @else {
    return own;
  }
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let part = partOf(group, local, live.rows * params.rowsPerSample, params.width);
  let row = softmaxRow(part, local);
  var at = vec2u();
  if (MEASURE < 2) {
    at = placesOf(row, part, local);
  }
  let first = 1.0 / row.sum;
  let second = rescaling(row.second, row.greatest) * first;
  let meanDistance = row.weighted * first;
  let grad = dy[part.row];
  for (var i = part.start; i < part.end; i += LANES) {
    let p = softmaxWeight(logits[i], row.greatest) * first;
    var derivative = first * (select(0.0, 1.0, i == at.x) - p);
    if (MEASURE == 1) {
      derivative -= second * (select(0.0, 1.0, i == at.y) - p);
    } else if (MEASURE == 2) {
      // log p + H = (z - m - log s) + (log s - the mean of z - m)
      derivative = -p * (max(logits[i] - row.greatest, VANISHING) - meanDistance);
    }
    dlogits[i] = grad * derivative;
  }
}
