// Element-wise y = f(x), f chosen by OP (the list is that of unary.ts).
// x, y: [sizePerSample * samples].
// Grid: four elements per invocation, THREADS apart, so that neighbours read neighbours.
import package::lib::activation::activate;
import package::lib::grid::linearIndex;
import package::lib::live::Live;

struct Params {
  sizePerSample: u32,
  // Of scale: y = by x + plus.
  by: f32,
  plus: f32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;
@group(0) @binding(3) var<uniform> live: Live;

override OP: u32 = 0;

const THREADS = 64u;
const ELEMENTS = 4u;

fn apply(value: f32) -> f32 {
  switch (OP) {
    case 4u: { return exp(value); }
    case 5u: { return log(value); }
    case 6u: { return -value; }
    case 7u: { return abs(value); }
    case 8u: { return sqrt(value); }
    case 9u: { return value * value; }
    case 10u: { return 1.0 / value; }
    case 11u: { return sign(value); }
    case 12u: { return fma(value, params.by, params.plus); }
    default: { return activate(OP, value); }
  }
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let start = linearIndex(group, local, THREADS * ELEMENTS);
  let end = live.rows * params.sizePerSample;
  if (start >= end) {
    return;
  }
  for (var j = 0u; j < ELEMENTS; j++) {
    let i = start + j * THREADS;
    if (i < end) {
      y[i] = apply(x[i]);
    }
  }
}
