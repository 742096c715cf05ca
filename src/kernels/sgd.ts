import { sizeOf } from '../tensor/spec.ts';
import { defineOp, dispatch, linearGrid, none } from './define.ts';
import type { Operand } from './define.ts';
import { sgdKernel } from './generated/sgd.ts';
import { checkStep, NO_LIMIT } from './optimizer-step.ts';
import type { OptimizerAttributes, OptimizerInputs } from './optimizer-step.ts';

/**
 * One step of SGD with momentum, in place: `v = momentum v + (g + weightDecay p)`, `p -= lr v`, or with Nesterov's
 * momentum `p -= lr (g + momentum v)` (Sutskever et al. 2013, as in PyTorch). parameters, grads, velocity: whole arenas
 * `f32[size]`; hyper: `f32[4]` = lr, momentum, weightDecay, nesterov (0 or 1), changed at any step without recompiling.
 */
export const sgd = defineOp<
  { parameters: Operand; grads: Operand; velocity: Operand } & OptimizerInputs,
  never,
  OptimizerAttributes
>({
  name: 'sgd',
  infer({ parameters, grads, velocity, ...inputs }) {
    checkStep('sgd', { parameters, grads, velocity }, inputs, 4);
    return {};
  },
  lower: (inputs, _, { maxNorm = NO_LIMIT }) => {
    const vectors = sizeOf(inputs.parameters.shape) / 4;
    return [dispatch(sgdKernel, { bind: inputs, params: { vectors, maxNorm }, grid: linearGrid(vectors, 64) })];
  },
  gradient: none('an optimiser step changes its parameters in place'),
});
