import { ArgumentError } from '../errors.ts';
import { axisBehindSamples, withLength } from './axes.ts';
import { defineOp } from './define.ts';
import type { Op, Operand } from './define.ts';
import { pad, shifted } from './pad.ts';

export interface SliceAttributes {
  /** Negative: counted from the last. Not the axis of the samples. */
  readonly axis: number;
  /** The first position taken; 0 where left out. */
  readonly start?: number;
  /** The position behind the last one taken; the axis' length where left out. */
  readonly end?: number;
}

/**
 * The positions from `start` to before `end` along one axis of x, of any shape and dtype.
 * @throws ArgumentError unless these are positions of x, at least one
 */
export const slice: Op<{ x: Operand }, 'y', SliceAttributes> = defineOp({
  name: 'slice',
  infer({ x }, { axis, start = 0, end }) {
    const at = axisBehindSamples('slice', x, axis);
    const length = x.shape[at]!;
    const last = end ?? length;
    if (!Number.isInteger(start) || !Number.isInteger(last) || start < 0 || last <= start || last > length) {
      throw new ArgumentError(`slice: expected 0 <= start < end <= ${length}, got ${start} and ${last}`);
    }
    return { y: withLength(x, at, last - start) };
  },
  lower: ({ x }, { y }, { axis, start = 0 }) => [shifted(x, y, axis, -start)],
  gradient: ({ x, dy }, { axis, start = 0, end }) => ({
    x() {
      const length = x.shape.at(axis)!;
      return pad({ x: dy }, { axis, before: start, after: length - (end ?? length) });
    },
  }),
});
