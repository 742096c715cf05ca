// The product of lib/product, through workgroup memory: A and B are fetched once for 64 x 64 elements of C.
// Grid: tiles of [n, m, batch], a workgroup each; its 8 x 8 invocations compute 8 x 8 elements in registers.
// storage: f32 or f16
import package::lib::product::FOUR;
import package::lib::product::SUMS;
import package::lib::product::fourOfA;
import package::lib::product::fourOfB;
import package::lib::product::params;
import package::lib::product::samplesAlong;
import package::lib::product::startsOf;
import package::lib::product::storeTile;
import package::lib::tile::DEPTH;
import package::lib::tile::FOURS;
import package::lib::tile::PITCH;
import package::lib::tile::SIDE;
import package::lib::tile::THREADS;
import package::lib::tile::Tile;
import package::lib::tile::addOuter;
import package::lib::tile::columnTile;
import package::lib::tile::rowTile;
@if(f16) enable f16;

// Where neighbours take neighbouring elements from, as [four, k]: along k, or along the other axis.
fn placeOf(index: u32, alongK: bool) -> vec2u {
  return select(vec2u(index % FOURS, index / FOURS), vec2u(index / DEPTH, index % DEPTH), alongK);
}

// Even fours, then odd ones: the left fours of neighbouring invocations lie side by side, and so do the right ones.
fn slotOf(place: vec2u) -> u32 {
  return place.y * PITCH + place.x / 2 + (place.x % 2) * (FOURS / 2);
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let matrix = group.z;
  let m = params.m * samplesAlong(1);
  let n = params.n;
  let k = params.k * samplesAlong(2);
  if (matrix >= params.batch * samplesAlong(0) || group.y * SIDE >= m) {
    return;
  }
  let x = local % 8;
  let y = local / 8;
  let starts = startsOf(matrix);

  var tile = Tile();
  var upperSums = vec4f();
  var lowerSums = vec4f();
  for (var start = 0u; start < k; start += DEPTH) {
    // What lies beyond an edge is fetched from it, and not used.
    for (var index = local; index < FOURS * DEPTH; index += THREADS) {
      let inA = placeOf(index, params.aStrides.y == 1);
      let rows = min(group.y * SIDE + inA.x * 4 + FOUR, vec4u(m - 1));
      rowTile[slotOf(inA)] = fourOfA(starts.x + rows * params.aStrides.x + min(start + inA.y, k - 1) * params.aStrides.y);
      let inB = placeOf(index, params.bStrides.x == 1);
      let columns = min(group.x * SIDE + inB.x * 4 + FOUR, vec4u(n - 1));
      columnTile[slotOf(inB)] = fourOfB(starts.y + columns * params.bStrides.y + min(start + inB.y, k - 1) * params.bStrides.x);
    }
    workgroupBarrier();
    for (var i = 0u; i < min(DEPTH, k - start); i++) {
      let at = i * PITCH;
      let upper = rowTile[at + y];
      let lower = rowTile[at + FOURS / 2 + y];
      if (SUMS) {
        upperSums += upper;
        lowerSums += lower;
      }
      tile = addOuter(tile, upper, lower, columnTile[at + x], columnTile[at + FOURS / 2 + x]);
    }
    workgroupBarrier();
  }
  let row = group.y * SIDE + y * 8;
  let column = group.x * SIDE + x * 8;
  if (row < m && column < n) {
    storeTile(tile, upperSums, lowerSums, matrix, m, row, column);
  }
}
