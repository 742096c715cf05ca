// What each label counts for in a weighted mean: weight = classWeights[label]; 0 for a label that is ignored: one that
// is none of the classes (as negative ones are) or equal to `ignore`.
// labels, weights: [sizePerSample * samples], classWeights: [classes]. Grid: one invocation per label.
import package::lib::grid::linearIndex;
import package::lib::live::Live;

struct Params {
  classes: u32,
  sizePerSample: u32,
  ignore: u32,
}

@group(0) @binding(0) var<storage, read> labels: array<u32>;
@group(0) @binding(1) var<storage, read> classWeights: array<f32>;
@group(0) @binding(2) var<storage, read_write> weights: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;
@group(0) @binding(4) var<uniform> live: Live;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let index = linearIndex(group, local, 64);
  if (index >= live.rows * params.sizePerSample) {
    return;
  }
  let label = labels[index];
  if (label >= params.classes || label == params.ignore) {
    weights[index] = 0.0;
  } else {
    weights[index] = classWeights[label];
  }
}
