import { leadPerSample } from '../tensor/spec.ts';
import { defineOp, dispatch, linearGrid, none } from './define.ts';
import type { Operand } from './define.ts';
import { crossEntropyGradKernel } from './generated/cross-entropy-grad.ts';

/** `dloss * (softmax(logits) - onehot(labels))`; logits: `f32[rows, classes]`, labels: `u32[rows]`, dloss: `f32[rows]`. */
export const crossEntropyGrad = defineOp<{ logits: Operand; labels: Operand; dloss: Operand }>({
  name: 'cross-entropy-grad',
  infer: ({ logits }) => ({ y: logits }),
  lower: ({ logits, labels, dloss }, { y }) => [
    dispatch(crossEntropyGradKernel, {
      bind: { logits, labels, dloss, dlogits: y },
      params: { classes: logits.shape[1]!, rowsPerSample: leadPerSample(logits) },
      grid: linearGrid(leadPerSample(logits), 64),
    }),
  ],
  gradient: none('second derivatives are not supported'),
});
