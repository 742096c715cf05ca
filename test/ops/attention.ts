import { expect } from 'vitest';
import { compile } from '../../src/graph/program.ts';
import type { AttentionWeightsAttributes } from '../../src/kernels/attention-weights.ts';
import { cacheAppend } from '../../src/kernels/cache-append.ts';
import type { RotaryEmbeddingAttributes } from '../../src/kernels/rotary-embedding.ts';
import { copy } from '../../src/kernels/unary.ts';
import { Rows } from '../../src/tensor/spec.ts';
import { Tensor } from '../../src/tensor/tensor.ts';
import { host, random, randomIndices } from '../op-table.ts';
import type { Host, OpCase, OpRow, OpStory } from '../op-table.ts';
import { broadcastIndex } from './broadcast.ts';
import { product } from './products.ts';

type Inputs = Readonly<Record<string, Host>>;

/** The scores behind scale, cap and mask: -Inf for what is not seen. */
export function scores({ x, mask, lengths }: Inputs, attributes: AttentionWeightsAttributes): Host {
  const { scale = 1, softcap, causal = false, before = Infinity, offset = 0 } = attributes;
  const after = causal ? 0 : (attributes.after ?? Infinity);
  const [, heads, queries, keys] = x!.shape as [number, number, number, number];
  return host(x!.shape, x!.data.map((value, index) => {
    const [key, query] = [index % keys, Math.floor(index / keys) % queries];
    const count = lengths?.data[Math.floor(index / keys / queries / heads)] ?? keys;
    const position = query + (lengths ? count - queries : offset);
    if (key >= count || key < position - before || key > position + after) return -Infinity;
    const score = softcap ? softcap * Math.tanh((scale * value) / softcap) : scale * value;
    if (!mask) return score;
    const given = mask.data[broadcastIndex(index, x!.shape, mask.shape)]!;
    if (mask.dtype === 'f32') return given === -Infinity ? given : score + given;
    return given ? score : -Infinity;
  }));
}

/** Softmax over the last axis, 0 where there is nothing but -Inf. */
function weightsOf({ shape, data }: Host): Host {
  const keys = shape.at(-1)!;
  const y = new Float64Array(data.length);
  for (let start = 0; start < data.length; start += keys) {
    const row = data.subarray(start, start + keys);
    const greatest = Math.max(...row);
    if (greatest === -Infinity) continue;
    const exponentials = row.map((score) => Math.exp(score - greatest));
    const sum = exponentials.reduce((total, value) => total + value, 0);
    y.set(exponentials.map((value) => value / sum), start);
  }
  return host(shape, y);
}

const weights = (inputs: Inputs, attributes: object): Host => weightsOf(scores(inputs, attributes));

/** Every third key hidden, by truth values or by -Inf. */
const truths = (shape: readonly number[], seed: number): Host => {
  const { data } = randomIndices(shape, seed, 3);
  return host(shape, data, 'u32');
};
const hiding = (shape: readonly number[], seed: number): Host => {
  const [{ data }, hidden] = [random(shape, seed), truths(shape, seed + 1)];
  return host(shape, data.map((value, index) => (hidden.data[index] ? value : -Infinity)));
};
const lengths = (...data: number[]): Host => host([data.length], data, 'u32');

const capped = { scale: 1.5, softcap: 2 };

const weightCases: readonly OpCase[] = [
  { inputs: { x: random([1, 1, 1, 1], 1) } },
  { inputs: { x: random([1, 2, 3, 0], 1) } },
  ...[3, 63, 64, 65, 300].map((keys): OpCase => ({ inputs: { x: random([2, 1, 3, keys], keys) }, attributes: capped })),
  { inputs: { x: random([1, 2, 2, 1000], 2, -9, 9) }, attributes: { causal: true, offset: 600 } },
  { inputs: { x: random([2, 3, 5, 7], 3), mask: random([5, 7], 4) }, attributes: { scale: 0.3 } },
  { inputs: { x: random([2, 3, 5, 7], 5), mask: random([3, 1, 7], 6) }, attributes: { ...capped, causal: true } },
  { inputs: { x: random([2, 3, 5, 7], 7) }, attributes: { before: 2, after: 1, offset: 1 } },
  { inputs: { x: random([6, 3, 4, 9], 8) }, attributes: { causal: true }, samples: 6, batched: ['x'] },
  { inputs: { x: random([4, 2, 2, 270], 9) }, attributes: capped, samples: 2, batched: ['x'] },
];

/** Whose gradients cannot be asked for: masks of truth values, or with -Inf in them, or keys that do not count. */
const hiddenCases: readonly OpCase[] = [
  { inputs: { x: random([2, 3, 5, 7], 20), mask: truths([2, 1, 5, 7], 21) }, attributes: capped },
  { inputs: { x: random([2, 3, 5, 7], 22), mask: hiding([3, 5, 7], 23) }, attributes: { softcap: 0.5 } },
  { inputs: { x: random([1, 1, 4, 6], 24), mask: host([6], new Float64Array(6), 'u32') } },
  { inputs: { x: random([3, 2, 2, 6], 25), lengths: lengths(6, 1, 4) }, attributes: { causal: true } },
  { inputs: { x: random([2, 1, 3, 300], 26), lengths: lengths(290, 2), mask: truths([300], 27) } },
  {
    inputs: { x: random([3, 2, 4, 5], 28), lengths: lengths(5, 0, 3), mask: truths([3, 2, 4, 1], 29) },
    attributes: { causal: true },
    samples: 3,
    batched: ['x', 'lengths', 'mask'],
  },
];

const exponentials = (): number => 40;

export const attentionWeightsRow: OpRow = {
  cases: weightCases,
  reference: weights,
  ulps: exponentials,
  differentiable: ['x'],
};

/** The same with keys that are hidden, in which only x is differentiated. */
export const hiddenWeightsRow: OpRow = { ...attentionWeightsRow, cases: hiddenCases };

/** The gradient of a mask, which broadcasts. */
export const attentionMaskRow: OpRow = {
  ...attentionWeightsRow,
  cases: weightCases.filter(({ inputs }) => inputs['mask']),
  differentiable: ['x', 'mask'],
};

export const attentionScoresRow: OpRow = {
  cases: [...weightCases.filter(({ inputs }) => inputs['x']!.shape[3]! < 10), ...hiddenCases],
  reference: (inputs, attributes) => scores(inputs, attributes),
  // WGSL promises 1e-5 of tanh, which here is multiplied by the cap.
  ulps: ({ attributes = {} }) => ((attributes as AttentionWeightsAttributes).softcap ? 168 : 4),
};

type Shape = readonly number[];

const heads = (q: Shape, k: Shape, seed: number, dv = k[3]!): Record<'q' | 'k' | 'v', Host> => ({
  q: random(q, seed),
  k: random(k, seed + 1),
  v: random([...k.slice(0, 3), dv], seed + 2),
});

/** Of queries in groups: each head of keys, or values, once for every head that shares it. */
function forEachHead(x: Host, count: number): Host {
  const [batch, own, rows, columns] = x.shape as [number, number, number, number];
  const size = rows * columns;
  const data = Float64Array.from({ length: batch * count * size }, (_, index) => {
    const head = Math.floor(Math.floor(index / size) / (count / own));
    return x.data[head * size + (index % size)]!;
  });
  return host([batch, count, rows, columns], data);
}

/** All that attention computes on its way. */
export function stages({ q, k, v, ...masks }: Inputs, attributes: AttentionWeightsAttributes): Record<string, Host> {
  const { scale = 1 / Math.sqrt(q!.shape[3]!) } = attributes;
  const x = product(q!, forEachHead(k!, q!.shape[1]!), { transposeB: true });
  const masked = scores({ ...masks, x }, { ...attributes, scale });
  const all = weightsOf(masked);
  return {
    y: product(all, forEachHead(v!, q!.shape[1]!), {}),
    scaled: scores({ x }, { scale }),
    capped: scores({ x }, { scale, softcap: attributes.softcap! }),
    masked,
    weights: all,
  };
}

const all = ['q', 'k', 'v'];

export const attentionCases: readonly OpCase[] = [
  { inputs: heads([2, 3, 4, 8], [2, 3, 6, 8], 1, 10) },
  { inputs: heads([1, 4, 1, 8], [1, 2, 9, 8], 2), attributes: { causal: true, offset: 5 } },
  {
    inputs: { ...heads([2, 6, 3, 5], [2, 2, 4, 5], 3), mask: random([3, 4], 4) },
    attributes: { scale: 0.7, softcap: 1 },
  },
  { inputs: heads([3, 4, 2, 7], [3, 1, 5, 7], 5, 3), attributes: { causal: true }, samples: 3, batched: all },
  { inputs: heads([2, 2, 33, 16], [2, 1, 65, 16], 6), attributes: { before: 9 }, samples: 2, batched: all },
];

export const attentionRow: OpRow = {
  cases: attentionCases,
  reference: (inputs, attributes) => stages(inputs, attributes)['y']!,
  ulps: ({ inputs }) => 40 + 2 * inputs['q']!.shape[3]! + inputs['k']!.shape[2]!,
  differentiable: all,
};

const turned = (length: number, half: number, seed: number, ...batch: number[]): Record<'cos' | 'sin', Host> => {
  const angles = random([...batch, length, half], seed, -3, 3);
  return {
    cos: host(angles.shape, angles.data.map((angle) => Math.fround(Math.cos(angle)))),
    sin: host(angles.shape, angles.data.map((angle) => Math.fround(Math.sin(angle)))),
  };
};

export const rotaryEmbeddingRow: OpRow = {
  cases: [
    { inputs: { x: random([3, 2], 1), ...turned(3, 1, 2) } },
    { inputs: { x: random([2, 4, 3, 8], 3), ...turned(50, 4, 4), positions: randomIndices([2, 3], 5, 50) } },
    {
      inputs: { x: random([2, 3, 4, 8], 6), ...turned(9, 4, 7), positions: host([3], [7, 0, 8], 'u32') },
      attributes: { axis: 1 },
    },
    {
      inputs: { x: random([2, 1, 3, 10], 8), ...turned(3, 3, 9, 2) },
      attributes: { interleaved: true, dimensions: 6 },
    },
    {
      inputs: { x: random([5, 2, 4, 6], 10), ...turned(70, 2, 11), positions: randomIndices([5, 4], 12, 70) },
      attributes: { dimensions: 4, inverse: true },
      samples: 5,
      batched: ['x', 'positions'],
    },
    {
      inputs: { x: random([2, 65, 1, 16], 13), ...turned(65, 8, 14, 2) },
      attributes: { axis: 1 },
      samples: 2,
      batched: ['x', 'cos', 'sin'],
    },
  ],
  reference({ x, cos, sin, positions }, attributes: RotaryEmbeddingAttributes) {
    const size = x!.shape.at(-1)!;
    const { interleaved = false, dimensions = size, axis = -2, inverse = false } = attributes;
    const half = dimensions / 2;
    const at = axis < 0 ? axis + x!.shape.length : axis;
    const count = x!.shape[at]!;
    const inner = x!.shape.slice(at + 1, -1).reduce((total, length) => total * length, 1);
    const perBatch = x!.data.length / x!.shape[0]!;
    return host(x!.shape, x!.data.map((value, index) => {
      const element = index % size;
      if (element >= dimensions) return value;
      const batch = Math.floor(index / perBatch);
      const place = Math.floor(index / size / inner) % count;
      const position = positions ? positions.data[place + (positions.shape.length > 1 ? batch * count : 0)]! : place;
      const pair = interleaved ? Math.floor(element / 2) : element % half;
      const first = index - element + (interleaved ? 2 * pair : pair);
      const second = first + (interleaved ? 1 : half);
      const table = (cos!.shape.length > 2 ? batch * cos!.shape[1]! : 0) + position;
      const [cosine, sine] = [cos!.data[table * half + pair]!, sin!.data[table * half + pair]! * (inverse ? -1 : 1)];
      const [p, q] = [x!.data[first]!, x!.data[second]!];
      return index === first ? p * cosine - q * sine : p * sine + q * cosine;
    }));
  },
  ulps: () => 2,
  differentiable: ['x'],
};

export const cacheAppendStory: OpStory = {
  async story(device) {
    const shape = [2, 3, 4, 2];
    const [cached, fresh] = [random(shape, 1), random([2, 3, 2, 2], 2)].map(({ data }) => Float32Array.from(data));
    const after = (places: (batch: number, i: number) => number | undefined): Float32Array => {
      const wanted = cached!.slice();
      fresh!.forEach((value, index) => {
        const [d, i, outer] = [index % 2, Math.floor(index / 2) % 2, Math.floor(index / 4)];
        const place = places(Math.floor(outer / 3), i);
        if (place !== undefined) wanted[(outer * 4 + place) * 2 + d] = value;
      });
      return wanted;
    };
    using cache = Tensor.from(device, cached!, shape);
    const rows = new Rows(2);
    const update = { dtype: 'f32', shape: [2, 3, 2, 2], rows } as const;
    const specs = { update, position: { dtype: 'u32', shape: [1] }, each: { dtype: 'u32', shape: [2], rows } } as const;
    using program = await compile(device, specs, ({ update, position, each }) => ({
      all: copy({ x: cacheAppend({ x: cache, update: update!, position: position! }) }),
      ring: cacheAppend({ x: copy({ x: cache }), update: update!, position: each! }, { circular: true }),
    }));
    const run = (position: number) =>
      program.call({ update: fresh!, position: Uint32Array.of(position), each: Uint32Array.of(1, 3) });
    const first = await run(1);
    expect(first['all']).toEqual(after((_, i) => 1 + i));
    expect(await cache.read(), 'the cache itself').toEqual(first['all']);
    cache.write(cached!);
    // What goes beyond the last place is left out.
    expect((await run(3))['all']).toEqual(after((_, i) => (i === 0 ? 3 : undefined)));
    cache.write(cached!);
    expect((await run(7))['all']).toEqual(cached);
    expect((await run(7))['ring']).toEqual(after((batch, i) => ((batch ? 3 : 1) + i) % 4));
  },
};
