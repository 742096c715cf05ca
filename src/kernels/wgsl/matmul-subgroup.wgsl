// The product of lib/product, with rows of A exchanged within quads, four invocations that exchange without memory:
// each loads one of four rows for all of them.
// Grid: tiles of [n, m, batch], a workgroup each. All its invocations have the same 16 rows, hence it does not matter
// which of them make a quad, and four columns each.
// storage: f32 or f16
import package::lib::number::Number;
import package::lib::product::FOUR;
import package::lib::product::SUMS;
import package::lib::product::a;
import package::lib::product::c;
import package::lib::product::finish;
import package::lib::product::fourOfA;
import package::lib::product::fourOfB;
import package::lib::product::params;
import package::lib::product::samplesAlong;
import package::lib::product::startsOf;
import package::lib::product::sums;
@if(f16) enable f16;

enable subgroups;

// A multiple of 4, so that quads are whole.
override THREADS: u32 = 32;

const ROWS = 16u;

// What the invocations of a quad hold.
fn ofQuad(value: f32) -> vec4f {
  return vec4f(quadBroadcast(value, 0), quadBroadcast(value, 1), quadBroadcast(value, 2), quadBroadcast(value, 3));
}

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) local: u32,
  @builtin(subgroup_invocation_id) lane: u32,
) {
  let matrix = group.z;
  let m = params.m * samplesAlong(1);
  let n = params.n;
  let k = params.k * samplesAlong(2);
  let row = group.y * ROWS;
  let column = (group.x * THREADS + local) * 4;
  // Those with no column go along: quads want company.
  if (matrix >= params.batch * samplesAlong(0) || row >= m) {
    return;
  }

  // Rows and columns beyond the edge repeat the last one and are not stored.
  let starts = startsOf(matrix);
  let own = starts.x + min(row + lane % 4 + 4 * FOUR, vec4u(m - 1)) * params.aStrides.x;
  let bAt = starts.y + min(column + FOUR, vec4u(n - 1)) * params.bStrides.y;

  // Sixteen variables and not an array: software adapters keep arrays in memory.
  var sum0 = vec4f(); var sum1 = vec4f(); var sum2 = vec4f(); var sum3 = vec4f();
  var sum4 = vec4f(); var sum5 = vec4f(); var sum6 = vec4f(); var sum7 = vec4f();
  var sum8 = vec4f(); var sum9 = vec4f(); var sum10 = vec4f(); var sum11 = vec4f();
  var sum12 = vec4f(); var sum13 = vec4f(); var sum14 = vec4f(); var sum15 = vec4f();
  var ownSums = vec4f();
  // Two loops, one of which does nothing, as in matmul.
  let few = m - row <= 4;
  for (var i = 0u; i < select(k, 0u, few); i++) {
    let ofA = fourOfA(own + i * params.aStrides.y);
    let four = fourOfB(bAt + i * params.bStrides.x);
    if (SUMS) {
      ownSums += ofA;
    }
    let rows0 = ofQuad(ofA.x);
    sum0 = fma(rows0.xxxx, four, sum0);
    sum1 = fma(rows0.yyyy, four, sum1);
    sum2 = fma(rows0.zzzz, four, sum2);
    sum3 = fma(rows0.wwww, four, sum3);
    let rows1 = ofQuad(ofA.y);
    sum4 = fma(rows1.xxxx, four, sum4);
    sum5 = fma(rows1.yyyy, four, sum5);
    sum6 = fma(rows1.zzzz, four, sum6);
    sum7 = fma(rows1.wwww, four, sum7);
    let rows2 = ofQuad(ofA.z);
    sum8 = fma(rows2.xxxx, four, sum8);
    sum9 = fma(rows2.yyyy, four, sum9);
    sum10 = fma(rows2.zzzz, four, sum10);
    sum11 = fma(rows2.wwww, four, sum11);
    let rows3 = ofQuad(ofA.w);
    sum12 = fma(rows3.xxxx, four, sum12);
    sum13 = fma(rows3.yyyy, four, sum13);
    sum14 = fma(rows3.zzzz, four, sum14);
    sum15 = fma(rows3.wwww, four, sum15);
  }
  for (var i = 0u; i < select(0u, k, few); i++) {
    let ofA = f32(a[own.x + i * params.aStrides.y]);
    let four = fourOfB(bAt + i * params.bStrides.x);
    if (SUMS) {
      ownSums.x += ofA;
    }
    let rows0 = ofQuad(ofA);
    sum0 = fma(rows0.xxxx, four, sum0);
    sum1 = fma(rows0.yyyy, four, sum1);
    sum2 = fma(rows0.zzzz, four, sum2);
    sum3 = fma(rows0.wwww, four, sum3);
  }

  if (SUMS) {
    let all = mat4x4f(ofQuad(ownSums.x), ofQuad(ownSums.y), ofQuad(ownSums.z), ofQuad(ownSums.w));
    if (column == 0) {
      for (var i = row; i < min(row + ROWS, m); i++) {
        sums[matrix * m + i] = all[(i - row) / 4][(i - row) % 4];
      }
    }
  }
  if (column >= n) {
    return;
  }
  var results = array<vec4f, ROWS>(
    sum0, sum1, sum2, sum3, sum4, sum5, sum6, sum7, sum8, sum9, sum10, sum11, sum12, sum13, sum14, sum15,
  );
  for (var i = row; i < min(row + ROWS, m); i++) {
    for (var j = column; j < min(column + 4, n); j++) {
      let at = (matrix * m + i) * n + j;
      c[at] = Number(finish(results[i - row][j - column], at, j));
    }
  }
}
