import { ArgumentError } from '../errors.ts';
import { halfOf } from '../tensor/half.ts';
import { isFloat, typedArray } from '../tensor/spec.ts';
import type { Dtype } from '../tensor/spec.ts';

/**
 * The bits of a number, for kernels that move elements of any dtype.
 * @throws ArgumentError unless an integer dtype can hold it
 */
export function bitsOf(op: string, dtype: Dtype, value: number): number {
  if (dtype === 'f16') return halfOf(value);
  const held = typedArray(dtype, [value]);
  if (dtype !== 'f32' && held[0] !== value) {
    throw new ArgumentError(`${op}: expected a value that ${dtype} holds, got ${value}`);
  }
  return new Uint32Array(held.buffer)[0]!;
}

/** What stands for an element that is not there: NaN, so that it shows, or 0 where the dtype has none. */
export const missing = (dtype: Dtype): number => (isFloat({ dtype }) ? NaN : 0);
