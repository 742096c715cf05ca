import { leadPerSample } from '../tensor/spec.ts';
import { checkClassWeights } from './cross-entropy-grad.ts';
import { defineOp, dispatch, expected, linearGrid, none } from './define.ts';
import type { Operand } from './define.ts';
import { labelWeightsKernel } from './generated/label-weights.ts';

/**
 * The weight of each row's class, 0 for a label outside the classes or `ignore`: what a weighted mean of `crossEntropy`
 * divides by. labels: `u32[rows]`, classWeights: `f32[classes]`; result: `f32[rows]`.
 */
export const labelWeights = defineOp<{ labels: Operand; classWeights: Operand }, 'y', { readonly ignore?: number }>({
  name: 'label-weights',
  infer({ labels, classWeights }) {
    const fits = labels.dtype === 'u32' && labels.shape.length === 1;
    if (!fits) throw expected('label-weights', 'labels u32[rows]', labels);
    checkClassWeights('label-weights', classWeights, classWeights.shape[0] ?? 0);
    return { y: { dtype: 'f32', shape: labels.shape, rows: labels.rows } };
  },
  lower: ({ labels, classWeights }, { y }, { ignore = 2 ** 32 - 1 }) => [
    dispatch(labelWeightsKernel, {
      bind: { labels, classWeights, weights: y },
      params: { classes: classWeights.shape[0]!, rowsPerSample: leadPerSample(labels), ignore },
      grid: linearGrid(leadPerSample(labels), 64),
    }),
  ],
  gradient: none('labels are chosen, not computed'),
});
