import { ArgumentError } from '../errors.ts';
import { leadPerSample } from '../tensor/spec.ts';
import type { Spec } from '../tensor/spec.ts';
import { defineOp, dispatch, expected, isGradient, linearGrid } from './define.ts';
import type { Operand } from './define.ts';
import { klDivergenceGradKernel } from './generated/kl-divergence-grad.ts';
import { klDivergenceKernel } from './generated/kl-divergence.ts';

/** Logits, and those whose softmax they should come near. */
type Inputs = { logits: Operand; target: Operand };
/** Both sets of logits are divided by it; 1 where left out. */
type Attributes = { readonly temperature?: number };

const paramsOf = (logits: Spec, { temperature = 1 }: Attributes) => ({
  classes: logits.shape[1]!,
  rowsPerSample: leadPerSample(logits),
  inverseTemperature: 1 / temperature,
});

const klDivergenceGrad = defineOp<Inputs & { dy: Operand }, 'y', Attributes>({
  name: 'kl-divergence-grad',
  infer: ({ logits }) => ({ y: logits }),
  lower: ({ logits, target, dy }, { y }, attributes) => [
    dispatch(klDivergenceGradKernel, {
      bind: { logits, goal: target, dy, dlogits: y },
      params: paramsOf(logits, attributes),
      grid: linearGrid(leadPerSample(logits), 64),
    }),
  ],
  gradient: isGradient,
});

/**
 * The Kullback-Leibler divergence `KL(q || p) = sum q (log q - log p)` of each row in nats, `p = softmax(logits / T)`,
 * `q = softmax(target / T)`, T the temperature. logits, target: `f32[rows, classes]`; result: `f32[rows]`. The target
 * is taken as given: no gradient goes to it. -Inf is a probability of 0; NaN or +Inf gives NaN.
 */
export const klDivergence = defineOp<Inputs, 'y', Attributes>({
  name: 'kl-divergence',
  infer({ logits, target }, { temperature = 1 }) {
    const { dtype, shape, rows } = logits;
    const fits = dtype === 'f32' && shape.length === 2 && shape[1] !== 0 && target.dtype === 'f32';
    if (!fits || target.shape.join() !== shape.join() || target.rows !== rows) {
      throw expected('kl-divergence', 'logits and target f32[rows, classes] of the same rows', logits, target);
    }
    if (!(temperature > 0 && temperature < Infinity)) {
      throw new ArgumentError(`kl-divergence: expected a temperature above 0, got ${temperature}`);
    }
    return { y: { dtype: 'f32', shape: [shape[0]!], rows } };
  },
  lower: ({ logits, target }, { y }, attributes) => [
    dispatch(klDivergenceKernel, {
      bind: { logits, goal: target, y },
      params: paramsOf(logits, attributes),
      grid: linearGrid(leadPerSample(logits), 64),
    }),
  ],
  gradient: ({ logits, target, dy }, attributes) => ({
    logits: () => klDivergenceGrad({ logits, target, dy }, attributes),
    target: () => undefined,
  }),
});
