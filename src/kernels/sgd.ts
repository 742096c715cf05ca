import { sizeOf } from '../tensor/spec.ts';
import { defineOp, dispatch, expected, linearGrid, none } from './define.ts';
import type { Operand } from './define.ts';
import { sgdKernel } from './generated/sgd.ts';

/**
 * One step of SGD with momentum, in place: `v = momentum v + (g + weightDecay p)`, `p -= lr v`, or with Nesterov's
 * momentum `p -= lr (g + momentum v)` (Sutskever et al. 2013, as in PyTorch). parameters, grads, velocity: whole arenas
 * `f32[size]`; hyper: `f32[4]` = lr, momentum, weightDecay, nesterov (0 or 1), changed at any step without recompiling;
 * scale: `f32[1]`, multiplies the gradients, with 0 nothing changes.
 */
export const sgd = defineOp<
  { parameters: Operand; grads: Operand; velocity: Operand; hyper: Operand; scale: Operand },
  never
>({
  name: 'sgd',
  infer({ parameters, grads, velocity, hyper, scale }) {
    const size = sizeOf(parameters.shape);
    const fits = sizeOf(grads.shape) === size && sizeOf(velocity.shape) === size && size % 4 === 0;
    if (!fits || sizeOf(hyper.shape) !== 4 || sizeOf(scale.shape) !== 1) {
      throw expected(
        'sgd',
        'parameters, grads and velocity of one arena, hyper f32[4], scale f32[1]',
        parameters,
        grads,
        velocity,
        hyper,
        scale,
      );
    }
    return {};
  },
  lower: ({ parameters, grads, velocity, hyper, scale }) => [
    dispatch(sgdKernel, {
      bind: { parameters, grads, velocity, hyper, scale },
      params: { vectors: sizeOf(parameters.shape) / 4 },
      grid: linearGrid(sizeOf(parameters.shape) / 4, 64),
    }),
  ],
  gradient: none('an optimiser step changes its parameters in place'),
});
