// Joins the means and variances of parts: the further steps of the tree that batch-statistics begins. The variance of
// the whole is the mean of the parts' variances plus the variance of their means, parts weighted by their elements.
// partMeans, partVariances: [channels, parts], a part being of `partSize` elements, the last live one of what is left;
// mean, variance: [channels, joined], each of `chunk` parts. Grid: one invocation per element of mean.
import package::lib::grid::linearIndex;
import package::lib::live::Live;

struct Params {
  channels: u32,
  // Elements of a channel in each live row.
  perRow: u32,
  parts: u32,
  partSize: u32,
  chunk: u32,
  joined: u32,
}

@group(0) @binding(0) var<storage, read> partMeans: array<f32>;
@group(0) @binding(1) var<storage, read> partVariances: array<f32>;
@group(0) @binding(2) var<storage, read_write> mean: array<f32>;
@group(0) @binding(3) var<storage, read_write> variance: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;
@group(0) @binding(5) var<uniform> live: Live;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let index = linearIndex(group, local, 64);
  if (index >= params.channels * params.joined) {
    return;
  }
  let count = live.rows * params.perRow;
  let partAt = index / params.joined * params.parts;
  let start = index % params.joined * params.chunk;
  let end = min(start + params.chunk, (count + params.partSize - 1) / params.partSize);
  if (start >= end) {
    mean[index] = 0.0;
    variance[index] = 0.0;
    return;
  }
  // Of all these parts.
  let elements = f32(min(end * params.partSize, count) - start * params.partSize);

  let origin = partMeans[partAt + start];
  var sum = 0.0;
  for (var part = start; part < end; part++) {
    let weight = f32(min(params.partSize, count - part * params.partSize));
    sum += weight * (partMeans[partAt + part] - origin);
  }
  let offset = sum / elements;
  var squares = 0.0;
  for (var part = start; part < end; part++) {
    let weight = f32(min(params.partSize, count - part * params.partSize));
    let deviation = partMeans[partAt + part] - origin - offset;
    squares += weight * (partVariances[partAt + part] + deviation * deviation);
  }
  mean[index] = origin + offset;
  variance[index] = squares / elements;
}
