// Which positions share an index, so that one of them can add up for all: links[outer, j, behind] = the next position
// with the index of j, or NONE; with the bit LATER where j is not the first of them, or its index is out of range.
// indices, links: [outer, count, behind]; of lists that the samples make longer only the live part counts.
// Grid: one invocation per index; each walks along its list, which costs count^2 comparisons at most.
import package::lib::grid::linearIndex;
import package::lib::live::Live;
import package::lib::place::placeOf;
import package::lib::scatter::LATER;
import package::lib::scatter::NONE;
import package::lib::scatter::Params;

@group(0) @binding(0) var<storage, read> indices: array<u32>;
@group(0) @binding(1) var<storage, read_write> links: array<u32>;
@group(0) @binding(2) var<uniform> params: Params;
@group(0) @binding(3) var<uniform> live: Live;

const THREADS = 64u;

fn placeAt(i: u32) -> u32 {
  return placeOf(indices[i], params.length, params.isSigned);
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let shape = params;
  let i = linearIndex(group, local, THREADS);
  let total = live.rows * shape.sizePerSample;
  if (i >= total) {
    return;
  }
  let count = min(shape.count, total);
  let j = i / shape.behind % shape.count;
  let line = i - j * shape.behind;
  let place = placeAt(i);
  if (place >= shape.length) {
    links[i] = LATER | NONE;
    return;
  }
  var first = 0u;
  for (; first < j && placeAt(line + first * shape.behind) != place; first++) {
  }
  var next = j + 1;
  for (; next < count && placeAt(line + next * shape.behind) != place; next++) {
  }
  links[i] = select(NONE, next, next < count) | select(0u, LATER, first < j);
}
