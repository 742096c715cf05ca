import { ArgumentError } from '../../errors.ts';
import { add, minimum, mul } from '../../kernels/binary.ts';
import { greaterOrEqual } from '../../kernels/compare.ts';
import { concat } from '../../kernels/concat.ts';
import { cast } from '../../kernels/convert.ts';
import { crossEntropy } from '../../kernels/cross-entropy.ts';
import { constant } from '../../kernels/define.ts';
import type { Value } from '../../kernels/define.ts';
import { stopGradient } from '../../kernels/gradient-scale.ts';
import { linear } from '../../kernels/linear.ts';
import { pad } from '../../kernels/pad.ts';
import { mean } from '../../kernels/reduce.ts';
import { reshape } from '../../kernels/reshape.ts';
import { confidence, entropy, margin } from '../../kernels/softmax-measures.ts';
import { negate, scale, sigmoid } from '../../kernels/unary.ts';
import { sizeOf } from '../../tensor/spec.ts';
import { checkGates, GATE_GAIN } from '../gates.ts';
import { builtExits } from './losses.ts';
import type { CrossEntropyOptions, LossContext, LossTerm } from './losses.ts';

/** In the order of a gate's weights. */
const MEASURES = [confidence, margin, entropy];

const column = (x: Value): Value => reshape({ x }, { shape: [-1, 1] });

/** What a gate takes the sigmoid of, `bias + w . (confidence, margin, entropy)` as in the exit check: `f32[rows]`. */
function gateLogit({ logits, parameter }: LossContext, exit: number, { stopped = true } = {}): Value {
  const measures = MEASURES.map((measure) => column(measure({ logits: logits[exit - 1]! })));
  const all = measures.reduce((a, b) => concat({ a, b }, { axis: 1 }));
  const [weight, bias] = [parameter(`gate${exit}.weight`), parameter(`gate${exit}.bias`)];
  const y = linear({ x: stopped ? stopGradient(all) : all, weight, bias });
  return reshape({ x: scale({ x: y }, { by: GATE_GAIN }) }, { shape: [-1] });
}

/** `log(1 + e^x)` of `f32[rows]`, for any x: the cross-entropy of the logits (0, x) where the label is the first. */
function softplus(x: Value): Value {
  const labels = constant({ dtype: 'u32', shape: x.shape, rows: x.rows }, new Uint32Array(sizeOf(x.shape)));
  return crossEntropy({ logits: pad({ x: column(x) }, { axis: 1, before: 1 }), labels });
}

export interface LearnedGatesOptions {
  /** What a sample's cost, in shares of the network without exits, weighs against its cross-entropy in nats. */
  readonly mu: number;
  /** Sends the gradient of the gates into the heads and the trunk too, and not into the gates alone. */
  readonly intoHeads?: boolean;
}

/**
 * What gates learn from: the mean of `BCE(g_k, t_k)` over all rows and all exits k but the last, `g_k` being the chance
 * to leave that gate k gives a sample, and `t_k` whether it should: 1 where the least `CE_j + mu macs_j / macs_full` of
 * all exits is that of an exit up to k, so that who should have left before leaves here. It is the surrogate task of
 * JEI-DNN (Regol, Chataoui & Coates 2024, "Jointly-learned exit and inference for a dynamic neural network", section
 * 4.1; the target as in its code), without weights for the rarer target: a gate above 0.5 says that leaving is more
 * likely right than not.
 *
 * Targets are constants, and the measures too unless `intoHeads`: this loss reaches the gates alone and
 * `gatedCrossEntropies` all but the gates, so that both take their steps at once where the paper alternates between
 * them every few batches. Exits of weight 0 are as if not built.
 * @throws ArgumentError for a mu below 0 or not finite; in training, for a network without gates
 */
export function learnedGates({ mu, intoHeads = false }: LearnedGatesOptions): LossTerm {
  if (!(mu >= 0 && mu < Infinity)) throw new ArgumentError(`learnedGates: expected a mu of 0 or more, got ${mu}`);
  return {
    name: 'learned-gates',
    options: { mu, intoHeads },
    trace(context) {
      const { network, logits, labels, exits } = context;
      checkGates(network, 'learnedGates');
      const { built, costs } = builtExits(network, exits);
      const losses = built.map((exit, index) => {
        const x = crossEntropy({ logits: logits[exit - 1]!, labels });
        return scale({ x }, { by: 1, plus: mu * costs[index]! });
      });
      // The least loss behind each gate, from the back, and up to it.
      const behind = losses.slice(1);
      for (let at = behind.length - 2; at >= 0; at--) behind[at] = minimum({ a: behind[at]!, b: behind[at + 1]! });
      let soFar = losses[0]!;
      const terms = behind.map((least, at) => {
        if (at > 0) soFar = minimum({ a: soFar, b: losses[at]! });
        const target = cast({ x: greaterOrEqual({ a: least, b: soFar }) }, { to: 'f32' });
        const logit = gateLogit(context, built[at]!, { stopped: !intoHeads });
        // BCE of a logit a is softplus(-a) where the target is 1, and softplus(a) where it is 0.
        return mean({ x: softplus(mul({ a: logit, b: scale({ x: target }, { by: -2, plus: 1 }) })) });
      });
      if (terms.length === 0) return undefined;
      return scale({ x: terms.reduce((a, b) => add({ a, b })) }, { by: 1 / terms.length });
    },
  };
}

/**
 * `sum_k w_k mean(q_k CE_k)`: each head learns from the samples that leave there. `q_k`, a constant, is the chance that
 * they do by the gates, `g_k prod_{j < k} (1 - g_j)` with `g_last = 1` (JEI-DNN, Regol et al. 2024, section 4, whose
 * eq. 8 has the lesser of `g_k` and what is left in place of the product). To be used in place of `crossEntropies`; the
 * losses shown of the exits stay those over all samples. A head that no sample reaches learns nothing: let all of them
 * learn from all samples first, as `jointGates` does.
 * @throws ArgumentError in training, for a network without gates
 */
export function gatedCrossEntropies(options: Pick<CrossEntropyOptions, 'smoothing'> = {}): LossTerm {
  return {
    name: 'gated-cross-entropies',
    options: { ...options },
    trace(context) {
      const { network, logits, labels, exits, weightedSum } = context;
      checkGates(network, 'gatedCrossEntropies');
      const { built } = builtExits(network, exits);
      /** Of those that have come so far; of all where there is no value. */
      let reaches: Value | undefined;
      const chances = new Map<number, Value>();
      const times = (b: Value): Value => (reaches ? mul({ a: reaches, b }) : b);
      for (const exit of built.slice(0, -1)) {
        const logit = gateLogit(context, exit);
        chances.set(exit, stopGradient(times(sigmoid({ x: logit }))));
        reaches = times(sigmoid({ x: negate({ x: logit }) }));
      }
      if (reaches) chances.set(network.stages.length, stopGradient(reaches));
      return weightedSum((exit) => {
        const losses = crossEntropy({ logits: logits[exit - 1]!, labels }, options);
        const chance = chances.get(exit);
        return mean({ x: chance ? mul({ a: losses, b: chance }) : losses });
      });
    },
  };
}
