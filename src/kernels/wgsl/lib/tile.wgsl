// What kernels share that compute tiles of a product: the sums of an invocation, and, of those that go through workgroup
// memory, a workgroup's part of both factors. There its 8 x 8 invocations have 64 x 64 sums.
const THREADS = 64u;
const SIDE = 64u;
// Fours of rows, or of columns, in a tile.
const FOURS = 16u;
// From one k to the next: one more, so that neighbours along k lie in different banks.
const PITCH = FOURS + 1;
// How much of k is in workgroup memory at a time.
const DEPTH = 16u;

var<workgroup> rowTile: array<vec4f, DEPTH * (FOURS + 1)>;
var<workgroup> columnTile: array<vec4f, DEPTH * (FOURS + 1)>;

// 8 x 8 sums in registers: the left and the right four columns of each row. Sixteen fields and not an array:
// software adapters keep arrays in memory.
struct Tile {
  l0: vec4f, r0: vec4f,
  l1: vec4f, r1: vec4f,
  l2: vec4f, r2: vec4f,
  l3: vec4f, r3: vec4f,
  l4: vec4f, r4: vec4f,
  l5: vec4f, r5: vec4f,
  l6: vec4f, r6: vec4f,
  l7: vec4f, r7: vec4f,
}

// The tile with one k more: eight of the rows' factor there, and eight of the columns'.
fn addOuter(tile: Tile, upper: vec4f, lower: vec4f, left: vec4f, right: vec4f) -> Tile {
  return Tile(
    fma(upper.xxxx, left, tile.l0), fma(upper.xxxx, right, tile.r0),
    fma(upper.yyyy, left, tile.l1), fma(upper.yyyy, right, tile.r1),
    fma(upper.zzzz, left, tile.l2), fma(upper.zzzz, right, tile.r2),
    fma(upper.wwww, left, tile.l3), fma(upper.wwww, right, tile.r3),
    fma(lower.xxxx, left, tile.l4), fma(lower.xxxx, right, tile.r4),
    fma(lower.yyyy, left, tile.l5), fma(lower.yyyy, right, tile.r5),
    fma(lower.zzzz, left, tile.l6), fma(lower.zzzz, right, tile.r6),
    fma(lower.wwww, left, tile.l7), fma(lower.wwww, right, tile.r7),
  );
}
