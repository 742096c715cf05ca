import { perSample } from '../tensor/spec.ts';
import { checkClassWeights, checkIgnored } from './cross-entropy-grad.ts';
import { defineOp, dispatch, expected, linearGrid, none } from './define.ts';
import type { Operand } from './define.ts';
import { labelWeightsKernel } from './generated/label-weights.ts';

/**
 * The weight of each label's class, 0 for a label outside the classes or `ignore`: what a weighted mean of
 * `crossEntropy` or `nll` divides by. labels: u32 or i32 of any shape,
 * classWeights: `f32[classes]`; result: f32 of the labels' shape.
 */
export const labelWeights = defineOp<{ labels: Operand; classWeights: Operand }, 'y', { readonly ignore?: number }>({
  name: 'label-weights',
  infer({ labels, classWeights }, { ignore = -1 }) {
    if (labels.dtype === 'f32') throw expected('label-weights', 'labels u32[...] or i32[...]', labels);
    checkClassWeights('label-weights', classWeights, classWeights.shape[0] ?? 0);
    checkIgnored('label-weights', ignore);
    return { y: { dtype: 'f32', shape: labels.shape, rows: labels.rows } };
  },
  lower: ({ labels, classWeights }, { y }, { ignore = 2 ** 32 - 1 }) => [
    dispatch(labelWeightsKernel, {
      bind: { labels, classWeights, weights: y },
      // Of a label i32 the bits.
      params: { classes: classWeights.shape[0]!, sizePerSample: perSample(labels), ignore: ignore >>> 0 },
      grid: linearGrid(perSample(labels), 64),
    }),
  ],
  gradient: none('labels are chosen, not computed'),
});
