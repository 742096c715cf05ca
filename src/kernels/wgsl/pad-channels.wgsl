// Channels moved and zeros put where none came from: y[row, c] = x[row, c - before], or 0 where x has no such channel.
// x: [rows, channels, plane], y: [rows, padded, plane]. A negative `before` leaves out the first channels.
// Grid: four elements per invocation, THREADS apart, so that neighbours read neighbours.
import package::lib::grid::linearIndex;
import package::lib::live::Live;

struct Params {
  rowsPerSample: u32,
  channels: u32,
  plane: u32,
  // Channels of y.
  padded: u32,
  before: i32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;
@group(0) @binding(3) var<uniform> live: Live;

const THREADS = 64u;
const ELEMENTS = 4u;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let shape = params;
  let start = linearIndex(group, local, THREADS * ELEMENTS);
  let end = live.rows * shape.rowsPerSample * shape.padded * shape.plane;
  for (var j = 0u; j < ELEMENTS; j++) {
    let i = start + j * THREADS;
    if (i < end) {
      let position = i / shape.plane;
      let channel = i32(position % shape.padded) - shape.before;
      if (channel >= 0 && channel < i32(shape.channels)) {
        let row = position / shape.padded;
        y[i] = x[(row * shape.channels + u32(channel)) * shape.plane + i % shape.plane];
      } else {
        y[i] = 0.0;
      }
    }
  }
}
