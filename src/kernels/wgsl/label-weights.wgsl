// What each row counts for in a weighted mean: weight = classWeights[label]; 0 for a label that is ignored, that is one
// >= classes or equal to `ignore`. labels: u32[rows], classWeights: [classes], weights: [rows].
// Grid: one invocation per row.
import package::lib::grid::linearIndex;
import package::lib::live::Live;

struct Params {
  classes: u32,
  rowsPerSample: u32,
  ignore: u32,
}

@group(0) @binding(0) var<storage, read> labels: array<u32>;
@group(0) @binding(1) var<storage, read> classWeights: array<f32>;
@group(0) @binding(2) var<storage, read_write> weights: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;
@group(0) @binding(4) var<uniform> live: Live;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let row = linearIndex(group, local, 64);
  if (row >= live.rows * params.rowsPerSample) {
    return;
  }
  let label = labels[row];
  if (label >= params.classes || label == params.ignore) {
    weights[row] = 0.0;
  } else {
    weights[row] = classWeights[label];
  }
}
