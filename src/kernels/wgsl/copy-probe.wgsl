// What memory can do: y = x. x, y: [count], words of any dtype, or vectors of four where `wide`.
// Grid: ELEMENTS words or vectors per invocation, THREADS apart, so that neighbours read neighbours; several, since
// software adapters pay for each workgroup.
// variants: wide
import package::lib::grid::linearIndex;

@if(wide) alias Element = vec4u;
@else alias Element = u32;

struct Params {
  // Words, or vectors.
  count: u32,
}

@group(0) @binding(0) var<storage, read> x: array<Element>;
@group(0) @binding(1) var<storage, read_write> y: array<Element>;
@group(0) @binding(2) var<uniform> params: Params;

const THREADS = 64u;
const ELEMENTS = 16u;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let start = linearIndex(group, local, THREADS * ELEMENTS);
  for (var j = 0u; j < ELEMENTS; j++) {
    let i = start + j * THREADS;
    if (i < params.count) {
      y[i] = x[i];
    }
  }
}
