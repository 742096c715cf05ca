import { sizeOf } from '../tensor/spec.ts';
import type { Rows } from '../tensor/spec.ts';
import { activates } from './activation.ts';
import { defineOp, dispatch, expected, linearGrid, none } from './define.ts';
import type { Absorbed, Operand, Preceding, Value } from './define.ts';
import { inferDecision, regroup, staysOf } from './exit-decision.ts';
import type { Decision, Staying } from './exit-decision.ts';
import { exitHeadKernel } from './generated/exit-head.ts';
import type { LinearAttributes } from './linear.ts';
import { CHUNK, reducedAxes } from './reduce-tree.ts';
import type { ReduceAttributes } from './reduce-tree.ts';

export interface ExitHeadAttributes {
  /** The rows that follow, as in `exitCheck`. Left out at the last exit. */
  readonly next?: Rows;
}

/** The last linear layer of an exit. */
interface Layer {
  x: Operand;
  weight: Operand;
  bias: Operand;
}

/** What a workgroup has room for, as in `wgsl/exit-head.wgsl`. */
const MOST = { features: 2048, classes: 1024 } as const;

/**
 * `exitCheck` of the logits `x weight^T + bias`, which are never in memory, with the same bits. x: `f32[rows, features]`,
 * at most 2,048 of them, or `f32[rows, features, ...]`, of which each feature is the mean; weight:
 * `f32[classes, features]`, at most 1,024 of them, bias: `f32[classes]`; everything else, results too, as in `exitCheck`.
 * Each row reads all the weights, which `linear` reads once for several: this is for single rows.
 */
export const exitHead = defineOp<Layer & Decision, Staying, ExitHeadAttributes>({
  name: 'exit-head',
  infer({ x, weight, bias, ...decision }, { next }) {
    const { rows } = x;
    const [classes = 0, features = 0] = weight.shape;
    const dtypes = [x, weight, bias].every(({ dtype }) => dtype === 'f32');
    const weightFits = weight.shape.length === 2 && classes > 0 && features > 0 && !weight.rows;
    const biasFits = bias.shape.join() === `${classes}` && !bias.rows;
    const xFits = rows && x.shape[0] === rows.max && x.shape[1] === features;
    if (!xFits || !dtypes || !weightFits || !biasFits || features > MOST.features || classes > MOST.classes) {
      const wanted =
        `x f32[rows, features], at most ${MOST.features} of them, weight f32[classes, features], ` +
        `at most ${MOST.classes} of them, and bias f32[classes]`;
      throw expected('exit-head', wanted, x, weight, bias);
    }
    return inferDecision('exit-head', rows, classes, decision, { next });
  },
  lower({ x, weight, bias, ...decision }, outputs, { next }, context) {
    const rows = x.rows!;
    const [classes, features] = weight.shape as [number, number];
    const stays = staysOf(rows, next, context);
    const bind = { ...decision, x, weight, bias, stays };
    const params = { features, classes, plane: sizeOf(x.shape.slice(2)) };
    const head = dispatch(exitHeadKernel, { bind, params, grid: linearGrid(1, 1), rows });
    return [head, ...regroup(decision, stays, outputs, next)];
  },
  gradient: none('a decision is not differentiable; train with linear and the losses of the exits'),
  takes({ op, inputs: { x: planes }, attributes: how }, through, attributes, { x, ...others }) {
    if (op !== 'mean' || through !== 'x' || x.shape.length !== 2) return undefined;
    const axes = reducedAxes(op, planes!, how as ReduceAttributes);
    const ofPlanes = planes!.shape.every((_, axis) => axes.has(axis) === axis > 1);
    // The head adds up in two steps, as the mean of so many does.
    return ofPlanes && sizeOf(planes!.shape.slice(2)) <= CHUNK * CHUNK ? { attributes, inputs: { ...others, x: planes! } } : undefined;
  },
  macs: ({ x, weight }) => x.shape[0]! * weight.shape[0]! * weight.shape[1]!,
});

/** For the `takes` of `exitCheck`: the last layer in front of the built-in check of a single row. */
export function takeLinear(
  { op, inputs, attributes: layer }: Preceding,
  attributes: object,
  decision: Readonly<Record<string, Value>>,
): Absorbed | undefined {
  const { x, weight, bias, residual } = inputs;
  if (op !== 'linear' || !bias || residual || x!.rows?.max !== 1 || x!.shape.length !== 2 || activates(layer as LinearAttributes)) {
    return undefined;
  }
  const { next, ...others } = attributes as ExitHeadAttributes & Readonly<Record<string, unknown>>;
  const [classes, features] = weight!.shape as [number, number];
  if (Object.values(others).some(Boolean) || features > MOST.features || classes > MOST.classes) return undefined;
  return { op: exitHead, attributes: { ...(next && { next }) }, inputs: { ...decision, ...inputs } };
}
