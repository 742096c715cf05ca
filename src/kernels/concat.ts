import { perSample } from '../tensor/spec.ts';
import { alongAxis, axisBehindSamples, withLength } from './axes.ts';
import { defineOp, dispatch, expected, linearGrid } from './define.ts';
import type { Op, Operand } from './define.ts';
import { concatKernel } from './generated/concat.ts';
import { slice } from './slice.ts';

export interface ConcatAttributes {
  /** Negative: counted from the last. Not the axis of the samples. */
  readonly axis: number;
}

/** a and behind it b along one axis, of any dtype; their other axes, and their samples, are the same. */
export const concat: Op<{ a: Operand; b: Operand }, 'y', ConcatAttributes> = defineOp({
  name: 'concat',
  infer({ a, b }, { axis }) {
    const at = axisBehindSamples('concat', a, axis);
    const alike = b.shape.length === a.shape.length && b.shape.every((length, i) => i === at || length === a.shape[i]);
    if (!alike || a.dtype !== b.dtype || a.rows !== b.rows) {
      throw expected('concat', `a and b of one dtype, of the same samples, and alike but for axis ${at}`, a, b);
    }
    return { y: withLength(a, at, a.shape[at]! + b.shape[at]!) };
  },
  lower({ a, b }, { y }, { axis }) {
    const { outerPerSample, length: aLength } = alongAxis(a, axis);
    return [
      dispatch(concatKernel, {
        bind: { a, b, y },
        params: { outerPerSample, aLength, bLength: alongAxis(b, axis).length },
        grid: linearGrid(perSample(y), 256),
      }),
    ];
  },
  gradient({ a, dy }, { axis }) {
    const end = a.shape.at(axis)!;
    return { a: () => slice({ x: dy }, { axis, end }), b: () => slice({ x: dy }, { axis, start: end }) };
  },
});
