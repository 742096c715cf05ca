import { leadPerSample } from '../tensor/spec.ts';
import { mul, sub } from './binary.ts';
import { defineOp, dispatch, expected, linearGrid } from './define.ts';
import type { Operand } from './define.ts';
import { softmaxWideKernel, softmaxWideQuadsKernel } from './generated/softmax-wide.ts';
import { softmaxKernel } from './generated/softmax.ts';
import { sum } from './reduce.ts';

/** From here on some invocations share a row; below, one does it alone, without barriers. */
const WIDE = 256;

/**
 * How many share it: by columns alone, never by rows. Few, since each has to wait for what the others found; more where
 * a row is long enough for that not to count.
 */
const lanesFor = (cols: number): number => (cols < 4096 ? 4 : cols < 32_768 ? 16 : 64);

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
    const bind = { x, y };
    if (cols < WIDE) {
      return [dispatch(softmaxKernel, { bind, params: { cols, rowsPerSample }, grid: linearGrid(rowsPerSample, 64) })];
    }
    const LANES = lanesFor(cols);
    const inQuads = cols % 4 === 0;
    const launch = {
      bind,
      params: { width: inQuads ? cols / 4 : cols, rowsPerSample },
      overrides: { LANES },
      grid: linearGrid(rowsPerSample, softmaxWideKernel.workgroupSize[0] / LANES),
    };
    return [dispatch(inQuads ? softmaxWideQuadsKernel : softmaxWideKernel, launch)];
  },
  // dx = y (dy - sum over cols of dy y)
  gradient: ({ y, dy }) => ({
    x: () => mul({ a: y, b: sub({ a: dy, b: sum({ x: mul({ a: dy, b: y }) }, { axes: [1], keepDims: true }) }) }),
  }),
});
