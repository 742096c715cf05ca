// One measure of each row's softmax p = exp(z - m) / s, with m the greatest logit and s = sum exp(z - m):
// confidence = 1 / s, margin = (1 - exp(second - m)) / s, entropy = log s - sum (z - m) exp(z - m) / s, in nats.
// logits: [rows, classes], y: [rows]. -Inf is a probability of 0; NaN or +Inf, or nothing but -Inf, gives NaN.
// Grid: one invocation per row and no barrier; of wide rows LANES, side by side.
// variants: wide quads
import package::lib::float_bits::notANumber;
import package::lib::lanes::LANES;
import package::lib::lanes::THREADS;
import package::lib::lanes::partOf;
import package::lib::softmax_row::MEASURE;
import package::lib::softmax_row::live;
import package::lib::softmax_row::params;
import package::lib::softmax_row::softmaxRow;
import package::lib::softmax_weight::rescaling;

@group(0) @binding(3) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let part = partOf(group, local, live.rows * params.rowsPerSample, params.width);
  let row = softmaxRow(part, local);
  if (part.end == 0 || local % LANES > 0) {
    return;
  }
  if (row.sum < 1.0) {
    y[part.row] = notANumber();
  } else if (MEASURE == 0) {
    y[part.row] = 1.0 / row.sum;
  } else if (MEASURE == 1) {
    y[part.row] = (1.0 - rescaling(row.second, row.greatest)) / row.sum;
  } else {
    y[part.row] = log(row.sum) - row.weighted / row.sum;
  }
}
