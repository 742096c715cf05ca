// The product of lib/product, in registers alone: no feature, no barrier, and what there is to do for few rows.
// Grid: tiles of [n, m, batch]. The 64 invocations of a workgroup stand side by side along n, params.lanes of them,
// then along m; each computes 8 x 8 elements in registers, or 1 x 8 where only one row is left (a single sample).
// storage: f32 or f16
import package::lib::product::FOUR;
import package::lib::product::SUMS;
import package::lib::product::a;
import package::lib::product::fourOfA;
import package::lib::product::fourOfB;
import package::lib::product::params;
import package::lib::product::samplesAlong;
import package::lib::product::startsOf;
import package::lib::product::storeTile;
import package::lib::tile::Tile;
import package::lib::tile::addOuter;
@if(f16) enable f16;

const THREADS = 64u;
const TILE = 8u;

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
  let starts = startsOf(matrix);
  let aUpper = starts.x + min(row + FOUR, vec4u(m - 1)) * params.aStrides.x;
  let aLower = starts.x + min(row + 4 + FOUR, vec4u(m - 1)) * params.aStrides.x;
  let bLeft = starts.y + min(column + FOUR, vec4u(n - 1)) * params.bStrides.y;
  let bRight = starts.y + min(column + 4 + FOUR, vec4u(n - 1)) * params.bStrides.y;

  var tile = Tile();
  var upperSums = vec4f();
  var lowerSums = vec4f();
  // Two loops, one of which does nothing, instead of a branch: software adapters run both sides of a branch.
  let single = row + 1 == m;
  for (var i = 0u; i < select(k, 0u, single); i++) {
    let aStep = i * params.aStrides.y;
    let bStep = i * params.bStrides.x;
    let upper = fourOfA(aUpper + aStep);
    let lower = fourOfA(aLower + aStep);
    if (SUMS) {
      upperSums += upper;
      lowerSums += lower;
    }
    tile = addOuter(tile, upper, lower, fourOfB(bLeft + bStep), fourOfB(bRight + bStep));
  }
  for (var i = 0u; i < select(0u, k, single); i++) {
    let first = vec4f(f32(a[aUpper.x + i * params.aStrides.y]));
    let bStep = i * params.bStrides.x;
    if (SUMS) {
      upperSums += first;
    }
    tile.l0 = fma(first, fourOfB(bLeft + bStep), tile.l0);
    tile.r0 = fma(first, fourOfB(bRight + bStep), tile.r0);
  }
  storeTile(tile, upperSums, lowerSums, matrix, m, row, column);
}
