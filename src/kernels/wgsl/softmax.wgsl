// Softmax of narrow rows: y = exp(x - max) / sum, sum = sum over cols of exp(x - max); LOG: y = x - max - log(sum).
// x, y: [rows, cols], or STRIDED: [rows / stride, cols, stride]. Rows from live.rows * params.rowsPerSample on keep
// what they hold. -Inf becomes 0, its logarithm -Inf; a row with NaN or +Inf, or of nothing but -Inf, becomes NaN in
// every column.
// Grid: one invocation per row and no barrier, which is what costs on software adapters.
// storage: f32 or f16
import package::lib::grid::linearIndex;
import package::lib::live::Live;
import package::lib::logarithm::logarithm;
import package::lib::number::Number;
import package::lib::softmax_weight::softmaxWeight;
import package::lib::softmax_weight::LOWEST;
@if(f16) enable f16;

struct Params {
  cols: u32,
  rowsPerSample: u32,
  // From one column to the next, where STRIDED.
  stride: u32,
}

@group(0) @binding(0) var<storage, read> x: array<Number>;
@group(0) @binding(1) var<storage, read_write> y: array<Number>;
@group(0) @binding(2) var<uniform> params: Params;
@group(0) @binding(3) var<uniform> live: Live;

override THREADS: u32 = 64;
override STRIDED: bool = false;
override LOG: bool = false;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let row = linearIndex(group, local, THREADS);
  if (row >= live.rows * params.rowsPerSample) {
    return;
  }
  var stride = 1u;
  var start = row * params.cols;
  if (STRIDED) {
    stride = params.stride;
    start = row / stride * stride * params.cols + row % stride;
  }
  let end = start + params.cols * stride;

  var maximum = LOWEST;
  for (var i = start; i < end; i += stride) {
    maximum = max(maximum, f32(x[i]));
  }
  var sum = 0.0;
  for (var i = start; i < end; i += stride) {
    let weight = softmaxWeight(f32(x[i]), maximum);
    if (!LOG) {
      y[i] = Number(weight);
    }
    sum += weight;
  }
  let logSum = logarithm(sum);
  for (var i = start; i < end; i += stride) {
    if (LOG) {
      y[i] = Number((f32(x[i]) - maximum) - logSum);
    } else {
      y[i] = Number(f32(y[i]) / sum);
    }
  }
}
