// What the kernels that normalise rows share: where an invocation is, and mean and deviation of its row.
// x: [rows, count]. One invocation takes a row alone, without a barrier; of wide rows LANES, a divisor of THREADS, side
// by side, share it, and the order of their sums follows from the places of the elements.
import package::lib::grid::linearIndex;
import package::lib::live::Live;
import package::lib::number::Number;

struct Params {
  rowsPerSample: u32,
  count: u32,
  // Of scale and bias: how many there are, and how many elements side by side have one in common.
  channels: u32,
  inner: u32,
  epsilon: f32,
}

@group(0) @binding(0) var<storage, read> x: array<Number>;
@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<uniform> live: Live;

// Leaves the mean where it is, and divides by the root of the mean square.
override RMS: bool = false;

@if(wide) override LANES: u32 = 16;
@else const LANES = 1u;

const THREADS = 64u;

@if(wide) var<workgroup> shares: array<vec2f, 3 * THREADS>;

// The elements start, start + LANES, ... before end; none of a row that does not live, which goes along to barriers.
struct Part {
  start: u32,
  end: u32,
}

fn partOf(group: vec3u, local: u32) -> Part {
  let row = linearIndex(group, local / LANES, THREADS / LANES);
  let end = select(0, (row + 1) * params.count, row < live.rows * params.rowsPerSample);
  return Part(row * params.count + local % LANES, end);
}

// The sum over those who share a row. `turn`: 0, 1 or 2, another each time, so that one barrier is enough.
fn together(share: vec2f, local: u32, turn: u32) -> vec2f {
  @if(wide) {
    shares[turn * THREADS + local] = share;
    workgroupBarrier();
    let first = turn * THREADS + local / LANES * LANES;
    var sum = vec2f();
    for (var other = first; other < first + LANES; other++) {
      sum += shares[other];
    }
    return sum;
  }
  @else {
    return share;
  }
}

struct Statistics {
  // The mean in two parts: together they would lose what a row with a large mean is about.
  origin: f32,
  offset: f32,
  inverse: f32,
}

// In two passes, and counted from the row's first element.
fn statisticsOf(part: Part, local: u32) -> Statistics {
  var row = Statistics();
  if (!RMS) {
    row.origin = f32(x[part.start - local % LANES]);
    var sum = 0.0;
    for (var i = part.start; i < part.end; i += LANES) {
      sum += f32(x[i]) - row.origin;
    }
    row.offset = together(vec2f(sum), local, 0).x / f32(params.count);
  }
  var squares = 0.0;
  for (var i = part.start; i < part.end; i += LANES) {
    let deviation = f32(x[i]) - row.origin - row.offset;
    squares += deviation * deviation;
  }
  let variance = together(vec2f(squares), local, 1).x / f32(params.count);
  row.inverse = 1.0 / sqrt(variance + params.epsilon);
  return row;
}

// An element without mean and deviation of its row.
fn standard(i: u32, row: Statistics) -> f32 {
  return (f32(x[i]) - row.origin - row.offset) * row.inverse;
}

fn channelOf(i: u32) -> u32 {
  return i / params.inner % params.channels;
}
