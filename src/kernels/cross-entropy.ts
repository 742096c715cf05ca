import { leadPerSample } from '../tensor/spec.ts';
import { div } from './binary.ts';
import { checkLogits, crossEntropyGrad, crossEntropyParams } from './cross-entropy-grad.ts';
import type { CrossEntropyAttributes, CrossEntropyInputs } from './cross-entropy-grad.ts';
import { constant, defineOp, dispatch, linearGrid } from './define.ts';
import type { Value } from './define.ts';
import { crossEntropyKernel } from './generated/cross-entropy.ts';
import { labelWeights } from './label-weights.ts';
import { mean, sum } from './reduce.ts';

/**
 * Cross-entropy of each row's logits against its label, in nats: `w[label] (log sum exp(logits) - logits[label])`, with
 * a share `smoothing` of it, instead of at the label, evenly over all classes c, each of weight `w[c]` (as in PyTorch).
 * logits: `f32[rows, classes]`, labels: `u32[rows]` counted from 0; result: `f32[rows]`, to be averaged by the caller,
 * see `meanCrossEntropy`. A label outside the classes, or `ignore`, is ignored: loss and gradient 0. NaN or +Inf among
 * the logits gives NaN; -Inf is a probability of 0.
 */
export const crossEntropy = defineOp<CrossEntropyInputs, 'y', CrossEntropyAttributes>({
  name: 'cross-entropy',
  infer(inputs, attributes) {
    const { logits, labels } = inputs;
    checkLogits('cross-entropy', inputs, attributes);
    return { y: { dtype: 'f32', shape: labels.shape, rows: logits.rows } };
  },
  lower: ({ logits, labels, classWeights }, { y }, attributes) => [
    dispatch(crossEntropyKernel, {
      // A kernel's bindings are all bound: without weights, it is given something that it does not look at.
      bind: { logits, labels, classWeights: classWeights ?? logits, loss: y },
      params: crossEntropyParams(logits, attributes),
      overrides: { WEIGHTED: classWeights !== undefined, SMOOTHED: (attributes.smoothing ?? 0) !== 0 },
      grid: linearGrid(leadPerSample(logits), 64),
    }),
  ],
  gradient: ({ logits, labels, classWeights, dy }, attributes) => ({
    logits: () => crossEntropyGrad({ logits, labels, dloss: dy, ...(classWeights && { classWeights }) }, attributes),
  }),
});

/** The mean of `crossEntropy` over the live rows, whose gradient needs no more launches than that of one row. */
export const meanOfCrossEntropies = defineOp<CrossEntropyInputs, 'y', CrossEntropyAttributes>({
  name: 'mean-of-cross-entropies',
  infer(inputs, attributes) {
    return mean.infer({ x: crossEntropy.infer(inputs, attributes).y }, {});
  },
  lower(inputs, { y }, attributes, context) {
    const losses = context.scratch({ dtype: 'f32', shape: inputs.labels.shape, rows: inputs.labels.rows });
    return [
      ...crossEntropy.lower(inputs, { y: losses }, attributes, context),
      ...mean.lower({ x: losses }, { y }, {}, context),
    ];
  },
  gradient: ({ logits, labels, classWeights, dy }, attributes) => ({
    logits: () => {
      const inputs = { logits, labels, dloss: dy, ...(classWeights && { classWeights }) };
      return crossEntropyGrad(inputs, { ...attributes, mean: true });
    },
  }),
});

/**
 * The mean of `crossEntropy` over the rows. With class weights or a label to ignore it is PyTorch's weighted mean, the
 * sum of the losses divided by the sum of `w[label]` over the rows that are not ignored; NaN where all of them are.
 */
export function meanCrossEntropy(inputs: CrossEntropyInputs, attributes: CrossEntropyAttributes = {}): Value {
  const { logits, labels, classWeights } = inputs;
  const { ignore } = attributes;
  if (!classWeights && ignore === undefined) return meanOfCrossEntropies(inputs, attributes);
  const classes = logits.shape[1]!;
  const weights = classWeights ?? constant({ dtype: 'f32', shape: [classes] }, new Float32Array(classes).fill(1));
  const counted = labelWeights({ labels, classWeights: weights }, ignore === undefined ? {} : { ignore });
  return div({ a: sum({ x: crossEntropy(inputs, attributes) }), b: sum({ x: counted }) });
}
