/** The plainest WGSL that is not slow on purpose: one invocation a few outputs, hardly any workgroup memory. */

const inputs = (...names: readonly string[]): string =>
  names.map((name, at) => `@group(0) @binding(${at}) var<storage, read> ${name}: array<f32>;`).join('\n') +
  `\n@group(0) @binding(${names.length}) var<storage, read_write> y: array<f32>;`;

/** y[m, n] = a[m, k] b[k, n]: each invocation up to 4 rows of 4 columns, n a multiple of 4. */
export const matmul = `
@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;
override M: u32;
override N4: u32;
override K: u32;

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let top = id.y * 4u;
  if (id.x >= N4 || top >= M) { return; }
  var sum: array<vec4f, 4>;
  let rows = min(4u, M - top);
  if (rows < 4u) {
    for (var k = 0u; k < K; k++) {
      for (var row = 0u; row < rows; row++) { sum[row] += a[(top + row) * K + k] * b[k * N4 + id.x]; }
    }
  } else {
    let start = vec4u(top, top + 1u, top + 2u, top + 3u) * K;
    for (var k = 0u; k < K; k++) {
      let right = b[k * N4 + id.x];
      sum[0] += a[start.x + k] * right;
      sum[1] += a[start.y + k] * right;
      sum[2] += a[start.z + k] * right;
      sum[3] += a[start.w + k] * right;
    }
  }
  for (var row = 0u; row < rows; row++) { y[(top + row) * N4 + id.x] = sum[row]; }
}`;

/** y[row, out] = x[row, in] weight[out, in]^T + bias: each invocation one output. */
export const linear = `
${inputs('x', 'weight', 'bias')}
override IN: u32;
override OUT: u32;
override COUNT: u32;
override RELU: bool;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= COUNT) { return; }
  let row = id.x / OUT;
  let out = id.x % OUT;
  var sum = bias[out];
  for (var k = 0u; k < IN; k++) { sum += x[row * IN + k] * weight[out * IN + k]; }
  y[id.x] = select(sum, max(sum, 0.0), RELU);
}`;

/**
 * A convolution with its bias over [rows, in, height, width]: each invocation 4 neighbouring pixels of 4 channels, the
 * same channels in all of a workgroup. What lies beyond the edges is multiplied by 0 and not branched around.
 */
export const conv = `
${inputs('x', 'weight', 'bias')}
override IN: u32;
override OUT: u32;
override HEIGHT: u32;
override WIDTH: u32;
override OUT_HEIGHT: u32;
override OUT_WIDTH: u32;
override KERNEL: u32;
override STRIDE: u32;
override PADDING: u32;
override ROWS: u32;
override RELU: bool;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(workgroup_id) group: vec3u) {
  let quads = (OUT_WIDTH + 3u) / 4u;
  let line = id.x / quads;
  if (line >= ROWS * OUT_HEIGHT) { return; }
  let first = id.x % quads * 4u;
  let row = line / OUT_HEIGHT;
  // Beyond the edge on the left is a large number too.
  let left = (first + vec4u(0u, 1u, 2u, 3u)) * STRIDE - PADDING;
  let top = line % OUT_HEIGHT * STRIDE - PADDING;
  let out = min(group.y * 4u + vec4u(0u, 1u, 2u, 3u), vec4u(OUT - 1u));
  var sum: array<vec4f, 4>;
  for (var channel = 0u; channel < IN; channel++) {
    for (var ky = 0u; ky < KERNEL; ky++) {
      let pixels = ((row * IN + channel) * HEIGHT + min(top + ky, HEIGHT - 1u)) * WIDTH;
      let taps = ((out * IN + channel) * KERNEL + ky) * KERNEL;
      for (var kx = 0u; kx < KERNEL; kx++) {
        let column = left + kx;
        let at = pixels + min(column, vec4u(WIDTH - 1u));
        let inside = (column < vec4u(WIDTH)) & vec4<bool>(top + ky < HEIGHT);
        let values = select(vec4f(0.0), vec4f(x[at.x], x[at.y], x[at.z], x[at.w]), inside);
        sum[0] += values * weight[taps.x + kx];
        sum[1] += values * weight[taps.y + kx];
        sum[2] += values * weight[taps.z + kx];
        sum[3] += values * weight[taps.w + kx];
      }
    }
  }
  for (var channel = 0u; channel < 4u; channel++) {
    let result = sum[channel] + bias[out[channel]];
    let start = ((row * OUT + out[channel]) * OUT_HEIGHT + line % OUT_HEIGHT) * OUT_WIDTH + first;
    for (var pixel = 0u; pixel < min(4u, OUT_WIDTH - first); pixel++) {
      y[start + pixel] = select(result[pixel], max(result[pixel], 0.0), RELU);
    }
  }
}`;

/** The greatest of each 2 x 2 pixels: each invocation one. */
export const maxPool = `
${inputs('x')}
override WIDTH: u32;
override OUT_WIDTH: u32;
override OUT_HEIGHT: u32;
override HEIGHT: u32;
override COUNT: u32;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= COUNT) { return; }
  let row = id.x / OUT_WIDTH;
  let at = (row / OUT_HEIGHT * HEIGHT + row % OUT_HEIGHT * 2u) * WIDTH + id.x % OUT_WIDTH * 2u;
  y[id.x] = max(max(x[at], x[at + 1u]), max(x[at + WIDTH], x[at + WIDTH + 1u]));
}`;

/** The mean of each plane: each invocation one. */
export const planeMean = `
${inputs('x')}
override SIZE: u32;
override COUNT: u32;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= COUNT) { return; }
  var sum = 0.0;
  for (var at = 0u; at < SIZE; at++) { sum += x[id.x * SIZE + at]; }
  y[id.x] = sum / f32(SIZE);
}`;

/** y = -x, of up to 64 numbers. */
export const negate = `
${inputs('x')}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < arrayLength(&y)) { y[id.x] = -x[id.x]; }
}`;

/** Softmax of each row: each invocation one. */
export const softmax = `
${inputs('x')}
override CLASSES: u32;
override ROWS: u32;

@compute @workgroup_size(8)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= ROWS) { return; }
  let start = id.x * CLASSES;
  var greatest = x[start];
  for (var at = 1u; at < CLASSES; at++) { greatest = max(greatest, x[start + at]); }
  var sum = 0.0;
  for (var at = 0u; at < CLASSES; at++) {
    let power = exp(x[start + at] - greatest);
    sum += power;
    y[start + at] = power;
  }
  for (var at = 0u; at < CLASSES; at++) { y[start + at] /= sum; }
}`;

/**
 * Entropy, margin and label of each row, one vec4f: LANES invocations of a workgroup of 64 share a row, and the first
 * of them joins what they found.
 */
export const scores = `
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;
override CLASSES: u32;
override ROWS: u32;
override LANES: u32;

struct Part { greatest: f32, second: f32, label: u32, sum: f32, weighted: f32 }
var<workgroup> parts: array<Part, 64>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let row = group.x * (64u / LANES) + lane / LANES;
  let start = row * CLASSES;
  var part = Part(-3e38, -3e38, 0u, 0.0, 0.0);
  if (row < ROWS) {
    for (var at = lane % LANES; at < CLASSES; at += LANES) {
      let value = x[start + at];
      if (value > part.greatest) {
        part.second = part.greatest;
        part.greatest = value;
        part.label = at;
      } else {
        part.second = max(part.second, value);
      }
    }
    for (var at = lane % LANES; at < CLASSES; at += LANES) {
      let below = x[start + at] - part.greatest;
      part.sum += exp(below);
      part.weighted += below * exp(below);
    }
  }
  parts[lane] = part;
  workgroupBarrier();
  if (lane % LANES != 0u || row >= ROWS) { return; }
  for (var at = 1u; at < min(LANES, CLASSES); at++) {
    let other = parts[lane + at];
    let greatest = max(part.greatest, other.greatest);
    let second = max(min(part.greatest, other.greatest), max(part.second, other.second));
    let mine = part.greatest - greatest;
    let its = other.greatest - greatest;
    part.weighted = (part.weighted + mine * part.sum) * exp(mine) + (other.weighted + its * other.sum) * exp(its);
    part.sum = part.sum * exp(mine) + other.sum * exp(its);
    part.label = select(part.label, other.label, other.greatest > part.greatest);
    part.greatest = greatest;
    part.second = second;
  }
  let margin = (1.0 - exp(part.second - part.greatest)) / part.sum;
  y[row] = vec4f(log(part.sum) - part.weighted / part.sum, margin, f32(part.label), 0.0);
}`;
