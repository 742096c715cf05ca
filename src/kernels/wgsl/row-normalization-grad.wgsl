// Gradient of row-normalization by x: dx = (g - mean of g - z mean of g z) / sqrt(variance + epsilon), g = dy * scale
// and z the normalised row without scale and bias (Ba et al. 2016); RMS: without the mean of g, and the mean square
// instead of the variance.
// x, dy, dx: [rows, count]; scale: [channels], where there are any, each of `inner` elements in turn.
// Grid: one invocation per row, of wide rows LANES.
// variants: wide
import package::lib::lanes::LANES;
import package::lib::lanes::THREADS;
import package::lib::lanes::partOf;
import package::lib::lanes::together;
import package::lib::row_statistics::RMS;
import package::lib::row_statistics::channelOf;
import package::lib::row_statistics::live;
import package::lib::row_statistics::params;
import package::lib::row_statistics::standard;
import package::lib::row_statistics::statisticsOf;

@group(0) @binding(3) var<storage, read> scale: array<f32>;
@group(0) @binding(4) var<storage, read> dy: array<f32>;
@group(0) @binding(5) var<storage, read_write> dx: array<f32>;

override SCALE: bool = false;

fn gradAt(i: u32) -> f32 {
  var grad = dy[i];
  if (SCALE) {
    grad *= scale[channelOf(i)];
  }
  return grad;
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let part = partOf(group, local, live.rows * params.rowsPerSample, params.count);
  let row = statisticsOf(part, local);
  var share = vec2f();
  for (var i = part.start; i < part.end; i += LANES) {
    let grad = gradAt(i);
    share += vec2f(grad, grad * standard(i, row));
  }
  let means = together(share, local, 2) / f32(params.count);
  let shift = select(means.x, 0.0, RMS);
  for (var i = part.start; i < part.end; i += LANES) {
    dx[i] = row.inverse * (gradAt(i) - shift - standard(i, row) * means.y);
  }
}
