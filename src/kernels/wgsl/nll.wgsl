// Negative log-likelihood: y[n, d] = -weight[label] x[n, label, d] with label = label[n, d].
// x: [n, classes, inner] of log probabilities, label, y: [n, inner], weight: [classes]. A label that is none of the
// classes (as negative ones are) or equal to `ignore` is ignored: its loss is 0. Grid: one invocation per label.
import package::lib::grid::linearIndex;
import package::lib::live::Live;

struct Params {
  sizePerSample: u32,
  classes: u32,
  inner: u32,
  ignore: u32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> label: array<u32>;
@group(0) @binding(2) var<storage, read> weight: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;
@group(0) @binding(5) var<uniform> live: Live;

override WEIGHTED: bool = false;

const THREADS = 64u;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let index = linearIndex(group, local, THREADS);
  if (index >= live.rows * params.sizePerSample) {
    return;
  }
  let c = label[index];
  if (c >= params.classes || c == params.ignore) {
    y[index] = 0.0;
    return;
  }
  let inner = params.inner;
  let loss = -x[(index / inner * params.classes + c) * inner + index % inner];
  if (WEIGHTED) {
    y[index] = weight[c] * loss;
  } else {
    y[index] = loss;
  }
}
