// What the kernels that normalise rows share: mean and deviation of a row. x: [rows, count].
import package::lib::lanes::LANES;
import package::lib::lanes::Part;
import package::lib::lanes::together;
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
    row.origin = f32(x[part.row * params.count]);
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
