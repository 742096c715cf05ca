// Gradient of padding with x itself: dx[outer, p, behind] = sum of dy[outer, q, behind] over the positions q that show
// p, in ascending order. dx: [outer, xLength, behind], dy: [outer, yLength, behind].
// By MODE: 1 reflect, 2 edge, 3 wrap.
// Grid: one invocation per element of dx.
import package::lib::grid::linearIndex;
import package::lib::live::Live;

struct Params {
  outerPerSample: u32,
  xLength: u32,
  yLength: u32,
  behind: u32,
  before: u32,
}

@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(1) var<storage, read_write> dx: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;
@group(0) @binding(3) var<uniform> live: Live;

override MODE: u32 = 1;

const THREADS = 64u;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let shape = params;
  let i = linearIndex(group, local, THREADS);
  if (i >= live.rows * shape.outerPerSample * shape.xLength * shape.behind) {
    return;
  }
  let p = i / shape.behind % shape.xLength;
  let last = shape.xLength - 1;
  // Where the first element along the axis stands, of those around this one.
  let line = i / shape.behind / shape.xLength * shape.yLength * shape.behind + i % shape.behind;
  let itself = shape.before + p;

  var first = itself;
  var end = itself + 1;
  var apart = 1u;
  if (MODE == 2) {
    first = select(itself, 0, p == 0);
    end = select(end, shape.yLength, p == last);
  }
  if (MODE == 3) {
    first = itself % shape.xLength;
    end = shape.yLength;
    apart = shape.xLength;
  }
  var sum = 0.0;
  if (MODE == 1 && p > 0 && p <= shape.before) {
    sum += dy[line + (shape.before - p) * shape.behind];
  }
  for (var q = first; q < end; q += apart) {
    sum += dy[line + q * shape.behind];
  }
  let mirrored = shape.before + 2 * last - p;
  if (MODE == 1 && p < last && mirrored < shape.yLength) {
    sum += dy[line + mirrored * shape.behind];
  }
  dx[i] = sum;
}
