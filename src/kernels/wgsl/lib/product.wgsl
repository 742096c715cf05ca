// What the kernels of matrix products share: bindings, settings, and what is done to an element before it is stored.
// A: [batch, m, k] and B: [batch, k, n] through strides, so that a transpose costs nothing; bias: [n];
// C, activated: [batch, m, n]; sums: [batch, m].
import package::lib::activation::activate;
import package::lib::activation::activationGrad;
import package::lib::live::Live;

struct Params {
  // Elements from one to the next along batch, m and k.
  aStrides: vec3u,
  batch: u32,
  // Elements from one to the next along batch, k and n.
  bStrides: vec3u,
  m: u32,
  n: u32,
  k: u32,
  // Which of batch, m and k is that of one sample: 0, 1 or 2.
  sampleAxis: u32,
  // Invocations of a workgroup that stand side by side along n.
  lanes: u32,
}

@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read> activated: array<f32>;
@group(0) @binding(4) var<storage, read_write> c: array<f32>;
@group(0) @binding(5) var<storage, read_write> sums: array<f32>;
@group(0) @binding(6) var<uniform> params: Params;
@group(0) @binding(7) var<uniform> live: Live;

override BIAS: bool = false;
override ACTIVATION: u32 = 0;
override ACTIVATION_GRAD: u32 = 0;
override SUMS: bool = false;

fn samplesAlong(axis: u32) -> u32 {
  return select(1u, live.rows, params.sampleAxis == axis);
}

// What is stored as element `at` of C, in a column, where `sum` is that of A B.
fn finish(sum: f32, at: u32, column: u32) -> f32 {
  var result = sum;
  if (BIAS) {
    result += bias[column];
  }
  if (ACTIVATION_GRAD != 0) {
    result = activationGrad(ACTIVATION_GRAD, activated[at], result);
  }
  return activate(ACTIVATION, result);
}
