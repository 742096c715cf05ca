import { ArgumentError } from '../errors.ts';
import { perSample, sizeOf } from '../tensor/spec.ts';
import type { Spec } from '../tensor/spec.ts';
import { defineOp, dispatch, expected, isGradient, linearGrid, once } from './define.ts';
import type { Dispatch, Op, Operand, Value } from './define.ts';
import { elementLossKernel } from './generated/element-loss.ts';
import { mean, sum } from './reduce.ts';
import { negate } from './unary.ts';

/** What is made of the losses of single elements: themselves, their mean (where left out), or their sum. */
export type LossReduction = 'none' | 'mean' | 'sum';

export interface LossAttributes {
  readonly reduction?: LossReduction;
}

export interface HuberAttributes extends LossAttributes {
  /** Where the square ends; 1 where left out. */
  readonly delta?: number;
}

type Inputs<T = Operand> = { x: T; target: T };
type Weighted<T = Operand> = Inputs<T> & { positiveWeight?: T };
type Attributes = HuberAttributes;

const reductionCode = { none: 0, sum: 1, mean: 2 } as const;

/** One of the losses; `code` is its number in `wgsl/element-loss.wgsl`. */
interface Loss {
  readonly name: string;
  readonly code: number;
}

function launch(
  { code }: Loss,
  { x, target, positiveWeight, dy }: Weighted<Value> & { readonly dy?: Value },
  y: Value,
  { reduction = 'mean', delta = 1 }: Attributes,
): Dispatch {
  return dispatch(elementLossKernel, {
    // A kernel's bindings are all bound: where there is none, it is given something that it does not look at.
    bind: { x, goal: target, weight: positiveWeight ?? x, dy: dy ?? x, y },
    params: { sizePerSample: perSample(x), delta, weights: positiveWeight ? sizeOf(positiveWeight.shape) : 0 },
    overrides: { LOSS: code, GRAD: dy !== undefined, REDUCTION: dy ? reductionCode[reduction] : 0 },
    grid: linearGrid(perSample(x), 64),
  });
}

const lossGrad = defineOp<Weighted & { dy: Operand }, 'y', { readonly loss: Loss; readonly of: Attributes }>({
  name: 'element-loss-grad',
  infer: ({ x }) => ({ y: x }),
  lower: (inputs, { y }, { loss, of }) => [launch(loss, inputs, y, of)],
  gradient: isGradient,
});

function check({ name }: Loss, inputs: Weighted<Spec>, { reduction = 'mean', delta = 1 }: Attributes): void {
  const { x, target, positiveWeight } = inputs;
  const fits = x.dtype === 'f32' && target.dtype === 'f32' && target.rows === x.rows;
  if (!fits || target.shape.join() !== x.shape.join()) {
    throw expected(name, 'x and target f32 of one shape and of the same samples', x, target);
  }
  if (positiveWeight) {
    const { dtype, shape, rows } = positiveWeight;
    const length = x.shape.at(-1) ?? 1;
    const perElement = dtype === 'f32' && !rows && shape.length === 1 && [1, length].includes(shape[0]!);
    if (!perElement) throw expected(name, `positiveWeight f32[1] or f32[${length}]`, positiveWeight);
  }
  if (!Object.hasOwn(reductionCode, reduction)) {
    throw new ArgumentError(`${name}: expected a reduction none, mean or sum, got ${reduction}`);
  }
  if (!(delta > 0 && delta < Infinity)) throw new ArgumentError(`${name}: expected a delta above 0, got ${delta}`);
}

/** One member of the family; `toTarget`: the target has a gradient too, the opposite one. */
/* @__NO_SIDE_EFFECTS__ */
const member = (loss: Loss, toTarget: boolean): Op<Weighted, 'y', Attributes> =>
  defineOp<Weighted, 'y', Attributes>({
    name: loss.name,
    infer(inputs, attributes) {
      check(loss, inputs, attributes);
      const { x } = inputs;
      return attributes.reduction === 'none' ? { y: x } : mean.infer({ x }, {});
    },
    lower(inputs, { y }, attributes, context) {
      const { reduction = 'mean' } = attributes;
      if (reduction === 'none') return [launch(loss, inputs, y, attributes)];
      const { shape, rows } = inputs.x;
      const losses = context.scratch({ dtype: 'f32', shape, rows });
      const { lower } = reduction === 'mean' ? mean : sum;
      return [launch(loss, inputs, losses, attributes), ...lower({ x: losses }, { y }, {}, context)];
    },
    gradient({ x, target, positiveWeight, dy }, of) {
      const grad = once(() => lossGrad({ x, target, dy, ...(positiveWeight && { positiveWeight }) }, { loss, of }));
      return { x: grad, target: () => (toTarget ? negate({ x: grad() }) : undefined) };
    },
  });

/**
 * The mean over all elements of `(x - target)^2`; or their sum, or each of them, see `reduction`. x, target: f32 of one
 * shape; result: `f32[]`, or with `none` of their shape. NaN gives NaN.
 */
export const meanSquaredError: Op<Inputs, 'y', LossAttributes> = member({ name: 'mean-squared-error', code: 0 }, true);

/**
 * Like `meanSquaredError`, of `d = x - target`: `d^2 / 2` where `|d| <= delta`, beyond it in a straight line,
 * `delta (|d| - delta / 2)` (Huber 1964, "Robust estimation of a location parameter").
 */
export const huber: Op<Inputs, 'y', HuberAttributes> = member({ name: 'huber', code: 1 }, true);

/**
 * Like `meanSquaredError`, the binary cross-entropy of logits x in nats, `-(w t log p + (1 - t) log(1 - p))` with
 * `p = sigmoid(x)`, t the target from 0 to 1, and w the weight of positives, 1 where left out, `f32[1]` or one for each
 * position along the last axis; without overflow. The target is taken as given: no gradient goes to it.
 */
export const binaryCrossEntropy: Op<Weighted, 'y', LossAttributes> = member(
  { name: 'binary-cross-entropy', code: 2 },
  false,
);
