import { leadPerSample } from '../tensor/spec.ts';
import { mul, sub } from './binary.ts';
import { defineOp, dispatch, expected, linearGrid } from './define.ts';
import type { Operand } from './define.ts';
import { softmaxWideKernel } from './generated/softmax-wide.ts';
import { softmaxKernel } from './generated/softmax.ts';
import { sum } from './reduce.ts';

/** From here on a workgroup shares a row; below, one invocation does it alone, without barriers. */
const WIDE = 256;

/**
 * Softmax along the last axis of `f32[rows, cols]`: `exp(x - max) / sum`. -Inf becomes 0; a row with NaN or +Inf, or of
 * nothing but -Inf, becomes NaN.
 */
export const softmax = defineOp<{ x: Operand }>({
  name: 'softmax',
  infer({ x }) {
    if (x.dtype !== 'f32' || x.shape.length !== 2 || x.shape[1] === 0) throw expected('softmax', 'f32[rows, cols]', x);
    return { y: x };
  },
  lower({ x }, { y }) {
    const cols = x.shape[1]!;
    const rowsPerSample = leadPerSample(x);
    const launch = { bind: { x, y }, params: { cols, rowsPerSample } };
    return cols < WIDE
      ? [dispatch(softmaxKernel, { ...launch, grid: linearGrid(rowsPerSample, 64) })]
      : [dispatch(softmaxWideKernel, { ...launch, grid: linearGrid(rowsPerSample, 1) })];
  },
  // dx = y (dy - sum over cols of dy y)
  gradient: ({ y, dy }) => ({
    x: () => mul({ a: y, b: sub({ a: dy, b: sum({ x: mul({ a: dy, b: y }) }, { axes: [1], keepDims: true }) }) }),
  }),
});
