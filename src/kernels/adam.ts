import { sizeOf } from '../tensor/spec.ts';
import { defineOp, dispatch, linearGrid, none } from './define.ts';
import type { Operand } from './define.ts';
import { adamKernel } from './generated/adam.ts';
import { checkStep, NO_LIMIT } from './optimizer-step.ts';
import type { OptimizerAttributes, OptimizerInputs } from './optimizer-step.ts';

/**
 * One step of Adam (Kingma & Ba 2015, algorithm 1) with decoupled weight decay (AdamW, Loshchilov & Hutter 2019,
 * algorithm 2), in place. parameters, grads, moment1, moment2: whole arenas `f32[size]`; hyper: `f32[7]` = lr, beta1,
 * beta2, epsilon, 1 / (1 - beta1^step), 1 / (1 - beta2^step), weightDecay.
 */
export const adam = defineOp<
  { parameters: Operand; grads: Operand; moment1: Operand; moment2: Operand } & OptimizerInputs,
  never,
  OptimizerAttributes
>({
  name: 'adam',
  infer({ parameters, grads, moment1, moment2, ...inputs }) {
    checkStep('adam', { parameters, grads, moment1, moment2 }, inputs, 7);
    return {};
  },
  lower: (inputs, _, { maxNorm = NO_LIMIT }) => {
    const vectors = sizeOf(inputs.parameters.shape) / 4;
    return [dispatch(adamKernel, { bind: inputs, params: { vectors, maxNorm }, grid: linearGrid(vectors, 64) })];
  },
  gradient: none('an optimiser step changes its parameters in place'),
});
