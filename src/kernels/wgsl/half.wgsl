// Numbers from f32 to the nearest f16, of magnitudes from 65,520 on infinity, or `back`.
// x, y: [sizePerSample * samples].
// Grid: four elements per invocation, THREADS apart, so that neighbours read neighbours.
// variants: back
import package::lib::grid::linearIndex;
import package::lib::live::Live;
enable f16;

@if(back) alias From = f16;
@else alias From = f32;
@if(back) alias To = f32;
@else alias To = f16;

struct Params {
  sizePerSample: u32,
}

@group(0) @binding(0) var<storage, read> x: array<From>;
@group(0) @binding(1) var<storage, read_write> y: array<To>;
@group(0) @binding(2) var<uniform> params: Params;
@group(0) @binding(3) var<uniform> live: Live;

const THREADS = 64u;
const ELEMENTS = 4u;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let start = linearIndex(group, local, THREADS * ELEMENTS);
  let end = live.rows * params.sizePerSample;
  for (var j = 0u; j < ELEMENTS; j++) {
    let i = start + j * THREADS;
    if (i < end) {
      y[i] = To(x[i]);
    }
  }
}
