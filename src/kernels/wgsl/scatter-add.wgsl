// y[outer, place of indices[j], behind] += updates[outer, j, behind], for all j with that place in ascending order, so
// that the bits depend on nothing but the indices: the first of them, as `links` says, adds up for all.
// y: [outer, length, behind], updates: [outer, count, behind]; with EACH there is an index for each element of updates.
// Grid: one invocation per element of updates; those that are not the first have nothing to do.
// variants: u32
import package::lib::grid::linearIndex;
import package::lib::live::Live;
import package::lib::place::placeOf;
import package::lib::scatter::LATER;
import package::lib::scatter::NONE;
import package::lib::scatter::Params;

@if(u32) alias Element = u32;
@else alias Element = f32;

@group(0) @binding(0) var<storage, read> indices: array<u32>;
@group(0) @binding(1) var<storage, read> links: array<u32>;
@group(0) @binding(2) var<storage, read> updates: array<Element>;
@group(0) @binding(3) var<storage, read_write> y: array<Element>;
@group(0) @binding(4) var<uniform> params: Params;
@group(0) @binding(5) var<uniform> live: Live;

override EACH: bool = false;

const THREADS = 64u;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let shape = params;
  let i = linearIndex(group, local, THREADS);
  if (i >= live.rows * shape.sizePerSample) {
    return;
  }
  let row = i / shape.behind;
  let j = row % shape.count;
  let outer = row / shape.count;
  let index = select(j, i, EACH);
  let link = links[index];
  if ((link & LATER) != 0) {
    return;
  }
  // Where the first of this list stands in updates.
  let line = i - j * shape.behind;
  let place = placeOf(indices[index], shape.length, shape.isSigned);
  let at = (outer * shape.length + place) * shape.behind + i % shape.behind;
  var sum = y[at] + updates[i];
  var next = link;
  for (; next != NONE; next = links[select(next, line + next * shape.behind, EACH)] & NONE) {
    sum += updates[line + next * shape.behind];
  }
  y[at] = sum;
}
