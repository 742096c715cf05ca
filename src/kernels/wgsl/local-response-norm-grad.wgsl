// Gradient of local response normalisation: dx[c] = dy[c] / d[c]^beta - 2 alpha beta x[c] (sum of dy[i] y[i] / d[i]
// over the channels i whose window holds c), y and d computed from x as in the forward kernel.
// x, dy, dx: [rows, channels, plane]. Grid: one invocation per element.
import package::lib::grid::linearIndex;
import package::lib::live::Live;
import package::lib::local_response::divisor;
import package::lib::local_response::params;
import package::lib::local_response::x;

@group(0) @binding(2) var<storage, read> dy: array<f32>;
@group(0) @binding(3) var<storage, read_write> dx: array<f32>;
@group(0) @binding(4) var<uniform> live: Live;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let index = linearIndex(group, local, 64);
  if (index >= live.rows * params.rowsPerSample * params.channels * params.plane) {
    return;
  }
  let channel = index / params.plane % params.channels;
  let pixelAt = index - channel * params.plane;
  // The windows that hold a channel reach the other way round.
  let first = channel - min(channel, params.reachAfter);
  let end = min(channel + params.reachBefore + 1, params.channels);
  var own = 0.0;
  var around = 0.0;
  for (var c = first; c < end; c++) {
    let at = pixelAt + c * params.plane;
    let d = divisor(pixelAt, c);
    let grad = dy[at] * pow(d, -params.beta);
    around += grad * x[at] / d;
    if (c == channel) {
      own = grad;
    }
  }
  dx[index] = own - 2.0 * params.alpha * params.beta * x[index] * around;
}
