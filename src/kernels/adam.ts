import { sizeOf } from '../tensor/spec.ts';
import { defineOp, dispatch, expected, linearGrid, none } from './define.ts';
import type { Operand } from './define.ts';
import { adamKernel } from './generated/adam.ts';

/**
 * One step of Adam (Kingma & Ba 2015, algorithm 1) with decoupled weight decay (AdamW, Loshchilov & Hutter 2019,
 * algorithm 2), in place. parameters, grads, moment1, moment2: whole arenas `f32[size]`; hyper: `f32[7]` = lr, beta1,
 * beta2, epsilon, 1 / (1 - beta1^step), 1 / (1 - beta2^step), weightDecay; scale: `f32[1]`, multiplies the gradients,
 * with 0 nothing changes.
 */
export const adam = defineOp<
  { parameters: Operand; grads: Operand; moment1: Operand; moment2: Operand; hyper: Operand; scale: Operand },
  never
>({
  name: 'adam',
  infer({ parameters, grads, moment1, moment2, hyper, scale }) {
    const size = sizeOf(parameters.shape);
    if (
      size % 4 ||
      [grads, moment1, moment2].some(({ shape }) => sizeOf(shape) !== size) ||
      sizeOf(hyper.shape) !== 7 ||
      sizeOf(scale.shape) !== 1
    ) {
      throw expected(
        'adam',
        'parameters, grads and moments of one arena, hyper f32[7], scale f32[1]',
        parameters,
        grads,
        moment1,
        moment2,
        hyper,
        scale,
      );
    }
    return {};
  },
  lower: ({ parameters, grads, moment1, moment2, hyper, scale }) => [
    dispatch(adamKernel, {
      bind: { parameters, grads, moment1, moment2, hyper, scale },
      params: { vectors: sizeOf(parameters.shape) / 4 },
      grid: linearGrid(sizeOf(parameters.shape) / 4, 64),
    }),
  ],
  gradient: none('an optimiser step changes its parameters in place'),
});
