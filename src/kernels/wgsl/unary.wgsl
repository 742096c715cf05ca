// Element-wise y = f(x), f chosen by OP (the list is that of unary.ts, and activations.ts). NaN stays NaN.
// x, y: [sizePerSample * samples], of integers where `i32`, where what only moves bits takes u32 too. What is long to
// compile and seldom asked for is in `special`.
// Grid: four elements per invocation, THREADS apart, so that neighbours read neighbours.
// storage: f32 or f16
// variants: i32 special
@if(!i32 && !special) import package::lib::activation::activate;
@if(!i32 && !special) import package::lib::exponential::exponential;
@if(!i32) import package::lib::float_bits::isNanBits;
import package::lib::grid::linearIndex;
import package::lib::live::Live;
@if(!i32 && !special) import package::lib::logarithm::logarithm;
@if(!i32) import package::lib::number::Number;
@if(special) import package::lib::special_functions::specialFunction;
@if(f16) enable f16;

// As in memory, and as computed with.
@if(i32) alias Element = i32;
@else alias Element = Number;
@if(i32) alias Operand = i32;
@else alias Operand = f32;

struct Params {
  sizePerSample: u32,
  // What the function is given besides.
  alpha: f32,
  beta: f32,
}

@group(0) @binding(0) var<storage, read> x: array<Element>;
@group(0) @binding(1) var<storage, read_write> y: array<Element>;
@group(0) @binding(2) var<uniform> params: Params;
@group(0) @binding(3) var<uniform> live: Live;

override OP: u32 = 0;

const THREADS = 64u;
const ELEMENTS = 4u;

@if(i32)
fn apply(value: i32) -> i32 {
  switch (OP) {
    case 18u: { return -value; }
    case 19u: { return abs(value); }
    case 21u: { return value * value; }
    case 23u: { return sign(value); }
    default: { return value; }
  }
}

@if(!i32)
fn apply(value: f32) -> f32 {
  return select(applyToNumber(value), value, isNanBits(bitcast<u32>(value)));
}

@if(!i32 && !special)
fn applyToNumber(value: f32) -> f32 {
  switch (OP) {
    case 16u: { return exponential(value); }
    case 17u: { return logarithm(value); }
    case 18u: { return -value; }
    case 19u: { return abs(value); }
    case 20u: { return sqrt(value); }
    case 21u: { return value * value; }
    case 22u: { return 1.0 / value; }
    case 23u: { return sign(value); }
    case 24u: { return fma(value, params.alpha, params.beta); }
    case 25u: { return ceil(value); }
    case 26u: { return floor(value); }
    case 27u: { return round(value); }
    case 28u: { return trunc(value); }
    default: { return activate(OP, value); }
  }
}

@if(special)
fn applyToNumber(value: f32) -> f32 {
  return specialFunction(OP, value, params.alpha, params.beta);
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
      y[i] = Element(apply(Operand(x[i])));
    }
  }
}
