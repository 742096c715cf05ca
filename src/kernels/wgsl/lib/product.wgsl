// What the kernels of matrix products share: C = activate(A B + bias + residual), for each matrix of a batch; or the
// gradient before an activation whose result is `activated`, of which A B + residual is the gradient. SUMS: also the sums of the rows of A.
// A: [batch, m, k] and B: [batch, k, n] through strides, so that neither a transpose nor a matrix that several of the
// batch have in common costs anything; bias: [n]; C, residual, activated: [batch, m, n]; sums: [batch, m]. One of batch, m and k
// may grow with the samples, the batch along its outermost axis. An element of C is one chain of fma over k from 0 up
// in each of these kernels, so its bits depend neither on which of them computes it, nor on how many rows there are,
// nor on its place among them.
import package::lib::activation::activate;
import package::lib::activation::activationGrad;
import package::lib::live::Live;
import package::lib::number::Number;
import package::lib::number::Numbers;
import package::lib::tile::Tile;

struct Params {
  // Of the batch, from the outermost to the innermost: length, stride in A, stride in B.
  batchAxes: array<vec4u, 6>,
  batchRank: u32,
  batch: u32,
  // Elements from one to the next along m and k.
  aStrides: vec2u,
  // Elements from one to the next along k and n.
  bStrides: vec2u,
  m: u32,
  n: u32,
  k: u32,
  // Which of batch, m and k is that of one sample: 0, 1 or 2.
  sampleAxis: u32,
  // Invocations of a workgroup that stand side by side along n.
  lanes: u32,
}

@group(0) @binding(0) var<storage, read> a: array<Number>;
@group(0) @binding(1) var<storage, read> b: array<Number>;
@group(0) @binding(2) var<storage, read> bias: array<Number>;
@group(0) @binding(3) var<storage, read> activated: array<Number>;
@group(0) @binding(4) var<storage, read_write> c: array<Number>;
@group(0) @binding(5) var<uniform> params: Params;
@group(0) @binding(6) var<uniform> live: Live;
@group(0) @binding(7) var<storage, read> residual: array<Number>;
@group(0) @binding(8) var<storage, read_write> sums: array<f32>;

override BIAS: bool = false;
override RESIDUAL: bool = false;
override ACTIVATION: u32 = 0;
override ACTIVATION_GRAD: u32 = 0;
override SUMS: bool = false;

const FOUR = vec4u(0, 1, 2, 3);

fn samplesAlong(axis: u32) -> u32 {
  return select(1u, live.rows, params.sampleAxis == axis);
}

// Where a matrix of the batch begins in A and in B. The outermost axis takes what is left and needs no division.
fn startsOf(matrix: u32) -> vec2u {
  var rest = matrix;
  var at = vec2u();
  for (var axis = params.batchRank - 1; axis > 0; axis--) {
    let current = params.batchAxes[axis];
    at += rest % current.x * current.yz;
    rest /= current.x;
  }
  return at + rest * params.batchAxes[0].yz;
}

fn fourOfA(at: vec4u) -> vec4f {
  return vec4f(Numbers(a[at.x], a[at.y], a[at.z], a[at.w]));
}

fn fourOfB(at: vec4u) -> vec4f {
  return vec4f(Numbers(b[at.x], b[at.y], b[at.z], b[at.w]));
}

// What is stored as element `at` of C, in a column of which `sum` is that of A B.
fn finish(sum: f32, at: u32, column: u32) -> f32 {
  var result = sum;
  if (BIAS) {
    result += f32(bias[column]);
  }
  if (RESIDUAL) {
    result += f32(residual[at]);
  }
  if (ACTIVATION_GRAD != 0) {
    result = activationGrad(ACTIVATION_GRAD, f32(activated[at]), result);
  }
  return activate(ACTIVATION, result);
}

// Stores a tile whose first element is the given one, as far as C goes, and the sums of its rows of A. Loops from a
// row, or column, that is not known: drivers unroll what they can count, and take seconds to compile it.
fn storeTile(tile: Tile, upperSums: vec4f, lowerSums: vec4f, matrix: u32, m: u32, row: u32, column: u32) {
  if (SUMS && column == 0) {
    for (var i = row; i < min(row + 8, m); i++) {
      sums[matrix * m + i] = select(lowerSums[(i - row) % 4], upperSums[(i - row) % 4], i - row < 4);
    }
  }
  var left = array<vec4f, 8>(tile.l0, tile.l1, tile.l2, tile.l3, tile.l4, tile.l5, tile.l6, tile.l7);
  var right = array<vec4f, 8>(tile.r0, tile.r1, tile.r2, tile.r3, tile.r4, tile.r5, tile.r6, tile.r7);
  for (var i = row; i < min(row + 8, m); i++) {
    for (var j = column; j < min(column + 8, params.n); j++) {
      let at = (matrix * m + i) * params.n + j;
      let sum = select(right[i - row][(j - column) % 4], left[i - row][(j - column) % 4], j - column < 4);
      c[at] = Number(finish(sum, at, j));
    }
  }
}
