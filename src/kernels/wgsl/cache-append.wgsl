// Writes into a cache: y[outer, p, behind] = update[outer, i, behind] at p = position + i. CIRCULAR: at p modulo
// length; else what has no place is left out.
// update: [outer, count, behind], y: [outer, length, behind], of any dtype: the bits move; positions: one
// for each `outerPerBatch` of the outer ones, or one for all.
// Grid: one invocation per element of update.
// storage: 4 bytes or f16
import package::lib::grid::linearIndex;
import package::lib::live::Live;
import package::lib::word::Word;
@if(f16) enable f16;

struct Params {
  sizePerSample: u32,
  count: u32,
  length: u32,
  behind: u32,
  // Outer ones for each position; 0 where all have one.
  outerPerBatch: u32,
}

@group(0) @binding(0) var<storage, read> update: array<Word>;
@group(0) @binding(1) var<storage, read> positions: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<Word>;
@group(0) @binding(3) var<uniform> params: Params;
@group(0) @binding(4) var<uniform> live: Live;

override CIRCULAR: bool = false;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let index = linearIndex(group, local, 64);
  if (index >= live.rows * params.sizePerSample) {
    return;
  }
  let outer = index / params.behind / params.count;
  var first = positions[0];
  if (params.outerPerBatch > 0) {
    first = positions[outer / params.outerPerBatch];
  }
  let i = index / params.behind % params.count;
  if (CIRCULAR) {
    first %= params.length;
    // Of more than there is room for, the last ones stay.
    if (i + params.length < params.count) {
      return;
    }
  }
  let place = select(first + i, (first + i) % params.length, CIRCULAR);
  if (first < params.length && place < params.length) {
    y[(outer * params.length + place) * params.behind + index % params.behind] = update[index];
  }
}
