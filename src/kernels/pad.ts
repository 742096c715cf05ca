import { ArgumentError } from '../errors.ts';
import { perSample } from '../tensor/spec.ts';
import { alongAxis, axisBehindSamples, withLength } from './axes.ts';
import { defineOp, dispatch, linearGrid } from './define.ts';
import type { Dispatch, Op, Operand, Value } from './define.ts';
import { padKernel } from './generated/pad.ts';

export interface PadAttributes {
  /** Negative: counted from the last. Not the axis of the samples. */
  readonly axis: number;
  /** Zeros before the first position, or, if negative, first positions left out; 0 where left out. */
  readonly before?: number;
  /** The same behind the last position. */
  readonly after?: number;
}

/** x along `axis`, from `before` positions before its first on, as far as y goes. */
export function shifted(x: Value, y: Value, axis: number, before: number): Dispatch {
  const { outerPerSample, length: xLength, stride } = alongAxis(x, axis);
  return dispatch(padKernel, {
    bind: { x, y },
    params: { outerPerSample, xLength, yLength: alongAxis(y, axis).length, before: before * stride },
    grid: linearGrid(perSample(y), 256),
  });
}

/**
 * Zeros around x, of any shape and dtype, along one axis.
 * @throws ArgumentError unless that leaves at least one position
 */
export const pad: Op<{ x: Operand }, 'y', PadAttributes> = defineOp({
  name: 'pad',
  infer({ x }, { axis, before = 0, after = 0 }) {
    const at = axisBehindSamples('pad', x, axis);
    const padded = x.shape[at]! + before + after;
    if (!Number.isInteger(before) || !Number.isInteger(after) || padded < 1) {
      const wanted = `whole numbers that leave a position of ${x.shape[at]}`;
      throw new ArgumentError(`pad: expected ${wanted}, got ${before} and ${after}`);
    }
    return { y: withLength(x, at, padded) };
  },
  lower: ({ x }, { y }, { axis, before = 0 }) => [shifted(x, y, axis, before)],
  gradient: ({ dy }, { axis, before = 0, after = 0 }) => ({
    x: () => pad({ x: dy }, { axis, before: -before, after: -after }),
  }),
});
