import { perSample } from '../tensor/spec.ts';
import { dispatch, linearGrid } from './define.ts';
import type { Dispatch, Value } from './define.ts';
import { halfBackKernel, halfKernel } from './generated/half.ts';

/** The launch that gives x, of f32 or f16, as y of the other. */
export const convertHalf = (x: Value, y: Value): Dispatch =>
  dispatch(y.dtype === 'f16' ? halfKernel : halfBackKernel, {
    bind: { x, y },
    params: { sizePerSample: perSample(x) },
    grid: linearGrid(perSample(x), 256),
  });
