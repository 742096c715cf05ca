import { leadPerSample } from '../tensor/spec.ts';
import { checkLogits, crossEntropyGrad } from './cross-entropy-grad.ts';
import { defineOp, dispatch, linearGrid } from './define.ts';
import type { Operand } from './define.ts';
import { crossEntropyKernel } from './generated/cross-entropy.ts';

/**
 * Cross-entropy of each row's logits against its label, in nats: `log sum exp(logits) - logits[label]`.
 * logits: `f32[rows, classes]`, labels: `u32[rows]` counted from 0; result: `f32[rows]`.
 * A label outside the classes is ignored: loss and gradient 0. NaN or +Inf among the logits gives NaN; -Inf is a probability of 0.
 */
export const crossEntropy = defineOp<{ logits: Operand; labels: Operand }>({
  name: 'cross-entropy',
  infer({ logits, labels }) {
    checkLogits('cross-entropy', logits, labels);
    return { y: { dtype: 'f32', shape: labels.shape, rows: logits.rows } };
  },
  lower: ({ logits, labels }, { y }) => [
    dispatch(crossEntropyKernel, {
      bind: { logits, labels, loss: y },
      params: { classes: logits.shape[1]!, rowsPerSample: leadPerSample(logits) },
      grid: linearGrid(leadPerSample(logits), 64),
    }),
  ],
  gradient: ({ logits, labels, dy }) => ({ logits: () => crossEntropyGrad({ logits, labels, dloss: dy }) }),
});
