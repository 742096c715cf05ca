// What element-wise kernels share whose operands broadcast: y = f(a, b, ...), each operand through a stride for each
// axis of y, 0 where it is repeated.
import package::lib::live::Live;

struct Params {
  // From the outermost to the innermost: length, and the strides of up to three operands.
  axes: array<vec4u, 6>,
  rank: u32,
  sizePerSample: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<uniform> live: Live;

// Whether all operands are walked through in one even stride: then there is a single axis and nothing to divide.
override EVEN: bool = false;

// Where an element of y finds its operands. The outermost axis takes what is left and so needs no division.
fn operandsOf(index: u32) -> vec3u {
  if (EVEN) {
    return index * params.axes[0].yzw;
  }
  var rest = index;
  var at = vec3u();
  for (var axis = params.rank - 1; axis > 0; axis--) {
    let current = params.axes[axis];
    at += rest % current.x * current.yzw;
    rest /= current.x;
  }
  return at + rest * params.axes[0].yzw;
}
