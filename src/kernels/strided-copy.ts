import { perSample } from '../tensor/spec.ts';
import type { Spec } from '../tensor/spec.ts';
import { axesParam, MAX_RANK, mergeAxes } from './axes.ts';
import type { Axis } from './axes.ts';
import { dispatch, expected, linearGrid } from './define.ts';
import type { Dispatch, Value } from './define.ts';
import { stridedCopyKernel } from './generated/strided-copy.ts';

/**
 * The walk through x that one launch can take, for each axis of the result its length and the stride in x.
 * @throws ShapeError where more than 6 axes are left when neighbours that stay together are one
 */
export function walkThrough(op: string, x: Spec, axes: readonly Axis[]): Axis[] {
  const merged = mergeAxes(axes);
  if (merged.length <= MAX_RANK) return merged;
  throw expected(op, `at most ${MAX_RANK} axes to be moved apart from each other; move some of them first`, x);
}

/** y from x, of any dtype: `axes` are those of y, whose strides in x may be negative or 0; `offset`: where y starts. */
export function stridedCopy(op: string, x: Value, y: Value, axes: readonly Axis[], offset = 0): Dispatch {
  const merged = walkThrough(op, x, axes).map(({ length, strides }) => ({ length, strides: [strides[0]! >>> 0] }));
  return dispatch(stridedCopyKernel, {
    bind: { x, y },
    params: { axes: axesParam(merged), rank: merged.length, sizePerSample: perSample(y), offset },
    grid: linearGrid(perSample(y), 256),
  });
}
