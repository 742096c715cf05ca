// Softmax of wide rows: the same function, layout and treatment of non-finite values as softmax.
// x, y: [rows, cols]. Rows from live.rows * params.rowsPerSample on keep what they hold.
// Grid: one workgroup per row; THREADS, a power of two, fixes the order of the sums.
import package::lib::grid::linearIndex;
import package::lib::live::Live;
import package::lib::softmax_weight::softmaxWeight;
import package::lib::softmax_weight::LOWEST;

struct Params {
  cols: u32,
  rowsPerSample: u32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;
@group(0) @binding(3) var<uniform> live: Live;

override THREADS: u32 = 64;

var<workgroup> partials: array<f32, THREADS>;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let row = linearIndex(group, 0, 1);
  if (row >= live.rows * params.rowsPerSample) {
    return;
  }
  let first = row * params.cols + local;
  let end = (row + 1) * params.cols;

  var maximum = LOWEST;
  for (var i = first; i < end; i += THREADS) {
    maximum = max(maximum, x[i]);
  }
  partials[local] = maximum;
  workgroupBarrier();
  for (var half = THREADS / 2; half > 0; half /= 2) {
    if (local < half) {
      partials[local] = max(partials[local], partials[local + half]);
    }
    workgroupBarrier();
  }
  maximum = partials[0];
  workgroupBarrier();

  var sum = 0.0;
  for (var i = first; i < end; i += THREADS) {
    let weight = softmaxWeight(x[i], maximum);
    y[i] = weight;
    sum += weight;
  }
  partials[local] = sum;
  workgroupBarrier();
  for (var half = THREADS / 2; half > 0; half /= 2) {
    if (local < half) {
      partials[local] += partials[local + half];
    }
    workgroupBarrier();
  }
  sum = partials[0];
  for (var i = first; i < end; i += THREADS) {
    y[i] /= sum;
  }
}
