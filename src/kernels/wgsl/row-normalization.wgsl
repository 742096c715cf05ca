// Rows normalised: y = (x - mean) / sqrt(variance + epsilon) * scale + bias, the variance divided by the number of
// elements; RMS: y = x / sqrt(mean of x^2 + epsilon) * scale + bias. A row with NaN becomes NaN; so does one with an
// infinity, but for RMS, which divides by it.
// x, y: [rows, count]; scale, bias: [channels], where there are any, each of `inner` elements in turn.
// Grid: one invocation per row, of wide rows LANES.
// storage: f32 or f16
// variants: wide
import package::lib::lanes::LANES;
import package::lib::lanes::THREADS;
import package::lib::lanes::partOf;
import package::lib::number::Number;
import package::lib::row_statistics::channelOf;
import package::lib::row_statistics::live;
import package::lib::row_statistics::params;
import package::lib::row_statistics::standard;
import package::lib::row_statistics::statisticsOf;
@if(f16) enable f16;

@group(0) @binding(3) var<storage, read> scale: array<Number>;
@group(0) @binding(4) var<storage, read> bias: array<Number>;
@group(0) @binding(5) var<storage, read_write> y: array<Number>;

override SCALE: bool = false;
override BIAS: bool = false;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let part = partOf(group, local, live.rows * params.rowsPerSample, params.count);
  let row = statisticsOf(part, local);
  for (var i = part.start; i < part.end; i += LANES) {
    var value = standard(i, row);
    if (SCALE) {
      value *= f32(scale[channelOf(i)]);
    }
    if (BIAS) {
      value += f32(bias[channelOf(i)]);
    }
    y[i] = Number(value);
  }
}
