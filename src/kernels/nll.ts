import { perSample, sizeOf } from '../tensor/spec.ts';
import type { Spec } from '../tensor/spec.ts';
import { div } from './binary.ts';
import { checkClassWeights, checkIgnored } from './cross-entropy-grad.ts';
import { constant, defineOp, dispatch, expected, isGradient, linearGrid } from './define.ts';
import type { Operand, Value } from './define.ts';
import { nllGradKernel } from './generated/nll-grad.ts';
import { nllKernel } from './generated/nll.ts';
import { labelWeights } from './label-weights.ts';
import { mean, sum } from './reduce.ts';

/** Log probabilities `f32[n, classes, ...]`, a label for each of `[n, ...]`, and a weight for each class. */
export type NllInputs<T = Operand> = { x: T; label: T; weight?: T };

export interface NllAttributes {
  /** A label that is ignored, as one outside the classes always is. */
  readonly ignore?: number;
}

const paramsOf = ({ x, label }: NllInputs<Spec>, { ignore = -1 }: NllAttributes) => ({
  sizePerSample: perSample(label),
  classes: x.shape[1]!,
  inner: sizeOf(x.shape.slice(2)),
  // Of a label i32 the bits.
  ignore: ignore >>> 0,
});

const nllGrad = defineOp<NllInputs & { dy: Operand }, 'y', NllAttributes>({
  name: 'nll-grad',
  infer: ({ x }) => ({ y: x }),
  lower: ({ x, label, weight, dy }, { y: dx }, attributes) => [
    dispatch(nllGradKernel, {
      // A kernel's bindings are all bound: without weights, it is given something that it does not look at.
      bind: { label, weight: weight ?? dy, dy, dx },
      params: paramsOf({ x, label }, attributes),
      overrides: { WEIGHTED: weight !== undefined },
      grid: linearGrid(perSample(dx), 64),
    }),
  ],
  gradient: isGradient,
});

/**
 * Negative log-likelihood, `-weight[label] x[n, label, ...]`, of log probabilities, see `logSoftmax`. x:
 * `f32[n, classes, ...]`, label: i32 or u32 `[n, ...]`, weight: `f32[classes]`, 1 each where left out; result:
 * `f32[n, ...]`, to be averaged by the caller, see `meanNll`. A label outside the classes, or `ignore`, is ignored, as
 * by `crossEntropy`: loss and gradient 0. https://onnx.ai/onnx/operators/onnx__NegativeLogLikelihoodLoss.html
 */
export const nll = defineOp<NllInputs, 'y', NllAttributes>({
  name: 'nll',
  infer({ x, label, weight }, { ignore = -1 }) {
    const { dtype, shape, rows } = x;
    const fits = dtype === 'f32' && shape.length >= 2 && label.dtype !== 'f32' && label.rows === rows;
    if (!fits || label.shape.join() !== shape.toSpliced(1, 1).join()) {
      throw expected('nll', 'x f32[n, classes, ...] and label i32 or u32 [n, ...] of the same samples', x, label);
    }
    checkClassWeights('nll', weight, shape[1]!);
    checkIgnored('nll', ignore);
    return { y: { dtype, shape: label.shape, rows } };
  },
  lower: ({ x, label, weight }, { y }, attributes) => [
    dispatch(nllKernel, {
      bind: { x, label, weight: weight ?? x, y },
      params: paramsOf({ x, label }, attributes),
      overrides: { WEIGHTED: weight !== undefined },
      grid: linearGrid(perSample(y), 64),
    }),
  ],
  gradient: ({ x, label, weight, dy }, attributes) => ({
    x: () => nllGrad({ x, label, dy, ...(weight && { weight }) }, attributes),
  }),
});

/**
 * The mean of `nll`; with weights or a label to ignore the sum of the losses divided by the sum of `weight[label]` over
 * the labels that are not ignored (as in ONNX and PyTorch), NaN where all of them are.
 */
export function meanNll(inputs: NllInputs, attributes: NllAttributes = {}): Value {
  const { x, label, weight } = inputs;
  const losses = nll(inputs, attributes);
  if (!weight && attributes.ignore === undefined) return mean({ x: losses });
  const classes = x.shape[1]!;
  const classWeights = weight ?? constant({ dtype: 'f32', shape: [classes] }, new Float32Array(classes).fill(1));
  return div({ a: sum({ x: losses }), b: sum({ x: labelWeights({ labels: label, classWeights }, attributes) }) });
}
