import { isFloat } from '../tensor/spec.ts';
import { attentionScores, attentionWeights } from './attention-weights.ts';
import type { AttentionWeightsAttributes, AttentionWeightsInputs } from './attention-weights.ts';
import { expected } from './define.ts';
import type { Operand, Value } from './define.ts';
import { matmul } from './matmul.ts';
import { reshape } from './reshape.ts';

export interface AttentionInputs extends Omit<AttentionWeightsInputs, 'x'> {
  /** Queries, `f32[batch, heads, t, d]`. */
  readonly q: Operand;
  /** Keys, `f32[batch, kvHeads, s, d]`, with heads a multiple of kvHeads. */
  readonly k: Operand;
  /** Values, `f32[batch, kvHeads, s, dv]`. */
  readonly v: Operand;
}

/** As of `attentionWeights`, but that `scale` is `1 / sqrt(d)` where left out. */
export type AttentionAttributes = AttentionWeightsAttributes;

function check({ q, k, v }: AttentionInputs): void {
  const [, heads = 0, , d] = q.shape;
  const [, kvHeads = 0, keys, kd] = k.shape;
  const fits =
    [q, k, v].every(({ dtype, shape }) => dtype === q.dtype && shape.length === 4) && isFloat(q) &&
    [k, v].every(({ shape, rows }) => rows === q.rows && shape[0] === q.shape[0]) &&
    d === kd && v.shape[1] === kvHeads && v.shape[2] === keys && kvHeads > 0 && heads % kvHeads === 0;
  if (fits) return;
  const shapes = 'q f32[batch, heads, t, d], k f32[batch, kvHeads, s, d] and v f32[batch, kvHeads, s, dv]';
  throw expected('attention', `${shapes}, heads a multiple of kvHeads`, q, k, v);
}

/** The product of what is there for each head and what groups of heads have in common, which is copied nowhere. */
function byGroups(x: Operand, shared: Operand, transposeB: boolean): Value {
  const [batch, heads, rows] = x.shape as [number, number, number];
  const kvHeads = shared.shape[1]!;
  if (kvHeads === heads) return matmul({ a: x, b: shared }, { transposeB });
  const columns = shared.shape[transposeB ? 2 : 3]!;
  // The heads of a group as rows of one matrix.
  const a = reshape({ x }, { shape: [batch, kvHeads, (heads / kvHeads) * rows, x.shape[3]!] });
  return reshape({ x: matmul({ a, b: shared }, { transposeB }) }, { shape: [batch, heads, rows, columns] });
}

/** The scores of queries and keys, and how they become weights. */
function prepare({ q, k, v, ...masks }: AttentionInputs, attributes: AttentionAttributes) {
  check({ q, k, v });
  const { scale = 1 / Math.sqrt(q.shape[3]! || 1) } = attributes;
  return { inputs: { ...masks, x: byGroups(q, k, true) }, attributes: { ...attributes, scale } };
}

/**
 * Scaled dot-product attention (Vaswani et al. 2017, section 3.2.1): `weights v`, the weights being the softmax of
 * `scale q k^T` over the keys that a query sees, see `attentionWeights`. Groups of heads may have keys and values in
 * common (Ainslie et al. 2023, grouped queries). Result: `f32[batch, heads, t, dv]`; 0 for a query that sees no key.
 * Samples may run along the batch, of q, k and v together. The scores, `[batch, heads, t, s]`, are kept in memory, of f16
 * before they are scaled: scale q where its products with keys may exceed 65,504.
 */
export function attention(given: AttentionInputs, options: AttentionAttributes = {}): Value {
  const { inputs, attributes } = prepare(given, options);
  return byGroups(attentionWeights(inputs, attributes), given.v, false);
}

/**
 * `attention` with all that is on its way: the scores multiplied by `scale`, then bent by `softcap`, then masked (-Inf
 * for keys that are not seen), and the weights. What is not used is not computed. Only y and the weights have a
 * gradient.
 */
export function attentionStages(given: AttentionInputs, options: AttentionAttributes = {}) {
  const { inputs, attributes } = prepare(given, options);
  const { x } = inputs;
  const { scale, softcap } = attributes;
  const weights = attentionWeights(inputs, attributes);
  return {
    y: byGroups(weights, given.v, false),
    scaled: attentionScores({ x }, { scale }),
    capped: attentionScores({ x }, { scale, ...(softcap && { softcap }) }),
    masked: attentionScores(inputs, attributes),
    weights,
  };
}
