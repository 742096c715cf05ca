import { describe, expect, it } from 'vitest';
import type { Operand } from '../../src/kernels/define.ts';
import { argMax } from '../../src/kernels/arg-reduce.ts';
import { topK } from '../../src/kernels/top-k.ts';
import type { TopKAttributes } from '../../src/kernels/top-k.ts';
import { Rows } from '../../src/tensor/spec.ts';
import type { Dtype32, Spec } from '../../src/tensor/spec.ts';
import { checkGradient, checkValue, distinct, host } from '../op-table.ts';
import type { Host, OpCase, OpRow } from '../op-table.ts';
import { linesOf, ordered, withEquals } from '../ops/selection.ts';
import { openTestDevice } from '../open-test-device.ts';

const device = await openTestDevice();

/** A result with k along the axis, made of the first k positions of each line. */
function picked(x: Host, attributes: TopKAttributes, of: (place: number, at: number) => number): Host {
  const { axis = -1, k, smallest = false } = attributes;
  const lines = linesOf(x.shape, axis, k);
  const data = new Float64Array(lines.length * k);
  for (const { from, to } of lines) {
    const order = ordered(from.map((place) => x.data[place]!), smallest ? -1 : 1, !smallest);
    to.forEach((place, index) => (data[place] = of(from[order[index]!]!, order[index]!)));
  }
  return host(x.shape.with(axis, k), data, x.dtype);
}

const row: OpRow = {
  cases: [],
  reference: ({ x }, attributes) => ({
    values: picked(x!, attributes as TopKAttributes, (place) => x!.data[place]!),
    indices: picked(x!, attributes as TopKAttributes, (_, at) => at),
  }),
  ulps: () => 0,
};

const opCase = (x: Host, attributes: TopKAttributes, samples?: number): OpCase => ({
  inputs: { x },
  attributes,
  ...(samples && { samples, batched: ['x'] }),
});

describe('topK', () => {
  it.each<[string, readonly number[], TopKAttributes, Dtype32?, number?]>([
    ['the only one', [1], { k: 1 }],
    ['by passes', [3, 64], { k: 5 }, 'f32', 3],
    ['by passes through a tree with a rest', [2, 1000], { k: 16, smallest: true }],
    ['by passes along an axis in between', [4, 300, 2], { k: 3, axis: 1 }, 'i32', 2],
    ['by ranks', [3, 65], { k: 17 }, 'f32', 3],
    ['by ranks, all', [2, 1000], { k: 1000, smallest: true }],
    ['by ranks along an axis in between', [2, 63, 3], { k: 20, axis: -2, smallest: true }, 'u32', 2],
  ])('%s', async (_, shape, attributes, dtype = 'f32', samples) => {
    const x = withEquals(shape, 3, dtype, dtype === 'f32');
    await checkValue(device, topK as never, row, opCase(x, attributes, samples));
  });

  it('sends the gradient to where the values came from', async () => {
    const values = (inputs: { x: Operand }, attributes: TopKAttributes) => topK(inputs, attributes).values;
    const ofValues: OpRow = {
      ...row,
      reference: ({ x }, attributes) => picked(x!, attributes as TopKAttributes, (place) => x!.data[place]!),
      differentiable: ['x'],
    };
    for (const [k, axis] of [[2, 1], [20, 1], [3, 2]] as const) {
      await checkGradient(device, values as never, ofValues, opCase(distinct([3, 30, 4], k), { k, axis }, 3));
    }
  });

  it('says what it expects', () => {
    const x: Spec = { dtype: 'f32', shape: [4, 3], rows: new Rows(4) };
    for (const k of [0, 4, 1.5]) {
      expect(() => topK.infer({ x }, { k })).toThrow(`top-k: expected k from 1 to 3, got ${k}`);
    }
    expect(() => topK.infer({ x }, { k: 1, axis: 0 })).toThrow('top-k: expected an axis behind that of the samples');
    expect(() => argMax.infer({ x: { dtype: 'f32', shape: [2, 0] } }, { axis: 1 })).toThrow(
      'arg-max: expected at least one element along axis 1, got f32[2, 0]',
    );
  });
});
