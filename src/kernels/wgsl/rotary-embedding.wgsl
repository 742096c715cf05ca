// Rotary position embedding (Su et al. 2021, RoFormer, equation 34): each pair (p, q) of the first `dimensions` numbers
// of a vector becomes (p cos - q sin, p sin + q cos), the rest stays. Pairs are neighbours where INTERLEAVED, else q
// stands half the dimensions behind p. INVERSE turns the other way.
// x, y: [batch, ..., count positions, ..., size], `inner` vectors having a position in common;
// cos, sin: [tables, length, dimensions / 2]; positions: [batch, count] or [count], where there are any: the row of the
// table, the last one if it has too few.
// Grid: one invocation per element.
// storage: f32 or f16
import package::lib::grid::linearIndex;
import package::lib::live::Live;
import package::lib::number::Number;
@if(f16) enable f16;

struct Params {
  sizePerSample: u32,
  size: u32,
  inner: u32,
  count: u32,
  // Vectors for each of the batch.
  vectors: u32,
  dimensions: u32,
  length: u32,
  // Rows of the tables from one of the batch to the next; 0 where they share them.
  tableStride: u32,
  hasPositions: u32,
  positionStride: u32,
}

@group(0) @binding(0) var<storage, read> x: array<Number>;
@group(0) @binding(1) var<storage, read> cosines: array<Number>;
@group(0) @binding(2) var<storage, read> sines: array<Number>;
@group(0) @binding(3) var<storage, read> positions: array<u32>;
@group(0) @binding(4) var<storage, read_write> y: array<Number>;
@group(0) @binding(5) var<uniform> params: Params;
@group(0) @binding(6) var<uniform> live: Live;

override INTERLEAVED: bool = false;
override INVERSE: bool = false;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let index = linearIndex(group, local, 64);
  if (index >= live.rows * params.sizePerSample) {
    return;
  }
  let element = index % params.size;
  if (element >= params.dimensions) {
    y[index] = x[index];
    return;
  }
  let vector = index / params.size;
  let batch = vector / params.vectors;
  let place = vector / params.inner % params.count;
  var position = place;
  if (params.hasPositions == 1) {
    position = positions[batch * params.positionStride + place];
  }
  let half = params.dimensions / 2;
  let pair = select(element % half, element / 2, INTERLEAVED);
  let isSecond = select(element >= half, element % 2 == 1, INTERLEAVED);
  let distance = select(half, 1u, INTERLEAVED);
  let first = select(index, index - distance, isSecond);
  let p = f32(x[first]);
  let q = f32(x[first + distance]);
  let at = (batch * params.tableStride + min(position, params.length - 1)) * half + pair;
  let cosine = f32(cosines[at]);
  let sine = f32(select(sines[at], -sines[at], INVERSE));
  y[index] = Number(select(p * cosine - q * sine, p * sine + q * cosine, isSecond));
}
