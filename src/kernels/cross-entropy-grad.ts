import { ArgumentError } from '../errors.ts';
import { leadPerSample, sizeOf } from '../tensor/spec.ts';
import type { Spec } from '../tensor/spec.ts';
import { defineOp, dispatch, expected, linearGrid, none } from './define.ts';
import type { Operand } from './define.ts';
import { crossEntropyGradKernel } from './generated/cross-entropy-grad.ts';

export interface CrossEntropyAttributes {
  /** Share of the target that is spread evenly over all classes (Szegedy et al. 2016, section 7); 0 where left out. */
  readonly smoothing?: number;
  /** A label that is ignored, as one outside the classes always is. */
  readonly ignore?: number;
}

/** Logits with what they are compared with; `classWeights`: `f32[classes]`, 1 each where left out. */
export type CrossEntropyInputs<T = Operand> = { logits: T; labels: T; classWeights?: T };

const NO_LABEL = 2 ** 32 - 1;

/**
 * @throws ShapeError unless there is one label to each row of logits, and one weight to each class
 * @throws ArgumentError for attributes out of range
 */
export function checkLogits(
  op: string,
  { logits, labels, classWeights }: CrossEntropyInputs<Spec>,
  { smoothing = 0, ignore = NO_LABEL }: CrossEntropyAttributes,
): void {
  const fits = logits.dtype === 'f32' && logits.shape.length === 2 && labels.dtype === 'u32';
  if (!fits || labels.shape.join() !== String(logits.shape[0]) || labels.rows !== logits.rows) {
    throw expected(op, 'logits f32[rows, classes] and labels u32[rows] of the same rows', logits, labels);
  }
  checkClassWeights(op, classWeights, logits.shape[1]!);
  if (!(smoothing >= 0 && smoothing <= 1)) {
    throw new ArgumentError(`${op}: expected smoothing from 0 to 1, got ${smoothing}`);
  }
  if (ignore >>> 0 !== ignore) {
    throw new ArgumentError(`${op}: expected a label to ignore, a whole number, got ${ignore}`);
  }
}

/** @throws ArgumentError */
export function checkIgnored(op: string, ignore: number): void {
  if ((ignore | 0) === ignore || ignore >>> 0 === ignore) return;
  throw new ArgumentError(`${op}: expected a label to ignore, a whole number of 32 bits, got ${ignore}`);
}

/** @throws ShapeError */
export function checkClassWeights(op: string, weights: Spec | undefined, classes: number): void {
  const fits = weights?.dtype === 'f32' && weights.shape.join() === String(classes) && !weights.rows;
  if (weights && !fits) throw expected(op, `classWeights f32[${classes}]`, weights);
}

/** The fields that the kernels of cross-entropy and of its gradient share. */
export const crossEntropyParams = (logits: Spec, { smoothing = 0, ignore = NO_LABEL }: CrossEntropyAttributes) => ({
  classes: logits.shape[1]!,
  rowsPerSample: leadPerSample(logits),
  ignore,
  smoothing,
});

export interface CrossEntropyGradAttributes extends CrossEntropyAttributes {
  /** dloss is that of the mean over the rows, `f32[1]`. */
  readonly mean?: boolean;
}

/**
 * Gradient of `crossEntropy` by its logits: `dloss * (a * softmax(logits) - t)`, `t` the target, smoothed and weighted,
 * and `a` its sum; without attributes and weights `dloss * (softmax(logits) - onehot(labels))`. dloss: `f32[rows]`.
 */
export const crossEntropyGrad = defineOp<CrossEntropyInputs & { dloss: Operand }, 'y', CrossEntropyGradAttributes>({
  name: 'cross-entropy-grad',
  infer({ dloss, ...inputs }, attributes) {
    const { logits, labels } = inputs;
    checkLogits('cross-entropy-grad', inputs, attributes);
    const fits = attributes.mean
      ? sizeOf(dloss.shape) === 1 && !dloss.rows
      : dloss.shape.join() === labels.shape.join() && dloss.rows === labels.rows;
    if (dloss.dtype !== 'f32' || !fits) {
      const what = attributes.mean ? 'dloss f32[1]' : 'dloss f32[rows] of the same rows';
      throw expected('cross-entropy-grad', what, dloss);
    }
    return { y: logits };
  },
  lower: ({ logits, labels, classWeights, dloss }, { y }, attributes) => [
    dispatch(crossEntropyGradKernel, {
      // A kernel's bindings are all bound: without weights, it is given something that it does not look at.
      bind: { logits, labels, classWeights: classWeights ?? logits, dloss, dlogits: y },
      params: crossEntropyParams(logits, attributes),
      overrides: { WEIGHTED: classWeights !== undefined, MEAN: attributes.mean === true },
      grid: linearGrid(leadPerSample(logits), 64),
    }),
  ],
  gradient: none('second derivatives are not supported'),
});
