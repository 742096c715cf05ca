import { ArgumentError } from '../../errors.ts';
import { add, maximum, mul, sub } from '../../kernels/binary.ts';
import { greaterOrEqual } from '../../kernels/compare.ts';
import { concat } from '../../kernels/concat.ts';
import { cast } from '../../kernels/convert.ts';
import { crossEntropy } from '../../kernels/cross-entropy.ts';
import { constant } from '../../kernels/define.ts';
import type { Value } from '../../kernels/define.ts';
import { pad } from '../../kernels/pad.ts';
import { mean } from '../../kernels/reduce.ts';
import { reshape } from '../../kernels/reshape.ts';
import { log, scale } from '../../kernels/unary.ts';
import { checkFinite, described } from './losses.ts';
import type { LossContext, LossTerm } from './losses.ts';
import type { TermSchedule } from './schedules.ts';

export interface PonderOptions {
  /** How much the prior counts; 0.01 where left out. */
  readonly beta?: number | TermSchedule;
  /** Chance to halt at each step of a geometric prior, cut off behind the last, or `uniform`; 0.2 where left out. */
  readonly prior?: number | 'uniform';
}

/**
 * `sum_n p_n L_n + beta KL(p || prior)`, the mean over the rows, in nats: L_n the cross-entropy of step n, and
 * `p_n = lambda_n prod_(j < n) (1 - lambda_j)` the probability to halt there; the last step has what remains
 * (PonderNet, Banino et al. 2021, section 2). The weights of the exits do not count here, but for plain
 * `crossEntropies` beside it. When classifying, the paper draws where to halt; `halting(0.5)` halts at the median.
 * @throws ArgumentError
 */
export function ponder({ beta = 0.01, prior = 0.2 }: PonderOptions = {}): LossTerm {
  checkFinite('ponder', { beta });
  if (prior !== 'uniform' && !(prior > 0 && prior < 1)) {
    throw new ArgumentError(`ponder: expected a prior between 0 and 1, or uniform, got ${prior}`);
  }
  return {
    name: 'ponder',
    options: { beta: described(beta), prior },
    trace(context) {
      const { losses, before, steps } = stepsOf('ponder', context);
      // p_n = c_n - c_(n-1), where the last c is 1.
      const last = Float32Array.from({ length: steps }, (_, index) => Number(index === steps - 1));
      const p = sub({ a: add({ a: ahead(before), b: row(last) }), b: before });
      const logRatio = sub({ a: log({ x: maximum({ a: p, b: row([LEAST]) }) }), b: row(logPrior(prior, steps)) });
      const divergence = meanOfRows(mul({ a: p, b: logRatio }));
      return add({ a: meanOfRows(mul({ a: p, b: losses })), b: context.weigh(divergence, beta) });
    },
  };
}

/** `p log p` below this is 0 to the digits of f32, and its gradient, log p, no longer grows. */
const LEAST = 1e-10;

/** Of each step, in nats: `prior (1 - prior)^(n - 1) / (1 - (1 - prior)^steps)`. */
function logPrior(prior: number | 'uniform', steps: number): number[] {
  const [all, decay] = prior === 'uniform' ? [steps, 0] : [(1 - (1 - prior) ** steps) / prior, Math.log(1 - prior)];
  return Array.from({ length: steps }, (_, index) => index * decay - Math.log(all));
}

export interface ActOptions {
  /** The time penalty: what a step costs, in nats; 0.01 where left out. */
  readonly tau?: number | TermSchedule;
  /** A row halts where the sum of its halting probabilities exceeds `1 - epsilon`; 0.01 where left out. */
  readonly epsilon?: number;
}

/**
 * `L_N + tau (N + R)`, the mean over the rows: a row halts at the first step N where the sum of its halting
 * probabilities exceeds `1 - epsilon`, at the last one in any case; its remainder is `R = 1 - sum_(n < N) p_n`, and L_N
 * the cross-entropy of the mean of its outputs so far, by these probabilities, the last one weighing R (adaptive
 * computation time, Graves 2016, sections 2 and 2.1). N has no gradient, R has. The weights of the exits do not count
 * here. When classifying, `halting(1 - epsilon)` halts at N.
 * @throws ArgumentError
 */
export function act({ tau = 0.01, epsilon = 0.01 }: ActOptions = {}): LossTerm {
  checkFinite('act', { tau });
  if (!(epsilon > 0 && epsilon < 1)) {
    throw new ArgumentError(`act: expected an epsilon between 0 and 1, got ${epsilon}`);
  }
  return {
    name: 'act',
    options: { tau: described(tau), epsilon },
    trace(context) {
      const { losses, before } = stepsOf('act', context);
      // 1 for the steps that a row takes, and for the last of them.
      const runs = cast({ x: greaterOrEqual({ a: row([1 - epsilon]), b: before }) }, { to: 'f32' });
      const halts = sub({ a: runs, b: ahead(runs) });
      const remainder = mul({ a: halts, b: scale({ x: before }, { by: -1, plus: 1 }) });
      const cost = meanOfRows(add({ a: runs, b: remainder }));
      return add({ a: meanOfRows(mul({ a: halts, b: losses })), b: context.weigh(cost, tau) });
    },
  };
}

/**
 * Of each step, `[rows, steps]`: the cross-entropy, and the probability of having halted before.
 * @throws ArgumentError
 */
function stepsOf(term: string, { network, logits, labels, halting, report }: LossContext) {
  if (!halting) {
    throw new ArgumentError(`${term}: expected a network with halting, such as looped(), got ${network.name}`);
  }
  const losses = logits.map((of, index) => {
    const loss = crossEntropy({ logits: of, labels });
    report(index + 1, mean({ x: loss }));
    return reshape({ x: loss }, { shape: [-1, 1] });
  });
  const beside = (columns: readonly Value[]): Value => columns.reduce((a, b) => concat({ a, b }, { axis: 1 }));
  const before = pad({ x: beside(halting) }, { axis: 1, before: 1, after: -1 });
  return { losses: beside(losses), before, steps: logits.length };
}

/** What the next step has; 0 behind the last. */
const ahead = (x: Value): Value => pad({ x }, { axis: 1, before: -1, after: 1 });

/** The sum along each row, and of these the mean. */
const meanOfRows = (x: Value): Value => scale({ x: mean({ x }) }, { by: x.shape[1]! });

const row = (values: ArrayLike<number>): Value =>
  constant({ dtype: 'f32', shape: [values.length] }, Float32Array.from(values));
