import type { Rows } from '../tensor/spec.ts';
import { defineOp, dispatch, expected, linearGrid, none } from './define.ts';
import type { Operand } from './define.ts';
import { inferDecision, regroup, staysOf } from './exit-decision.ts';
import type { Decision, Staying } from './exit-decision.ts';
import { exitHeadKernel } from './generated/exit-head.ts';

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

/**
 * `exitCheck` of the logits `x weight^T + bias`, which are never in memory. x: `f32[rows, features]`, weight:
 * `f32[classes, features]`, bias: `f32[classes]`; everything else, results too, as in `exitCheck`. The logits, and so
 * the scores, may differ from those of `linear` in the last bits: a row near a threshold may fall on its other side.
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
    if (!rows || !dtypes || !weightFits || !biasFits || x.shape.join() !== `${rows.max},${features}`) {
      const wanted = 'x f32[rows, features], weight f32[classes, features] and bias f32[classes]';
      throw expected('exit-head', wanted, x, weight, bias);
    }
    return inferDecision('exit-head', rows, classes, decision, { next });
  },
  lower({ x, weight, bias, ...decision }, outputs, { next }, context) {
    const rows = x.rows!;
    const [classes, features] = weight.shape as [number, number];
    const stays = staysOf(rows, next, context);
    const bind = { ...decision, x, weight, bias, stays };
    const head = dispatch(exitHeadKernel, { bind, params: { features, classes }, grid: linearGrid(1, 1), rows });
    return [head, ...regroup(decision, stays, outputs, next)];
  },
  gradient: none('a decision is not differentiable; train with linear and the losses of the exits'),
  macs: ({ x, weight }) => x.shape[0]! * weight.shape[0]! * weight.shape[1]!,
});
