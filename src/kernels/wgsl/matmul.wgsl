// C = activate(A B + bias), for each matrix of a batch; or the gradient before an activation whose result is
// `activated`, of which A B is the gradient. SUMS: also the sums of the rows of A.
// A: [batch, m, k] and B: [batch, k, n] through strides, so that a transpose costs nothing; bias: [n];
// C, activated: [batch, m, n]; sums: [batch, m]. One of batch, m and k may grow with the samples. An element of C is one chain of fma over k from 0
// up, so its bits depend neither on how many rows there are nor on its place among them.
// Grid: tiles of [n, m, batch]. The 64 invocations of a workgroup stand side by side along n, params.lanes of them,
// then along m; each computes 8 x 8 elements in registers, or 1 x 8 where only one row is left (a single sample).
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

const THREADS = 64u;
const TILE = 8u;
const FOUR = vec4u(0, 1, 2, 3);

fn samplesAlong(axis: u32) -> u32 {
  return select(1u, live.rows, params.sampleAxis == axis);
}

fn fourOfA(at: vec4u) -> vec4f {
  return vec4f(a[at.x], a[at.y], a[at.z], a[at.w]);
}

fn fourOfB(at: vec4u) -> vec4f {
  return vec4f(b[at.x], b[at.y], b[at.z], b[at.w]);
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let matrix = group.z;
  let m = params.m * samplesAlong(1);
  let n = params.n;
  let k = params.k * samplesAlong(2);
  let row = (group.y * (THREADS / params.lanes) + local / params.lanes) * TILE;
  let column = (group.x * params.lanes + local % params.lanes) * TILE;
  if (matrix >= params.batch * samplesAlong(0) || row >= m || column >= n) {
    return;
  }

  // Rows and columns beyond the edge repeat the last one and are not stored.
  let aAt = matrix * params.aStrides.x;
  let aUpper = aAt + min(row + FOUR, vec4u(m - 1)) * params.aStrides.y;
  let aLower = aAt + min(row + 4 + FOUR, vec4u(m - 1)) * params.aStrides.y;
  let bAt = matrix * params.bStrides.x;
  let bLeft = bAt + min(column + FOUR, vec4u(n - 1)) * params.bStrides.z;
  let bRight = bAt + min(column + 4 + FOUR, vec4u(n - 1)) * params.bStrides.z;

  // Sixteen variables and not an array: software adapters keep arrays in memory.
  var l0 = vec4f(); var r0 = vec4f();
  var l1 = vec4f(); var r1 = vec4f();
  var l2 = vec4f(); var r2 = vec4f();
  var l3 = vec4f(); var r3 = vec4f();
  var l4 = vec4f(); var r4 = vec4f();
  var l5 = vec4f(); var r5 = vec4f();
  var l6 = vec4f(); var r6 = vec4f();
  var l7 = vec4f(); var r7 = vec4f();
  var upperSums = vec4f(); var lowerSums = vec4f();
  // Two loops, one of which does nothing, instead of a branch: software adapters run both sides of a branch.
  let single = row + 1 == m;
  for (var i = 0u; i < select(k, 0u, single); i++) {
    let aStep = i * params.aStrides.z;
    let bStep = i * params.bStrides.y;
    let upper = fourOfA(aUpper + aStep);
    let lower = fourOfA(aLower + aStep);
    let left = fourOfB(bLeft + bStep);
    let right = fourOfB(bRight + bStep);
    if (SUMS) {
      upperSums += upper;
      lowerSums += lower;
    }
    l0 = fma(upper.xxxx, left, l0); r0 = fma(upper.xxxx, right, r0);
    l1 = fma(upper.yyyy, left, l1); r1 = fma(upper.yyyy, right, r1);
    l2 = fma(upper.zzzz, left, l2); r2 = fma(upper.zzzz, right, r2);
    l3 = fma(upper.wwww, left, l3); r3 = fma(upper.wwww, right, r3);
    l4 = fma(lower.xxxx, left, l4); r4 = fma(lower.xxxx, right, r4);
    l5 = fma(lower.yyyy, left, l5); r5 = fma(lower.yyyy, right, r5);
    l6 = fma(lower.zzzz, left, l6); r6 = fma(lower.zzzz, right, r6);
    l7 = fma(lower.wwww, left, l7); r7 = fma(lower.wwww, right, r7);
  }
  for (var i = 0u; i < select(0u, k, single); i++) {
    let first = vec4f(a[aUpper.x + i * params.aStrides.z]);
    let bStep = i * params.bStrides.y;
    if (SUMS) {
      upperSums += first;
    }
    l0 = fma(first, fourOfB(bLeft + bStep), l0);
    r0 = fma(first, fourOfB(bRight + bStep), r0);
  }

  if (SUMS && column == 0) {
    for (var i = 0u; i < min(TILE, m - row); i++) {
      sums[matrix * m + row + i] = select(lowerSums[i % 4], upperSums[i % 4], i < 4);
    }
  }
  var left = array<vec4f, TILE>(l0, l1, l2, l3, l4, l5, l6, l7);
  var right = array<vec4f, TILE>(r0, r1, r2, r3, r4, r5, r6, r7);
  for (var i = 0u; i < min(TILE, m - row); i++) {
    let at = (matrix * m + row + i) * n + column;
    for (var j = 0u; j < min(TILE, n - column); j++) {
      var sum = select(right[i][j % 4], left[i][j % 4], j < 4);
      if (BIAS) {
        sum += bias[column + j];
      }
      if (ACTIVATION_GRAD != 0) {
        sum = activationGrad(ACTIVATION_GRAD, activated[at + j], sum);
      }
      c[at + j] = activate(ACTIVATION, sum);
    }
  }
}
