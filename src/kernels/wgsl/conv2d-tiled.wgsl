// The convolution of lib/convolution, as a product through workgroup memory: the weights, [channels, taps], by the
// inputs that the taps meet, [taps, pixels], which are gathered where a tile needs them and never stored.
// Grid: tiles of [pixels of all samples, a group's output channels, groups], a workgroup each: 64 x 64 sums, its 8 x 8
// invocations have 8 x 8 of them in registers. The pixels of a sample are numbered row by row, POOL: window by window.
// storage: f32 or f16
import package::lib::convolution::FOUR;
import package::lib::convolution::POOL;
import package::lib::convolution::activated;
import package::lib::convolution::finishFour;
import package::lib::convolution::finishOf;
import package::lib::convolution::inputAt;
import package::lib::convolution::live;
import package::lib::convolution::params;
import package::lib::convolution::weight;
import package::lib::convolution::y;
import package::lib::extremes::greater;
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

// Where the first tap of a pixel meets x, as plane, row and column; what is before an edge has wrapped around.
fn cornerOf(pixel: u32, side: u32, width: u32, plane: u32) -> vec3u {
  let output = pixel / (side * side);
  let outY = output % plane / width * side + pixel / 2 % side;
  let outX = output % width * side + pixel % side;
  return vec3u(
    output / plane * params.inChannels,
    outY * params.strideY - params.padTop,
    outX * params.strideX - params.padLeft,
  );
}

// One element of x; a row beyond the edge has no width.
fn inputIn(place: vec3u, height: u32, width: u32) -> f32 {
  return inputAt((place.x * height + place.y) * width, place.z, select(0, width, place.y < height));
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  // Read once: software adapters would read a uniform again at each use.
  let shape = params;
  // An element of y is that of one pixel, or the greatest of a window.
  let side = select(1u, 2u, POOL);
  let width = shape.outWidth / side;
  let plane = shape.outHeight / side * width;
  let pixels = live.rows * shape.samples * plane * side * side;
  if (group.x * SIDE >= pixels) {
    return;
  }
  let taps = shape.groupInChannels * shape.kernelHeight * shape.kernelWidth;
  let groupIn = group.z * shape.groupInChannels;
  let groupOut = group.z * shape.groupOutChannels;

  // What lies beyond an edge is fetched from it, and not used.
  let pixel = group.x * SIDE + local % FOURS * 4;
  let corner0 = cornerOf(min(pixel, pixels - 1), side, width, plane);
  let corner1 = cornerOf(min(pixel + 1, pixels - 1), side, width, plane);
  let corner2 = cornerOf(min(pixel + 2, pixels - 1), side, width, plane);
  let corner3 = cornerOf(min(pixel + 3, pixels - 1), side, width, plane);

  let column = local % 8;
  let row = local / 8;
  var tile = Tile();
  for (var start = 0u; start < taps; start += DEPTH) {
    for (var index = local; index < FOURS * DEPTH; index += THREADS) {
      // Neighbours take neighbouring taps of the weights, and neighbouring pixels of the inputs.
      let channels = min(group.y * SIDE + index / DEPTH * 4 + FOUR, vec4u(shape.groupOutChannels - 1));
      let at = (groupOut + channels) * taps + min(start + index % DEPTH, taps - 1);
      rowTile[index % DEPTH * PITCH + index / DEPTH] =
        vec4f(f32(weight[at.x]), f32(weight[at.y]), f32(weight[at.z]), f32(weight[at.w]));

      let tap = min(start + index / FOURS, taps - 1);
      let tapRow = tap / shape.kernelWidth;
      let place = vec3u(
        groupIn + tapRow / shape.kernelHeight,
        tapRow % shape.kernelHeight * shape.dilationY,
        tap % shape.kernelWidth * shape.dilationX,
      );
      columnTile[index / FOURS * PITCH + index % FOURS] = vec4f(
        inputIn(corner0 + place, shape.inHeight, shape.inWidth),
        inputIn(corner1 + place, shape.inHeight, shape.inWidth),
        inputIn(corner2 + place, shape.inHeight, shape.inWidth),
        inputIn(corner3 + place, shape.inHeight, shape.inWidth),
      );
    }
    workgroupBarrier();
    for (var i = 0u; i < min(DEPTH, taps - start); i++) {
      let at = i * PITCH;
      let upper = rowTile[at + 2 * row];
      let lower = rowTile[at + 2 * row + 1];
      // Half a tile apart, so that neighbours read, and store, side by side.
      tile = addOuter(tile, upper, lower, columnTile[at + column], columnTile[at + FOURS / 2 + column]);
    }
    workgroupBarrier();
  }

  var left = array<vec4f, 8>(tile.l0, tile.l1, tile.l2, tile.l3, tile.l4, tile.l5, tile.l6, tile.l7);
  var right = array<vec4f, 8>(tile.r0, tile.r1, tile.r2, tile.r3, tile.r4, tile.r5, tile.r6, tile.r7);
  let firstPixel = group.x * SIDE + column * 4;
  let firstChannel = group.y * SIDE + row * 8;
  for (var first = firstPixel; first < min(firstPixel + SIDE, pixels); first += SIDE / 2) {
    for (var pixel = first; pixel < min(first + 4, pixels); pixel += side * side) {
      let output = pixel / (side * side);
      let at = output + output / plane * (shape.outChannels - 1) * plane;
      for (var i = firstChannel; i < min(firstChannel + 8, shape.groupOutChannels); i++) {
        let channel = groupOut + i;
        let sums = select(right[i - firstChannel], left[i - firstChannel], first == firstPixel);
        let four = finishFour(sums, finishOf(channel));
        var result = four[pixel - first];
        if (POOL) {
          result = greater(greater(four.x, four.y), greater(four.z, four.w));
        }
        y[at + channel * plane] = activated(result, at + channel * plane);
      }
    }
  }
}
