// Local response normalisation: y = x / d^beta, d = k + alpha (sum of x^2 over the channels around).
// x, y: [rows, channels, plane]. Grid: one invocation per element.
// storage: f32 or f16
import package::lib::grid::linearIndex;
import package::lib::live::Live;
import package::lib::local_response::divisor;
import package::lib::local_response::params;
import package::lib::local_response::x;
import package::lib::number::Number;
@if(f16) enable f16;

@group(0) @binding(2) var<storage, read_write> y: array<Number>;
@group(0) @binding(3) var<uniform> live: Live;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let index = linearIndex(group, local, 64);
  if (index >= live.rows * params.rowsPerSample * params.channels * params.plane) {
    return;
  }
  let channel = index / params.plane % params.channels;
  y[index] = Number(f32(x[index]) * pow(divisor(index - channel * params.plane, channel), -params.beta));
}
