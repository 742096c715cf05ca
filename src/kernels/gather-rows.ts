import { perSample } from '../tensor/spec.ts';
import { defineOp, dispatch, expected, linearGrid, none } from './define.ts';
import type { Operand } from './define.ts';
import { gatherRowsKernel } from './generated/gather-rows.ts';

/** `y[row] = x[order[row]]`; x: any dtype, `[rows, ...]`; order: `u32[next]`; result: `[next, ...]`, of order's rows. */
export const gatherRows = defineOp<{ x: Operand; order: Operand }>({
  name: 'gather-rows',
  infer({ x, order }) {
    if (order.dtype !== 'u32' || !order.rows || !x.rows || order.rows.max !== x.rows.max) {
      throw expected('gather-rows', 'x [rows, ...] and order u32[rows] of as many rows', x, order);
    }
    return { y: { dtype: x.dtype, shape: x.shape, rows: order.rows } };
  },
  lower: ({ x, order }, { y }) => [
    dispatch(gatherRowsKernel, {
      bind: { x, order, y },
      params: { size: perSample(x) },
      grid: linearGrid(perSample(x), 64),
      rows: order.rows,
    }),
  ],
  gradient: none('a selection of rows is made for inference'),
});
