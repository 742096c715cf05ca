import { attentionStages } from '../../kernels/attention.ts';
import type { AttentionAttributes, AttentionInputs } from '../../kernels/attention.ts';
import type { Operand } from '../../kernels/define.ts';
import * as ops from '../../kernels/registry.ts';
import { float } from '../node.ts';
import type { Mappings, NodeReader, OnnxValue } from '../node.ts';

/** `[batch, t, heads * d]` as `[batch, heads, t, d]`; four axes stay as they are. */
function byHeads(n: NodeReader, x: Operand, attribute: string): Operand {
  if (x.shape.length === 4) return x;
  const heads = n.number(attribute, 0);
  const [batch, length, width] = x.shape as [number, number, number];
  if (!(heads > 0 && width % heads === 0)) n.reject(`expected ${attribute} that divides ${width}, got ${heads}`);
  const split = ops.reshape({ x }, { shape: [batch, length, heads, width / heads] });
  return ops.transpose({ x: split }, { permutation: [0, 2, 1, 3] });
}

function joined(y: Operand): Operand {
  const [batch, heads, length, width] = y.shape as [number, number, number, number];
  const x = ops.transpose({ x: y }, { permutation: [0, 2, 1, 3] });
  return ops.reshape({ x }, { shape: [batch, length, heads * width] });
}

/** Keys that the mask says nothing of are not seen. */
function maskFor(mask: Operand, keys: number): Operand {
  const after = keys - mask.shape.at(-1)!;
  const value = mask.dtype === 'f32' ? -Infinity : 0;
  return after > 0 ? ops.pad({ x: mask }, { axis: -1, after, value }) : mask;
}

function attend(n: NodeReader): OnnxValue[] {
  const q = byHeads(n, n.at(0), 'q_num_heads');
  const [k, v] = [1, 2].map((index) => {
    const now = byHeads(n, n.at(index), 'kv_num_heads');
    const past = n.maybe(index + 3);
    return past ? ops.concat({ a: past, b: now }, { axis: 2 }) : now;
  }) as [Operand, Operand];
  const mask = n.maybe(3);
  const lengths = n.maybe(6);
  const inputs: AttentionInputs = {
    q,
    k,
    v,
    ...(mask && { mask: maskFor(mask, k.shape[2]!) }),
    ...(lengths && { lengths: ops.cast({ x: lengths }, { to: 'u32' }) }),
  };
  const [scale, softcap] = [n.number('scale', 0), n.number('softcap', 0)];
  const attributes: AttentionAttributes = {
    causal: n.flag('is_causal'),
    ...(scale !== 0 && { scale }),
    ...(softcap !== 0 && { softcap }),
    // Queries stand behind what is past.
    ...(!lengths && { offset: n.maybe(4)?.shape[2] ?? 0 }),
  };
  const stages = attentionStages(inputs, attributes);
  const looked = [stages.scaled, stages.capped, stages.masked, stages.weights][n.number('qk_matmul_output_mode', 0)];
  const y = n.at(0).shape.length === 3 ? joined(stages.y) : stages.y;
  return [y, k, v, looked ?? n.reject('expected a qk_matmul_output_mode from 0 to 3')].map(float);
}

function turn(n: NodeReader): OnnxValue {
  const x = n.at(0);
  const dimensions = n.number('rotary_embedding_dim', 0);
  const positions = n.maybe(3);
  const tables = { cos: n.at(1), sin: n.at(2), ...(positions && { positions }) };
  const attributes = { interleaved: n.flag('interleaved'), ...(dimensions > 0 && { dimensions }) };
  if (x.shape.length === 4) return n.like(0, ops.rotaryEmbedding({ x, ...tables }, attributes));
  const heads = n.number('num_heads', 0);
  const [batch, length, width] = x.shape as [number, number, number];
  const split = ops.reshape({ x }, { shape: [batch, length, heads, width / heads] });
  const turned = ops.rotaryEmbedding({ x: split, ...tables }, { ...attributes, axis: 1 });
  return n.like(0, ops.reshape({ x: turned }, { shape: x.shape }));
}

export const attention: Mappings = {
  Attention: attend,
  FlexAttention: (n) => {
    if (n.node.attributes['score_mod'] || n.node.attributes['prob_mod']) n.reject('graphs inside of it are not mapped');
    const scale = n.number('scale', 0);
    const inputs = { q: n.at(0), k: n.at(1), v: n.at(2) };
    return n.like(0, ops.attention(inputs, scale === 0 ? {} : { scale }));
  },
  RotaryEmbedding: turn,
};
