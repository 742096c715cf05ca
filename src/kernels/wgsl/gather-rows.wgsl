// Rows in another order: y[row] = x[order[row]].
// x, y: [rows, size]; order: u32[rows]. Bounded by the live count of y's rows. Grid: one invocation per element.
import package::lib::grid::linearIndex;
import package::lib::live::Live;

struct Params {
  size: u32,
}

@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read> order: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<u32>;
@group(0) @binding(3) var<uniform> params: Params;
@group(0) @binding(4) var<uniform> live: Live;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let i = linearIndex(group, local, 64);
  if (i >= live.rows * params.size) {
    return;
  }
  let row = i / params.size;
  y[i] = x[order[row] * params.size + i % params.size];
}
