import { sizeOf } from '../tensor/spec.ts';
import { defineOp, dispatch, expected, none } from './define.ts';
import type { Operand } from './define.ts';
import { updateScaleKernel } from './generated/update-scale.ts';

/** Greater than the norm of any gradient whose square f32 holds. */
const NO_LIMIT = 3e38;

/**
 * What an optimiser multiplies the gradient by, `f32[1]`: `share min(1, maxNorm / sqrt(squares))` (clipping by the norm,
 * Pascanu, Mikolov & Bengio 2013, "On the difficulty of training recurrent neural networks", algorithm 1); 0, for an
 * update that changes nothing, where the loss or the norm is NaN or infinite. loss: `f32[1]`; squares: the sum of the
 * squares of the gradient's elements, `f32[1]`; share: `f32[1]`.
 */
export const updateScale = defineOp<
  { loss: Operand; squares: Operand; share: Operand },
  'y',
  { maxNorm?: number }
>({
  name: 'update-scale',
  infer({ loss, squares, share }) {
    const given = [loss, squares, share];
    if (given.some(({ dtype, shape }) => dtype !== 'f32' || sizeOf(shape) !== 1)) {
      throw expected('update-scale', 'loss, squares and share f32[1]', ...given);
    }
    return { y: { dtype: 'f32', shape: [1] } };
  },
  lower: ({ loss, squares, share }, { y }, { maxNorm = NO_LIMIT }) => [
    dispatch(updateScaleKernel, { bind: { loss, squares, share, scale: y }, params: { maxNorm }, grid: [1] }),
  ],
  gradient: none('it scales a gradient'),
});
