// Element-wise from one dtype to another, chosen by OP (the list is that of convert.ts).
// x, y: [sizePerSample * samples], as bits.
// Grid: four elements per invocation, THREADS apart, so that neighbours read neighbours.
import package::lib::float_bits::EXPONENT_BITS;
import package::lib::float_bits::isNanBits;
import package::lib::float_bits::NEGATIVE_INFINITY_BITS;
import package::lib::grid::linearIndex;
import package::lib::live::Live;

struct Params {
  sizePerSample: u32,
}

@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;
@group(0) @binding(2) var<uniform> params: Params;
@group(0) @binding(3) var<uniform> live: Live;

override OP: u32 = 0;

const THREADS = 64u;
const ELEMENTS = 4u;

fn convert(bits: u32) -> u32 {
  switch (OP) {
    case 1u: { return bitcast<u32>(signedOf(bits)); }
    case 2u: { return unsignedOf(bits); }
    case 3u: { return bitcast<u32>(f32(bitcast<i32>(bits))); }
    case 4u: { return bitcast<u32>(f32(bits)); }
    // -0 is 0 too.
    case 5u: { return truth((bits << 1) != 0); }
    case 6u: { return truth(bits != 0); }
    case 7u: { return truth(bits == 0); }
    case 8u: { return truth(isNanBits(bits)); }
    case 9u: { return truth(bits == EXPONENT_BITS); }
    case 10u: { return truth(bits == NEGATIVE_INFINITY_BITS); }
    case 11u: { return truth((bits & 0x7fffffffu) == EXPONENT_BITS); }
    default: { return bits; }
  }
}

fn truth(holds: bool) -> u32 {
  return select(0u, 1u, holds);
}

// Towards 0; of NaN 0, and beyond the range its end, as the other.
fn signedOf(bits: u32) -> i32 {
  if (isNanBits(bits)) {
    return 0;
  }
  // From 2^31 on.
  if ((bits & 0x7fffffffu) >= 0x4f000000u) {
    return select(0x7fffffff, -0x7fffffff - 1, bits >= 0x80000000u);
  }
  return i32(bitcast<f32>(bits));
}

fn unsignedOf(bits: u32) -> u32 {
  if (isNanBits(bits) || bits >= 0x80000000u) {
    return 0;
  }
  // From 2^32 on.
  if (bits >= 0x4f800000u) {
    return 0xffffffffu;
  }
  return u32(bitcast<f32>(bits));
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
      y[i] = convert(x[i]);
    }
  }
}
