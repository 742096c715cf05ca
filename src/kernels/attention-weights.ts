import { ArgumentError } from '../errors.ts';
import { perSample } from '../tensor/spec.ts';
import type { Spec } from '../tensor/spec.ts';
import { broadcastStrides } from './axes.ts';
import { sumTo } from './binary-family.ts';
import { defineOp, dispatch, expected, isGradient, linearGrid, none } from './define.ts';
import type { Dispatch, Operand, Value } from './define.ts';
import { attentionWeightsGradKernel, attentionWeightsGradWideKernel } from './generated/attention-weights-grad.ts';
import { attentionWeightsKernel, attentionWeightsWideKernel } from './generated/attention-weights.ts';
import { lanesFor, WIDE } from './lanes.ts';

/** How scores become weights. */
export interface AttentionWeightsAttributes {
  /** By what scores are multiplied; 1 where left out. */
  readonly scale?: number;
  /** Greater than 0: scores `s` are bent to `softcap tanh(s / softcap)`, before the mask. */
  readonly softcap?: number;
  /** A query sees no key behind its own position: `after: 0`. */
  readonly causal?: boolean;
  /** How many keys in front of its own position a query sees; all where left out. */
  readonly before?: number;
  /** How many behind it. */
  readonly after?: number;
  /** The position of the first query among the keys, 0 where left out; not to be given where there are `lengths`. */
  readonly offset?: number;
}

export interface AttentionWeightsInputs {
  /** `f32[batch, heads, queries, keys]`: products of queries and keys. */
  readonly x: Operand;
  /**
   * What broadcasts to x, by numpy's rule: f32, added to the scores, or u32, truth values that say which keys are seen.
   * -Inf hides a key as false does.
   */
  readonly mask?: Operand;
  /**
   * `u32[batch]`: how many of the keys count. The queries stand at the last of them: the first at `lengths - queries`.
   */
  readonly lengths?: Operand;
}

/** Further than any key; small enough that positions can be added to it. */
const UNBOUNDED = 2 ** 30;

const rowsPerSampleOf = (x: Spec): number => perSample(x) / (x.shape[3] || 1);

function check(op: string, { x, mask, lengths }: AttentionWeightsInputs, attributes: AttentionWeightsAttributes): void {
  const { scale = 1, softcap = 1, causal = false, before = 0, after = 0, offset = 0 } = attributes;
  if (x.dtype !== 'f32' || x.shape.length !== 4) throw expected(op, 'x f32[batch, heads, queries, keys]', x);
  const misfit = (spec: Spec, what: string): Error => expected(op, `${what} of x`, spec, x);
  if (mask) {
    const missing = 4 - mask.shape.length;
    const fits = mask.shape.every((length, axis) => length === 1 || length === x.shape[axis + missing]);
    const samples = mask.rows ? mask.rows === x.rows && missing === 0 : !x.rows || missing > 0 || mask.shape[0] === 1;
    if (mask.dtype === 'i32' || missing < 0 || !fits || !samples) {
      throw misfit(mask, 'a mask of f32 or u32 that broadcasts to the shape');
    }
  }
  if (lengths) {
    const fits = lengths.dtype === 'u32' && lengths.shape.join() === String(x.shape[0]) && lengths.rows === x.rows;
    if (!fits) throw misfit(lengths, `lengths u32[${x.shape[0]}] for the batch`);
  }
  const whole = [before, after, offset].every((value) => Number.isInteger(value) && Math.abs(value) < UNBOUNDED);
  if (!whole || before < 0 || after < 0 || !Number.isFinite(scale) || !(softcap > 0 && softcap < Infinity)) {
    const wanted = 'a finite scale, a softcap > 0, whole numbers before and after >= 0 and a whole offset';
    const got = `scale ${scale}, softcap ${softcap}, before ${before}, after ${after}, offset ${offset}`;
    throw new ArgumentError(`${op}: expected ${wanted}, got ${got}`);
  }
  if (causal && after > 0) throw new ArgumentError(`${op}: causal is \`after: 0\`, got after ${after} as well`);
  if (lengths && attributes.offset !== undefined) {
    throw new ArgumentError(`${op}: expected lengths or an offset, got both; the offset follows from the lengths`);
  }
}

function launch(inputs: Values, y: Value, attributes: AttentionWeightsAttributes, softmax: boolean): Dispatch[] {
  const { x, mask, lengths } = inputs;
  const { scale = 1, softcap = 0, causal = false, before = UNBOUNDED, offset = 0 } = attributes;
  const [, heads, queries, keys] = x.shape as [number, number, number, number];
  const rowsPerSample = rowsPerSampleOf(x);
  const strides = mask ? broadcastStrides(mask, x.shape) : [0, 0, 0, 0];
  const wide = keys >= WIDE;
  const lanes = wide ? lanesFor(keys) : 1;
  const shared = {
    // A kernel's bindings are all bound: where there is none, it is given something that it does not look at.
    bind: { x, mask: mask ?? x, lengths: lengths ?? x, y },
    params: {
      maskStrides: strides as [number, number, number, number],
      rowsPerSample,
      heads,
      queries,
      keys,
      scale,
      cap: softcap,
      offset,
      before,
      after: causal ? 0 : (attributes.after ?? UNBOUNDED),
      maskKind: mask ? (mask.dtype === 'f32' ? 1 : 2) : 0,
      hasLengths: Number(Boolean(lengths)),
    },
    grid: linearGrid(rowsPerSample, 64 / lanes),
  };
  return [
    wide
      ? dispatch(attentionWeightsWideKernel, { ...shared, overrides: { SOFTMAX: softmax, LANES: lanes } })
      : dispatch(attentionWeightsKernel, { ...shared, overrides: { SOFTMAX: softmax } }),
  ];
}

type Values = { readonly x: Value; readonly mask?: Value; readonly lengths?: Value };

/**
 * The weights of attention (Vaswani et al. 2017, section 3.2.1) from the products of queries and keys: a softmax over
 * the keys that a query sees, see the attributes; keys that it does not see have weight 0 whatever their score, and a
 * query that sees none, or only scores of -Inf, has all weights 0. NaN and +Inf among the scores seen make the row NaN.
 * Result: `f32[batch, heads, queries, keys]`. A mask of numbers has a gradient, 0 where it is -Inf.
 */
export const attentionWeights = defineOp<AttentionWeightsInputs, 'y', AttentionWeightsAttributes>({
  name: 'attention-weights',
  half: ['x'],
  infer(inputs, attributes) {
    check('attention-weights', inputs as never, attributes);
    return { y: inputs.x };
  },
  lower: (inputs, { y }, attributes) => launch(inputs as Values, y, attributes, true),
  gradient: ({ x, mask, y, dy }, { scale = 1, softcap = 0 }): Record<'x' | 'mask', () => Value> => ({
    x: () => attentionWeightsGrad({ x, weights: y, dy }, { scale, softcap }),
    mask: () => sumTo(attentionWeightsGrad({ x, weights: y, dy }, { scale: 1, softcap: 0 }), mask!),
  }),
});

/** What `attentionWeights` takes the softmax of: -Inf for keys that a query does not see. */
export const attentionScores = defineOp<AttentionWeightsInputs, 'y', AttentionWeightsAttributes>({
  name: 'attention-scores',
  half: ['x'],
  infer(inputs, attributes) {
    check('attention-scores', inputs as never, attributes);
    return { y: inputs.x };
  },
  lower: (inputs, { y }, attributes) => launch(inputs as Values, y, attributes, false),
  gradient: none('it is a step on the way to the weights, to be looked at; attentionWeights has a gradient'),
});

type GradInputs = { x: Operand; weights: Operand; dy: Operand };

/** The gradient of the weights by x, or with scale 1 and no cap by the mask. */
const attentionWeightsGrad = defineOp<GradInputs, 'y', { readonly scale: number; readonly softcap: number }>({
  name: 'attention-weights-grad',
  infer: ({ x }) => ({ y: x }),
  lower({ x, weights, dy }, { y }, { scale, softcap }) {
    const keys = x.shape[3]!;
    const rowsPerSample = rowsPerSampleOf(x);
    const wide = keys >= WIDE;
    const lanes = wide ? lanesFor(keys) : 1;
    const shared = {
      bind: { x, y: weights, dy, dx: y },
      params: { rowsPerSample, keys, scale, cap: softcap },
      grid: linearGrid(rowsPerSample, 64 / lanes),
    };
    return [
      wide
        ? dispatch(attentionWeightsGradWideKernel, { ...shared, overrides: { LANES: lanes } })
        : dispatch(attentionWeightsGradKernel, shared),
    ];
  },
  gradient: isGradient,
});
