import type { Rows } from '../tensor/spec.ts';
import { defineOp, dispatch, expected, liveCountOf, none } from './define.ts';
import type { Operand } from './define.ts';
import { compactKernel } from './generated/compact.ts';

export interface CompactAttributes {
  /** The rows that follow: as many as stay. The kernel writes their live count. */
  readonly next: Rows;
}

/**
 * Stable compaction by a scan. stays, origin: `u32[rows]`; results, both `u32[next]`: `order`, the rows that stay in the
 * order they had, and `nextOrigin`, where in the batch each came from.
 */
export const compact = defineOp<{ stays: Operand; origin: Operand }, 'order' | 'nextOrigin', CompactAttributes>({
  name: 'compact',
  infer({ stays, origin }, { next }) {
    const lists = [stays, origin].every(({ dtype, shape }) => dtype === 'u32' && shape.join() === String(next.max));
    if (!lists || !stays.rows || origin.rows !== stays.rows || next === stays.rows) {
      throw expected('compact', `stays and origin u32[rows] of the same rows, at most ${next.max} and not the next`, stays, origin);
    }
    const list = { dtype: 'u32', shape: [next.max], rows: next } as const;
    return { order: list, nextOrigin: list };
  },
  lower: ({ stays, origin }, { order, nextOrigin }, { next }) => [
    dispatch(compactKernel, {
      bind: { stays, origin, order, nextOrigin, next: liveCountOf(next) },
      grid: [1],
      rows: stays.rows,
    }),
  ],
  gradient: none('a selection of rows is made for inference'),
});
