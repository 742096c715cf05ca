import { alongAxis, axisBehindSamples } from './axes.ts';
import { mul, sub } from './binary.ts';
import { defineOp, dispatch, expected, linearGrid } from './define.ts';
import type { Dispatch, Op, Operand, Value } from './define.ts';
import { softmaxWideKernel, softmaxWideQuadsKernel } from './generated/softmax-wide.ts';
import { softmaxKernel } from './generated/softmax.ts';
import { lanesFor, WIDE } from './lanes.ts';
import { sum } from './reduce.ts';
import { exp } from './unary.ts';

export interface SoftmaxAttributes {
  /** Along which axis; negative: counted from the last. The last where left out; not that of the samples. */
  readonly axis?: number;
}

/** The rows are what lies along the axis, however far apart. */
function launch(x: Value, y: Value, axis: number, LOG: boolean): Dispatch {
  const { outerPerSample, count: cols, stride } = alongAxis(x, axis);
  const rowsPerSample = outerPerSample * stride;
  const bind = { x, y };
  if (cols < WIDE || stride > 1) {
    return dispatch(softmaxKernel, {
      bind,
      params: { cols, rowsPerSample, stride },
      overrides: { LOG, STRIDED: stride > 1 },
      grid: linearGrid(rowsPerSample, 64),
    });
  }
  const LANES = lanesFor(cols);
  const inQuads = cols % 4 === 0;
  return dispatch(inQuads ? softmaxWideQuadsKernel : softmaxWideKernel, {
    bind,
    params: { width: inQuads ? cols / 4 : cols, rowsPerSample },
    overrides: { LANES, LOG },
    grid: linearGrid(rowsPerSample, softmaxWideKernel.workgroupSize[0] / LANES),
  });
}

type Values = { readonly y: Value; readonly dy: Value };

/** One of the two; the gradient is that of x. */
/* @__NO_SIDE_EFFECTS__ */
const member = (
  name: string,
  log: boolean,
  gradient: (values: Values, total: (x: Value) => Value) => Value,
): Op<{ x: Operand }, 'y', SoftmaxAttributes> =>
  defineOp<{ x: Operand }, 'y', SoftmaxAttributes>({
    name,
    half: ['x'],
    infer({ x }, { axis = -1 }) {
      const fits = x.dtype === 'f32' && x.shape[axisBehindSamples(name, x, axis)] !== 0;
      if (!fits) throw expected(name, 'f32[...] of at least one element along the axis', x);
      return { y: x };
    },
    lower: ({ x }, { y }, { axis = -1 }) => [launch(x, y, axis, log)],
    gradient: (values, { axis = -1 }) => ({
      x: () => gradient(values, (x) => sum({ x }, { axes: [axis], keepDims: true })),
    }),
  });

/**
 * Softmax along an axis, `exp(x - max) / sum`. x: `f32[...]`. -Inf becomes 0; where there is NaN or +Inf along the
 * axis, or nothing but -Inf, all of it becomes NaN.
 */
export const softmax = member('softmax', false, ({ y, dy }, total) =>
  // dx = y (dy - sum over cols of dy y)
  mul({ a: y, b: sub({ a: dy, b: total(mul({ a: dy, b: y })) }) }),
);

/** The logarithm of `softmax`, like it: `x - max - log sum exp(x - max)`, also where the softmax underflows. */
export const logSoftmax = member('log-softmax', true, ({ y, dy }, total) =>
  // dx = dy - softmax sum over cols of dy
  sub({ a: dy, b: mul({ a: exp({ x: y }), b: total(dy) }) }),
);
