// Moves running statistics towards those of a batch: running += momentum (batch - running), for each channel, where the
// variance of the batch is taken unbiased, that is times n / (n - 1) for the n elements it is of. No live row, or
// statistics that are not finite: no change. All: [channels]. Grid: one invocation per channel.
import package::lib::float_bits::isFiniteBits;
import package::lib::grid::linearIndex;
import package::lib::live::Live;

struct Params {
  channels: u32,
  // Elements of a channel in each live row.
  perRow: u32,
  momentum: f32,
}

@group(0) @binding(0) var<storage, read> mean: array<u32>;
@group(0) @binding(1) var<storage, read> variance: array<u32>;
@group(0) @binding(2) var<storage, read_write> runningMean: array<f32>;
@group(0) @binding(3) var<storage, read_write> runningVariance: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;
@group(0) @binding(5) var<uniform> live: Live;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let channel = linearIndex(group, local, 64);
  let count = live.rows * params.perRow;
  if (channel >= params.channels || count == 0) {
    return;
  }
  if (!isFiniteBits(mean[channel]) || !isFiniteBits(variance[channel])) {
    return;
  }
  let unbiased = bitcast<f32>(variance[channel]) * f32(count) / f32(max(count, 2u) - 1);
  runningMean[channel] += params.momentum * (bitcast<f32>(mean[channel]) - runningMean[channel]);
  runningVariance[channel] += params.momentum * (unbiased - runningVariance[channel]);
}
