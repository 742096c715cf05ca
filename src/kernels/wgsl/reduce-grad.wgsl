// Gradient of a sum or mean: dx = dy / divisor, dy repeated along the axes that were reduced.
// dx: [sizePerSample * samples]; dy through a stride for each axis of dx, 0 where it is repeated.
// Grid: four elements per invocation, THREADS apart, so that neighbours read neighbours.
import package::lib::grid::linearIndex;
import package::lib::live::Live;

struct Params {
  // From the outermost to the innermost: length, stride in dy.
  axes: array<vec4u, 6>,
  rank: u32,
  sizePerSample: u32,
  divisor: u32,
  // 1 if the divisor is that of one sample
  overSamples: u32,
}

@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(1) var<storage, read_write> dx: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;
@group(0) @binding(3) var<uniform> live: Live;

const THREADS = 64u;
const ELEMENTS = 4u;

fn offsetOf(index: u32) -> u32 {
  var rest = index;
  var at = 0u;
  for (var axis = params.rank - 1; axis > 0; axis--) {
    let current = params.axes[axis];
    at += rest % current.x * current.y;
    rest /= current.x;
  }
  return at + rest * params.axes[0].y;
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let divisor = f32(params.divisor * select(1u, live.rows, params.overSamples == 1));
  let start = linearIndex(group, local, THREADS * ELEMENTS);
  for (var j = 0u; j < ELEMENTS; j++) {
    let i = start + j * THREADS;
    if (i < live.rows * params.sizePerSample) {
      dx[i] = dy[offsetOf(i)] / divisor;
    }
  }
}
