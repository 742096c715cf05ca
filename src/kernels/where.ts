import { broadcast, broadcastWalk } from './axes.ts';
import { numeric, sumTo } from './binary-family.ts';
import { defineOp, dispatch, expected, scalar } from './define.ts';
import type { Operand, Value } from './define.ts';
import { whereKernel } from './generated/where.ts';

/**
 * `a` where the condition, u32, is not 0, else `b`. All three broadcast, see `broadcast`; a and b are both of one
 * dtype. What is not chosen does not count, NaN neither; its gradient is 0.
 */
export const where = defineOp<{ condition: Operand; a: Operand; b: Operand }>({
  name: 'where',
  half: ['a', 'b'],
  infer({ condition, a, b }) {
    if (condition.dtype !== 'u32') throw expected('where', 'a u32 condition', condition);
    return { y: broadcast('where', [a, b], numeric, [condition]) };
  },
  lower({ condition, a, b }, { y }) {
    const { params, EVEN, grid } = broadcastWalk([condition, a, b], y);
    return [dispatch(whereKernel, { bind: { condition, a, b, y }, params, overrides: { EVEN }, grid })];
  },
  gradient: ({ condition, a, b, dy }): Record<'a' | 'b', () => Value> => ({
    a: () => sumTo(where({ condition, a: dy, b: scalar(0) }), a),
    b: () => sumTo(where({ condition, a: scalar(0), b: dy }), b),
  }),
});
