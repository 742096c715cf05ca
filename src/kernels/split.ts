import { ArgumentError } from '../errors.ts';
import { describe } from '../tensor/spec.ts';
import { axisBehindSamples } from './axes.ts';
import type { Operand, Value } from './define.ts';
import { slice } from './slice.ts';

export interface SplitAttributes {
  /** Negative: counted from the last. Not the axis of the samples. */
  readonly axis: number;
  /** How many parts of one length, the last ones shorter where that does not come out even; or the length of each. */
  readonly parts: number | readonly number[];
}

/**
 * The parts of x, of any dtype, one after the other along an axis; some may be empty.
 * @throws ArgumentError unless the lengths are those of the axis together
 */
export function split({ x }: { readonly x: Operand }, { axis, parts }: SplitAttributes): Value[] {
  const at = axisBehindSamples('split', x, axis);
  const total = x.shape[at]!;
  const each = Math.ceil(total / (parts as number));
  const lengths =
    typeof parts === 'number'
      ? Array.from({ length: parts }, (_, part) => Math.max(0, Math.min(each, total - part * each)))
      : parts;
  const whole = lengths.every((length) => Number.isInteger(length) && length >= 0);
  if (!whole || lengths.reduce((sum, length) => sum + length, 0) !== total) {
    const got = `[${lengths.join(', ')}] along axis ${at} of ${describe(x)}`;
    throw new ArgumentError(`split: expected parts of ${total} positions together, got ${got}`);
  }
  let end = 0;
  return lengths.map((length) => slice({ x }, { axis: at, start: end, end: (end += length) }));
}
