// Philox-2x32 with 10 rounds (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"): a counter-based
// generator in integer arithmetic, so that the same seed gives the same bits on every adapter.

// The high word of a 32 x 32 bit product, from 16-bit halves: WGSL has no 64-bit integers.
fn multiplyHigh(a: u32, b: u32) -> u32 {
  let a0 = a & 0xffffu;
  let a1 = a >> 16u;
  let b0 = b & 0xffffu;
  let b1 = b >> 16u;
  let middle = a1 * b0 + ((a0 * b0) >> 16u);
  let low = a0 * b1 + (middle & 0xffffu);
  return a1 * b1 + (middle >> 16u) + (low >> 16u);
}

fn philox(counter: vec2u, key: u32) -> vec2u {
  const MULTIPLIER = 0xd256d193u;
  const WEYL = 0x9e3779b9u;
  var state = counter;
  var round = key;
  for (var i = 0u; i < 10u; i++) {
    state = vec2u(multiplyHigh(MULTIPLIER, state.x) ^ round ^ state.y, MULTIPLIER * state.x);
    round += WEYL;
  }
  return state;
}

// A number in [0, 1), one of 2^24 that lie as far apart as f32 can hold next to 1.
fn unitOf(word: u32) -> f32 {
  return f32(word >> 8) * 0x1p-24;
}

// Standard normal (Box and Muller 1958). WGSL bounds the error of cos on [-pi, pi] only, and log(1) may lie above 0.
fn normalOf(words: vec2u) -> f32 {
  const PI = 3.14159265;
  return sqrt(max(-2 * log(unitOf(words.x) + 0x1p-24), 0)) * cos((2 * unitOf(words.y) - 1) * PI);
}
