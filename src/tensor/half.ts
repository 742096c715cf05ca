/**
 * f16 on the host (IEEE 754 binary16), for engines without Float16Array: numbers there are f32, and what crosses is
 * rounded.
 */
const float = new Float32Array(1);
const word = new Uint32Array(float.buffer);

/** The bits of the nearest f16, the even one of two as near; from 65,520 on infinity. NaN stays NaN. */
export function halfOf(value: number): number {
  float[0] = value;
  const bits = word[0]!;
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  // From 65,520 on, which is as near to what would come after 65,504.
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  // Below 2^-14: a number of steps of 2^-24. Adding 1/2 leaves them, rounded, in the last bits.
  if (magnitude < 0x38800000) {
    float[0] = Math.abs(value) + 0.5;
    return sign | (word[0]! - 0x3f000000);
  }
  // The exponent counts from 15 instead of 127; half a step, less what would round an even number up.
  return sign | ((magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13);
}

/** The number that the bits of an f16 stand for. */
export function numberOf(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >>> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0x1f) return fraction ? NaN : sign * Infinity;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25);
}
