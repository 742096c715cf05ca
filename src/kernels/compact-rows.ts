import { leadPerSample, perSample } from '../tensor/spec.ts';
import { defineOp, dispatch, expected, none } from './define.ts';
import type { Operand } from './define.ts';
import { compactRowsFourKernel, compactRowsKernel } from './generated/compact-rows.ts';

/**
 * The rows that stay, moved to the front of the same memory in the order they had: `y[k] = x[order[k]]`; `x` is used
 * up. x: any dtype, `[rows, ...]`; order: `u32[next]`, ascending, as the exit check lists them; result: `[next, ...]`.
 * Moves nothing in front of the first row that left, and nothing at all where none did. A single row stays where it is.
 */
export const compactRows = defineOp<{ x: Operand; order: Operand }>({
  name: 'compact-rows',
  half: ['x'],
  view: 'in place',
  infer({ x, order }) {
    if (
      order.dtype !== 'u32' ||
      !order.rows ||
      leadPerSample(order) !== 1 ||
      !x.rows ||
      order.rows.max !== x.rows.max
    ) {
      throw expected('compact-rows', 'x [rows, ...] and order u32[rows] of as many rows', x, order);
    }
    return { y: { dtype: x.dtype, shape: x.shape, rows: order.rows } };
  },
  lower({ x, order }) {
    const numbers = perSample(x);
    if (order.rows!.max === 1 || numbers === 0) return [];
    const [kernel, size] = numbers % 4 ? [compactRowsKernel, numbers] : [compactRowsFourKernel, numbers / 4];
    // A column per invocation, however many rows are left.
    const grid = { folded: Math.ceil(size / 64) };
    return [dispatch(kernel, { bind: { x, order }, params: { size }, grid, rows: order.rows! })];
  },
  gradient: none('a selection of rows is made for inference'),
});
