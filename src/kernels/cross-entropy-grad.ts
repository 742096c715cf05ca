import { leadPerSample } from '../tensor/spec.ts';
import type { Spec } from '../tensor/spec.ts';
import { defineOp, dispatch, expected, linearGrid, none } from './define.ts';
import type { Operand } from './define.ts';
import { crossEntropyGradKernel } from './generated/cross-entropy-grad.ts';

/** @throws ShapeError unless there is one label to each row of logits */
export function checkLogits(op: string, logits: Spec, labels: Spec): void {
  const fits = logits.dtype === 'f32' && logits.shape.length === 2 && labels.dtype === 'u32';
  if (!fits || labels.shape.join() !== String(logits.shape[0]) || labels.rows !== logits.rows) {
    throw expected(op, 'logits f32[rows, classes] and labels u32[rows] of the same rows', logits, labels);
  }
}

/** `dloss * (softmax(logits) - onehot(labels))`; logits: `f32[rows, classes]`, labels: `u32[rows]`, dloss: `f32[rows]`. */
export const crossEntropyGrad = defineOp<{ logits: Operand; labels: Operand; dloss: Operand }>({
  name: 'cross-entropy-grad',
  infer({ logits, labels, dloss }) {
    checkLogits('cross-entropy-grad', logits, labels);
    if (dloss.dtype !== 'f32' || dloss.shape.join() !== labels.shape.join() || dloss.rows !== labels.rows) {
      throw expected('cross-entropy-grad', 'dloss f32[rows] of the same rows', dloss);
    }
    return { y: logits };
  },
  lower: ({ logits, labels, dloss }, { y }) => [
    dispatch(crossEntropyGradKernel, {
      bind: { logits, labels, dloss, dlogits: y },
      params: { classes: logits.shape[1]!, rowsPerSample: leadPerSample(logits) },
      grid: linearGrid(leadPerSample(logits), 64),
    }),
  ],
  gradient: none('second derivatives are not supported'),
});
