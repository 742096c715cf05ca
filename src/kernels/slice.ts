import { ArgumentError } from '../errors.ts';
import type { Spec } from '../tensor/spec.ts';
import { axisBehindSamples, stridesOf, withLength } from './axes.ts';
import { defineOp, isGradient } from './define.ts';
import type { Op, Operand, Value } from './define.ts';
import { pad, shifted } from './pad.ts';
import { stridedCopy } from './strided-copy.ts';

export interface SliceAttributes {
  /** Negative: counted from the last. Not the axis of the samples. */
  readonly axis: number;
  /** The first position taken; where left out the first of the axis, or its last for a negative step. */
  readonly start?: number;
  /**
   * The position behind the last one taken; where left out the axis' length. For a negative step the one before it, -1
   * before the first position, which is also meant where left out.
   */
  readonly end?: number;
  /** From one position taken to the next, not 0, backwards if negative; 1 where left out. */
  readonly step?: number;
}

/** What is taken of an axis. */
function taken(x: Spec, { axis, start, end, step = 1 }: SliceAttributes) {
  const at = axisBehindSamples('slice', x, axis);
  const length = x.shape[at]!;
  if (!Number.isInteger(step) || step === 0) {
    throw new ArgumentError(`slice: expected a whole step other than 0, got ${step}`);
  }
  const first = start ?? (step > 0 ? 0 : length - 1);
  const last = end ?? (step > 0 ? length : -1);
  const [lowest, least, most, highest] = step > 0 ? [0, first, last, length] : [-1, last, first, length - 1];
  if (!Number.isInteger(first) || !Number.isInteger(last) || !(lowest <= least && least <= most && most <= highest)) {
    const wanted = step > 0 ? `0 <= start <= end <= ${length}` : `-1 <= end <= start < ${length}`;
    throw new ArgumentError(`slice: expected ${wanted}, got ${first} and ${last}`);
  }
  return { at, first, step, count: Math.ceil(Math.abs(last - first) / Math.abs(step)) };
}

/**
 * The positions from `start` to before `end` along one axis of x, of any shape and dtype, or every n-th of them
 * (`step`); none where both are the same.
 * @throws ArgumentError unless these are positions of x
 */
export const slice: Op<{ x: Operand }, 'y', SliceAttributes> = defineOp({
  name: 'slice',
  half: ['x'],
  infer({ x }, attributes) {
    const { at, count } = taken(x, attributes);
    return { y: withLength(x, at, count) };
  },
  lower({ x }, { y }, attributes) {
    const { at, first, step } = taken(x, attributes);
    if (step === 1) return [shifted(x, y, at, { before: -first })];
    const strides = stridesOf(x.shape);
    const axes = y.shape.map((length, axis) => ({ length, strides: [strides[axis]! * (axis === at ? step : 1)] }));
    // Where nothing is taken backwards, the first position may lie before all.
    return [stridedCopy('slice', x, y, axes, Math.max(first, 0) * strides[at]!)];
  },
  gradient: ({ x, dy }, attributes) => ({
    x(): Value {
      const { at, first, step, count } = taken(x, attributes);
      if (step === 1) return pad({ x: dy }, { axis: at, before: first, after: x.shape[at]! - first - count });
      return sliceGrad({ dy }, { like: x, axis: at, first, step });
    },
  }),
});

interface SliceGradAttributes {
  readonly like: Spec;
  readonly axis: number;
  readonly first: number;
  readonly step: number;
}

/** The gradient of the positions that were taken in their places, zeros in the others. */
const sliceGrad = defineOp<{ dy: Operand }, 'y', SliceGradAttributes>({
  name: 'slice-grad',
  infer: ({ dy }, { like: { shape, rows } }) => ({ y: { dtype: dy.dtype, shape, rows } }),
  lower: ({ dy }, { y }, { axis, first, step }) => [shifted(dy, y, axis, { before: first, step, mode: 'spread' })],
  gradient: isGradient,
});
