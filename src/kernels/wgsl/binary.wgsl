// Element-wise y = activate(f(a, b)) with broadcasting, f chosen by OP (the list is that of binary.ts); or the gradient
// before an activation whose result is `activated`, of which f(a, b) is the gradient. Of integers where `i32` or `u32`;
// what is long to compile and seldom asked for is in `special`.
// y, activated: [sizePerSample * samples]; a and b through the strides of lib/broadcast.
// Grid: four elements per invocation, THREADS apart, so that neighbours read neighbours.
// storage: f32 or f16
// variants: i32 u32 special
@if(!i32 && !u32) import package::lib::activation::activate;
@if(!i32 && !u32) import package::lib::activation::activationGrad;
import package::lib::broadcast::live;
import package::lib::broadcast::operandsOf;
import package::lib::broadcast::params;
@if(!i32 && !u32 && !special) import package::lib::extremes::greater;
@if(!i32 && !u32 && !special) import package::lib::extremes::lesser;
import package::lib::grid::linearIndex;
@if(!i32 && !u32) import package::lib::number::Number;
@if(special) import package::lib::power::power;
@if(special) import package::lib::power::powerGrowth;
@if(special) import package::lib::power::powerSlope;
@if(special) import package::lib::remainder::flooredRemainder;
@if(special) import package::lib::remainder::remainderOf;
@if(f16) enable f16;

@if(i32) alias Element = i32;
@if(u32) alias Element = u32;
@if(!i32 && !u32) alias Element = f32;
// As in memory.
@if(i32 || u32) alias Stored = Element;
@else alias Stored = Number;

@group(0) @binding(2) var<storage, read> a: array<Stored>;
@group(0) @binding(3) var<storage, read> b: array<Stored>;
@group(0) @binding(4) var<storage, read_write> y: array<Stored>;
@if(!i32 && !u32) @group(0) @binding(5) var<storage, read> activated: array<Number>;

override OP: u32 = 0;
@if(!i32 && !u32) override ACTIVATION: u32 = 0;
@if(!i32 && !u32) override ACTIVATION_GRAD: u32 = 0;

const THREADS = 64u;
const ELEMENTS = 4u;

@if(!special)
fn apply(p: Element, q: Element) -> Element {
  switch (OP) {
    case 0u: { return p + q; }
    case 1u: { return p - q; }
    case 2u: { return p * q; }
    case 3u: { return p / q; }
    case 4u: { return greater(p, q); }
    case 5u: { return lesser(p, q); }
    default: { return applyOther(p, q); }
  }
}

@if(!i32 && !u32 && !special)
fn applyOther(p: f32, q: f32) -> f32 {
  switch (OP) {
    case 6u: { return select(p, q * p, p < 0); }
    case 7u: { return select(1.0, q, p < 0); }
    // From the result p of an activation and the gradient q of it.
    default: { return activationGrad(OP - 7, p, q); }
  }
}

@if(i32 || u32)
fn applyOther(p: Element, q: Element) -> Element {
  switch (OP) {
    case 16u: { return flooredRemainder(p, q); }
    case 17u: { return remainderOf(p, q); }
    default: { return power(p, q); }
  }
}

@if(special)
fn apply(p: f32, q: f32) -> f32 {
  switch (OP) {
    case 16u: { return flooredRemainder(p, q); }
    case 17u: { return remainderOf(p, q); }
    case 18u: { return power(p, q); }
    case 19u: { return powerSlope(p, q); }
    default: { return powerGrowth(p, q); }
  }
}

@if(i32 || u32)
fn greater(p: Element, q: Element) -> Element {
  return max(p, q);
}

@if(i32 || u32)
fn lesser(p: Element, q: Element) -> Element {
  return min(p, q);
}

@if(i32 || u32)
fn remainderOf(p: Element, q: Element) -> Element {
  return p % q;
}

@if(i32 || u32)
fn flooredRemainder(p: Element, q: Element) -> Element {
  let rest = p % q;
  return select(rest, rest + q, rest != 0 && (rest < 0) != (q < 0));
}

// Modulo 2^32, but of a negative power what is left of 1 / base^-power without its fraction, 0 for a base of 0.
@if(i32 || u32)
fn power(base: Element, exponent: Element) -> Element {
  if (exponent < 0) {
    if (base == 1) {
      return 1;
    }
    @if(i32) {
      if (base == -1) {
        return select(1, -1, (exponent & 1) != 0);
      }
    }
    return 0;
  }
  var result = Element(1);
  var factor = base;
  for (var left = u32(exponent); left > 0; left >>= 1) {
    if ((left & 1) != 0) {
      result *= factor;
    }
    factor *= factor;
  }
  return result;
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
      let at = operandsOf(i);
      var value = apply(Element(a[at.x]), Element(b[at.y]));
      @if(!i32 && !u32) {
        if (ACTIVATION_GRAD != 0) {
          value = activationGrad(ACTIVATION_GRAD, f32(activated[i]), value);
        }
        value = activate(ACTIVATION, value);
      }
      y[i] = Stored(value);
    }
  }
}
