import { sizeOf } from '../tensor/spec.ts';
import { defineOp, dispatch, expected, linearGrid, none } from './define.ts';
import type { Operand } from './define.ts';
import { accumulateKernel } from './generated/accumulate.ts';

/**
 * Adds up the gradients of several batches, in place: `sum = share grads` where `first` is 1, else `sum += share grads`.
 * sum, grads: whole arenas `f32[size]`; weights: `f32[2]` = first (0 or 1), share.
 */
export const accumulate = defineOp<{ sum: Operand; grads: Operand; weights: Operand }, never>({
  name: 'accumulate',
  infer({ sum, grads, weights }) {
    const size = sizeOf(sum.shape);
    if (size % 4 || sizeOf(grads.shape) !== size || sizeOf(weights.shape) !== 2) {
      throw expected('accumulate', 'sum and grads of one arena, weights f32[2]', sum, grads, weights);
    }
    return {};
  },
  lower: ({ sum, grads, weights }) => [
    dispatch(accumulateKernel, {
      bind: { sum, grads, weights },
      params: { vectors: sizeOf(sum.shape) / 4 },
      grid: linearGrid(sizeOf(sum.shape) / 4, 64),
    }),
  ],
  gradient: none('it adds up gradients, in place'),
});
