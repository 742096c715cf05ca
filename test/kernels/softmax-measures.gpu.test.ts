import { describe, expect, it } from 'vitest';
import { gradients } from '../../src/autograd/backward.ts';
import { compile } from '../../src/graph/program.ts';
import { klDivergence } from '../../src/kernels/kl-divergence.ts';
import { sum } from '../../src/kernels/reduce.ts';
import { confidence, entropy, margin } from '../../src/kernels/softmax-measures.ts';
import { openTestDevice } from '../open-test-device.ts';

const device = await openTestDevice();
const spec = { dtype: 'f32', shape: [6, 3] } as const;
const matrix = (...rows: number[][]): Float32Array => Float32Array.from(rows.flat());
const half = Math.log(2);
const logits = matrix(
  [0, 0, -Infinity],
  [1, NaN, 1],
  [1, Infinity, 1],
  [-Infinity, -Infinity, -Infinity],
  [3e38, -3e38, 0],
  [5, -Infinity, -Infinity],
);

const measures = { confidence, margin, entropy };

describe.each([3, 257, 260, 4100])('logits that are not finite, of %i classes', (classes) => {
  const wide = { dtype: 'f32', shape: [6, classes] } as const;
  // The others are impossible. Of those that share a row, one alone knows each of the three.
  const places = [0, 1, classes - 1].map((place, column) => (classes > 3 && column === 1 ? 6 : place));
  const spread = new Float32Array(6 * classes).fill(-Infinity);
  logits.forEach((value, at) => (spread[Math.floor(at / 3) * classes + places[at % 3]!] = value));

  it('are impossible classes, or show in confidence, margin and entropy', async () => {
    using program = await compile(device, { logits: wide }, ({ logits }) => ({
      confidence: confidence({ logits }),
      margin: margin({ logits }),
      entropy: entropy({ logits }),
    }));
    const read = await program.call({ logits: spread });
    const near = (values: readonly number[]) =>
      values.map((value) => (Number.isNaN(value) ? NaN : expect.closeTo(value, 6)));
    expect([...read.confidence]).toEqual(near([0.5, NaN, NaN, NaN, 1, 1]));
    expect([...read.margin]).toEqual(near([0, NaN, NaN, NaN, 1, 1]));
    expect([...read.entropy]).toEqual(near([half, NaN, NaN, NaN, 0, 0]));
  });

  it.each(Object.entries(measures))('leave a gradient of %s in their row', async (_, measure) => {
    using program = await compile(device, { logits: wide }, ({ logits }) => ({
      grad: gradients(sum({ x: measure({ logits }) }), [logits])[0]!,
    }));
    const { grad } = await program.call({ logits: spread });
    const rows = [0, 1, 2, 3, 4, 5].map((row) => [...grad.subarray(row * classes, (row + 1) * classes)]);
    expect(rows.map((row) => row.every(Number.isFinite))).toEqual([true, false, false, false, true, true]);
  });
});

// 1 is the place of another invocation than 16, which comes first among those that share a row.
describe.each([20, 257, 260])('equal logits among %i classes', (classes) => {
  const gradientsOf = async (values: Readonly<Record<number, number>>) => {
    using program = await compile(device, { logits: { dtype: 'f32', shape: [1, classes] } }, ({ logits }) => ({
      confidence: gradients(sum({ x: confidence({ logits }) }), [logits])[0]!,
      margin: gradients(sum({ x: margin({ logits }) }), [logits])[0]!,
    }));
    return program.call({ logits: Object.assign(new Float32Array(classes).fill(-Infinity), values) });
  };
  const row = (values: Readonly<Record<number, number>>) =>
    Array.from({ length: classes }, (_, at) => expect.closeTo(values[at] ?? 0, 6));

  it('take the first for the greatest', async () => {
    const { confidence, margin } = await gradientsOf({ 1: 2, 16: 2 });
    expect([...confidence]).toEqual(row({ 1: 0.25, 16: -0.25 }));
    expect([...margin]).toEqual(row({ 1: 0.5, 16: -0.5 }));
  });

  it('take the first for the second', async () => {
    const { margin } = await gradientsOf({ 1: 0, 3: half, 16: 0 });
    expect([...margin]).toEqual(row({ 1: -0.3125, 3: 0.375, 16: -0.0625 }));
  });

  it('count in one vector', async () => {
    const { margin } = await gradientsOf({ 8: 2, 9: 2, 16: 2 });
    expect([...margin]).toEqual(row({ 8: 1 / 3, 9: -1 / 3 }));
  });
});

describe('logits that are not finite', () => {
  it('are impossible classes to the divergence, whose target gets no gradient', async () => {
    using program = await compile(device, { logits: spec, target: spec }, ({ logits, target }) => {
      const y = klDivergence({ logits, target });
      const [grad, none] = gradients(sum({ x: y }), [logits, target]);
      expect(none).toBeUndefined();
      return { y, grad: grad! };
    });
    const target = matrix(
      [0, -Infinity, -Infinity],
      [0, 0, 0],
      [0, 0, 0],
      [0, NaN, 0],
      [3e38, -3e38, 0],
      [0, 0, -Infinity],
    );
    const { y, grad } = await program.call({ logits, target });
    expect([...y]).toEqual([expect.closeTo(half, 6), NaN, NaN, NaN, expect.closeTo(0, 6), Infinity]);
    expect([...grad.subarray(0, 3)]).toEqual([-0.5, 0.5, 0].map((value) => expect.closeTo(value, 6)));
  });
});
