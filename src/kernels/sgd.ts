import { sizeOf } from '../tensor/spec.ts';
import { defineOp, dispatch, expected, linearGrid, none } from './define.ts';
import type { Operand } from './define.ts';
import { sgdKernel } from './generated/sgd.ts';

/**
 * One step of SGD with momentum, in place: `v = momentum v + (g + weightDecay p)`, `p -= lr v`, or with Nesterov's
 * momentum `p -= lr (g + momentum v)` (Sutskever et al. 2013, as in PyTorch). parameters, grads, velocity: whole arenas
 * `f32[size]`; hyper: `f32[4]` = lr, momentum, weightDecay, nesterov (0 or 1), changed at any step without recompiling.
 */
export const sgd = defineOp<{ parameters: Operand; grads: Operand; velocity: Operand; hyper: Operand }, never>({
  name: 'sgd',
  infer({ parameters, grads, velocity, hyper }) {
    const size = sizeOf(parameters.shape);
    if (size % 4 || sizeOf(grads.shape) !== size || sizeOf(velocity.shape) !== size || sizeOf(hyper.shape) !== 4) {
      throw expected(
        'sgd',
        'parameters, grads and velocity of one arena, hyper f32[4]',
        parameters,
        grads,
        velocity,
        hyper,
      );
    }
    return {};
  },
  lower: ({ parameters, grads, velocity, hyper }) => [
    dispatch(sgdKernel, {
      bind: { parameters, grads, velocity, hyper },
      params: { vectors: sizeOf(parameters.shape) / 4 },
      grid: linearGrid(sizeOf(parameters.shape) / 4, 64),
    }),
  ],
  gradient: none('an optimiser step changes its parameters in place'),
});
