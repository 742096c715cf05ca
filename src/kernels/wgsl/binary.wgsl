// Element-wise y = activate(f(a, b)) with broadcasting, f chosen by OP (the list is that of binary.ts); or the gradient
// before an activation whose result is `activated`, of which f(a, b) is the gradient.
// y, activated: [sizePerSample * samples]; a and b through a stride for each axis of y, 0 where they are repeated.
// Grid: four elements per invocation, THREADS apart, so that neighbours read neighbours.
import package::lib::activation::activate;
import package::lib::activation::activationGrad;
import package::lib::grid::linearIndex;
import package::lib::live::Live;

struct Params {
  // From the outermost to the innermost: length, stride in a, stride in b.
  axes: array<vec4u, 6>,
  rank: u32,
  sizePerSample: u32,
}

@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read> activated: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;
@group(0) @binding(5) var<uniform> live: Live;

override OP: u32 = 0;
override ACTIVATION: u32 = 0;
override ACTIVATION_GRAD: u32 = 0;
// Whether both operands are walked through in one even stride: then there is a single axis and nothing to divide.
override EVEN: bool = false;

const THREADS = 64u;
const ELEMENTS = 4u;

fn apply(p: f32, q: f32) -> f32 {
  switch (OP) {
    case 1u: { return p - q; }
    case 2u: { return p * q; }
    case 3u: { return p / q; }
    case 4u: { return max(p, q); }
    case 5u: { return min(p, q); }
    case 6u: { return select(0.0, 1.0, p >= q); }
    case 7u: { return select(0.0, 1.0, p < q); }
    // From the result p of an activation and the gradient q of it.
    case 8u, 9u, 10u: { return activationGrad(OP - 7, p, q); }
    default: { return p + q; }
  }
}

// Where an element of y finds its operands. The outermost axis takes what is left and so needs no division.
fn operandsOf(index: u32) -> vec2u {
  if (EVEN) {
    return index * params.axes[0].yz;
  }
  var rest = index;
  var at = vec2u();
  for (var axis = params.rank - 1; axis > 0; axis--) {
    let current = params.axes[axis];
    at += rest % current.x * current.yz;
    rest /= current.x;
  }
  return at + rest * params.axes[0].yz;
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
      var value = apply(a[at.x], b[at.y]);
      if (ACTIVATION_GRAD != 0) {
        value = activationGrad(ACTIVATION_GRAD, activated[i], value);
      }
      y[i] = activate(ACTIVATION, value);
    }
  }
}
