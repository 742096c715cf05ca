import { ArgumentError } from '../../errors.ts';
import { mul } from '../../kernels/binary.ts';
import { meanCrossEntropy } from '../../kernels/cross-entropy.ts';
import { constant } from '../../kernels/define.ts';
import type { Operand, Value } from '../../kernels/define.ts';
import { klDivergence } from '../../kernels/kl-divergence.ts';
import { mean } from '../../kernels/reduce.ts';
import { confidence, entropy, margin } from '../../kernels/softmax-measures.ts';
import { scale, sigmoid } from '../../kernels/unary.ts';
import { checkBuilt, macsToExit } from '../network.ts';
import type { Network } from '../network.ts';
import type { TermSchedule } from './schedules.ts';

/** What a term of the loss is made of. Exits are counted from 1. */
export interface LossContext {
  readonly network: Network;
  /** Of each exit: `f32[rows, classes]`. */
  readonly logits: readonly Value[];
  /** Of each exit of a network with `halting`, the probability of having halted there or before: `f32[rows, 1]`. */
  readonly halting?: readonly Value[] | undefined;
  /** `u32[rows]` */
  readonly labels: Value;
  /** Exits whose weight is not always 0. */
  readonly exits: readonly number[];
  /** `sum_i w_i of(i)` over those of `exits`, all where left out, that weigh anything; `undefined` if none does. */
  weightedSum(of: (exit: number) => Value, exits?: readonly number[]): Value | undefined;
  /** `by x` for a scalar x; a schedule is asked before each step. */
  weigh(x: Value, by: number | TermSchedule): Value;
  /** Of the network, by name. */
  parameter(name: string): Operand;
  /** Has this value shown as the loss of an exit, instead of its plain cross-entropy. */
  report(exit: number, loss: Value): void;
}

/** A summand of the loss; anything with this shape will do. */
export interface LossTerm {
  readonly name: string;
  /** As JSON, for the record. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Appends to the trace what computes the term, a scalar; `undefined` where it has nothing to say. */
  trace(context: LossContext): Value | undefined;
}

export interface CrossEntropyOptions {
  /** Share of the target spread evenly over all classes (Szegedy et al. 2016, section 7); 0 where left out. */
  readonly smoothing?: number;
  /** One per class; 1 each where left out. */
  readonly classWeights?: readonly number[];
  /** A label whose samples do not count. */
  readonly ignore?: number;
}

/** `sum_i w_i CE_i`, w the weights of the exits (BranchyNet, Teerapittayanon et al. 2016, section III-B). */
export function crossEntropies(options: CrossEntropyOptions = {}): LossTerm {
  const { classWeights: weights, ...attributes } = options;
  return {
    name: 'cross-entropies',
    options: { ...options },
    trace({ logits, labels, weightedSum, report }) {
      const classWeights = weights && constant({ dtype: 'f32', shape: [weights.length] }, Float32Array.from(weights));
      const given = { labels, ...(classWeights && { classWeights }) };
      const losses = logits.map((of) => meanCrossEntropy({ logits: of, ...given }, attributes));
      losses.forEach((loss, index) => report(index + 1, loss));
      return weightedSum((exit) => losses[exit - 1]!);
    },
  };
}

export interface EntropyPenaltyOptions {
  readonly lambda: number | TermSchedule;
  /** Counted from 1; all where left out. */
  readonly exits?: readonly number[];
}

/**
 * `lambda sum_i w_i mean H(softmax z_i)`, H the entropy in nats, over all rows. With lambda above 0 outputs are pushed
 * towards decisive ones, which leave early; below 0 it is the confidence penalty, against over-confidence (Pereyra et
 * al. 2017, "Regularizing neural networks by penalizing confident output distributions", which write `-beta H`).
 * @throws ArgumentError; in training, for exits that the network does not have
 */
export function entropyPenalty({ lambda, exits }: EntropyPenaltyOptions): LossTerm {
  checkFinite('entropyPenalty', { lambda });
  return {
    name: 'entropy-penalty',
    options: { lambda: described(lambda), ...(exits && { exits }) },
    trace({ network, logits, weightedSum, weigh }) {
      if (exits) checkBuilt('entropyPenalty', exits, network.stages.length);
      const sum = weightedSum((exit) => mean({ x: entropy({ logits: logits[exit - 1]! }) }), exits);
      return sum && weigh(sum, lambda);
    },
  };
}

const MEASURES = { confidence, margin, entropy };

export interface ExpectedCostOptions {
  readonly mu: number | TermSchedule;
  /** What a sample is compared with to leave, in units of the measure. */
  readonly threshold: number;
  /** The width of the soft step, in units of the measure; 0.1 where left out. The narrower, the fewer samples learn. */
  readonly softness?: number;
  /** A sample leaves above a `confidence` (where left out) or `margin`, or below an `entropy` in nats. */
  readonly measure?: keyof typeof MEASURES;
}

/**
 * `mu mean sum_i q_i macs_i / macs_full`: what a sample is expected to cost, in shares of the network without exits. It
 * leaves at exit i with probability `q_i = p_i prod_{j < i} (1 - p_j)`, `p_last = 1` and otherwise
 * `p_i = sigmoid((measure_i - threshold) / softness)`: a decision has no gradient, a sigmoid around the threshold has.
 * Exits of weight 0 are as if not built.
 */
export function expectedCost(options: ExpectedCostOptions): LossTerm {
  const { mu, threshold, softness = 0.1, measure = 'confidence' } = options;
  checkFinite('expectedCost', { mu, threshold });
  if (!(softness > 0 && softness < Infinity)) {
    throw new ArgumentError(`expectedCost: expected a softness above 0, got ${softness}`);
  }
  if (!Object.hasOwn(MEASURES, measure)) {
    const known = Object.keys(MEASURES).join(', ');
    throw new ArgumentError(`expectedCost: expected a measure of ${known}, got '${measure}'`);
  }
  const sign = measure === 'entropy' ? 1 : -1;
  return {
    name: 'expected-cost',
    options: { mu: described(mu), threshold, softness, measure },
    trace({ network, logits, exits, weigh }) {
      const { built, costs } = builtExits(network, exits);
      // The chance to stay, 1 - p: a sigmoid of its own, since 1 - sigmoid(x) loses what is small.
      const stays = built.slice(0, -1).map((exit) => {
        const x = MEASURES[measure]({ logits: logits[exit - 1]! });
        return sigmoid({ x: scale({ x }, { by: sign / softness, plus: (-sign * threshold) / softness }) });
      });
      // c_1 + stay_1 (c_2 - c_1 + stay_2 (c_3 - c_2 + ..)): the sum above, from the back.
      let cost: Value | undefined;
      for (let at = stays.length - 1; at >= 0; at--) {
        const stay = stays[at]!;
        const more = costs[at + 1]! - costs[at]!;
        cost = cost ? mul({ a: stay, b: scale({ x: cost }, { by: 1, plus: more }) }) : scale({ x: stay }, { by: more });
      }
      return cost && weigh(scale({ x: mean({ x: cost }) }, { by: 1, plus: costs[0]! }), mu);
    },
  };
}

export interface DistillationOptions {
  /** 1 where left out. */
  readonly weight?: number;
  /** 3 where left out. */
  readonly temperature?: number;
}

/**
 * `weight sum_{i < last} w_i T^2 mean KL(softmax(z_last / T) || softmax(z_i / T))`, T the temperature: the earlier
 * exits learn what the last one says, which itself learns nothing from it (Hinton et al. 2015; Phuong & Lampert 2019,
 * "Distillation-based training for multi-exit architectures"). T^2 keeps its gradients as great as those of the labels.
 */
export function distillation({ weight = 1, temperature = 3 }: DistillationOptions = {}): LossTerm {
  checkFinite('distillation', { weight });
  return {
    name: 'distillation',
    options: { weight, temperature },
    trace({ logits, weightedSum }) {
      const target = logits.at(-1)!;
      const earlier = logits.slice(0, -1).map((_, index) => index + 1);
      const sum = weightedSum((exit) => {
        return mean({ x: klDivergence({ logits: logits[exit - 1]!, target }, { temperature }) });
      }, earlier);
      return sum && scale({ x: sum }, { by: weight * temperature ** 2 });
    },
  };
}

export interface EarlyExitLossOptions extends CrossEntropyOptions {
  /** See `entropyPenalty`. */
  readonly lambda?: number | TermSchedule;
  readonly cost?: ExpectedCostOptions;
  readonly distillation?: DistillationOptions;
}

/** `sum_i w_i CE_i + lambda * penalty + mu * expected cost (+ distillation)`: of these, the terms asked for. */
export function earlyExitLoss(options: EarlyExitLossOptions = {}): LossTerm[] {
  const { lambda, cost, distillation: distilled, ...crossEntropy } = options;
  return [
    crossEntropies(crossEntropy),
    ...(lambda ? [entropyPenalty({ lambda })] : []),
    ...(cost ? [expectedCost(cost)] : []),
    ...(distilled ? [distillation(distilled)] : []),
  ];
}

/** As JSON: a schedule by its name. */
export const described = (weight: number | TermSchedule): number | string =>
  typeof weight === 'number' ? weight : weight.name || 'function';

/** The exits that are built, always the last, and what samples cost that leave there, in shares of the full network. */
export function builtExits({ macs, stages }: Network, exits: readonly number[]): { built: number[]; costs: number[] } {
  const built = [...new Set([...exits, stages.length])];
  return { built, costs: built.map((exit) => macsToExit(macs, exit, built) / macs.full) };
}

/** @throws ArgumentError naming the option; what schedules give is checked when they do. */
export function checkFinite(term: string, options: Readonly<Record<string, number | TermSchedule>>): void {
  for (const [name, value] of Object.entries(options)) {
    if (typeof value !== 'number' || Number.isFinite(value)) continue;
    throw new ArgumentError(`${term}: expected a finite ${name}, got ${value}`);
  }
}
