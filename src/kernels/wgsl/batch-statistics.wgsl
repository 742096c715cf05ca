// Mean and variance of each channel, in parts of `chunk` elements of the live rows, in their order: the first step of a
// tree. In two passes over the part, and from its first element, so that a large mean costs no digits.
// x: [rows, channels, plane]; mean, variance: [channels, parts], the variance divided by the elements of the part.
// Parts beyond the live rows hold 0. Grid: one invocation per part of a channel.
import package::lib::grid::linearIndex;
import package::lib::live::Live;

struct Params {
  rowsPerSample: u32,
  channels: u32,
  plane: u32,
  chunk: u32,
  parts: u32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> mean: array<f32>;
@group(0) @binding(2) var<storage, read_write> variance: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;
@group(0) @binding(4) var<uniform> live: Live;

fn elementAt(i: u32, channel: u32) -> u32 {
  return (i / params.plane * params.channels + channel) * params.plane + i % params.plane;
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let index = linearIndex(group, local, 64);
  if (index >= params.channels * params.parts) {
    return;
  }
  let channel = index / params.parts;
  let count = live.rows * params.rowsPerSample * params.plane;
  let start = index % params.parts * params.chunk;
  let end = min(start + params.chunk, count);
  if (start >= end) {
    mean[index] = 0.0;
    variance[index] = 0.0;
    return;
  }

  let origin = x[elementAt(start, channel)];
  var sum = 0.0;
  // Runs along a plane: one division for each instead of one for each element.
  var run = 0u;
  for (var i = start; i < end; i += run) {
    run = min(params.plane - i % params.plane, end - i);
    let at = elementAt(i, channel);
    for (var j = 0u; j < run; j++) {
      sum += x[at + j] - origin;
    }
  }
  let offset = sum / f32(end - start);
  var squares = 0.0;
  for (var i = start; i < end; i += run) {
    run = min(params.plane - i % params.plane, end - i);
    let at = elementAt(i, channel);
    for (var j = 0u; j < run; j++) {
      let deviation = x[at + j] - origin - offset;
      squares += deviation * deviation;
    }
  }
  mean[index] = origin + offset;
  variance[index] = squares / f32(end - start);
}
