// Gradient of nll: dx[n, c, d] = -weight[c] dy[n, d] where c is the label, else 0.
// dx: [n, classes, inner], label, dy: [n, inner], weight: [classes]. Labels that are ignored as in nll.
// Grid: one invocation per element of dx.
import package::lib::grid::linearIndex;
import package::lib::live::Live;

struct Params {
  sizePerSample: u32,
  classes: u32,
  inner: u32,
  ignore: u32,
}

@group(0) @binding(0) var<storage, read> label: array<u32>;
@group(0) @binding(1) var<storage, read> weight: array<f32>;
@group(0) @binding(2) var<storage, read> dy: array<f32>;
@group(0) @binding(3) var<storage, read_write> dx: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;
@group(0) @binding(5) var<uniform> live: Live;

override WEIGHTED: bool = false;

const THREADS = 64u;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let index = linearIndex(group, local, THREADS);
  if (index >= live.rows * params.sizePerSample * params.classes) {
    return;
  }
  let inner = params.inner;
  let c = index / inner % params.classes;
  let at = index / inner / params.classes * inner + index % inner;
  var grad = 0.0;
  if (label[at] == c && c != params.ignore) {
    grad = -dy[at];
    if (WEIGHTED) {
      grad *= weight[c];
    }
  }
  dx[index] = grad;
}
