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

describe('logits that are not finite', () => {
  it('are impossible classes, or show in confidence, margin and entropy', async () => {
    using program = await compile(device, { logits: spec }, ({ logits }) => ({
      confidence: confidence({ logits }),
      margin: margin({ logits }),
      entropy: entropy({ logits }),
    }));
    const read = await program.call({ logits });
    const near = (values: readonly number[]) =>
      values.map((value) => (Number.isNaN(value) ? NaN : expect.closeTo(value, 6)));
    expect([...read.confidence]).toEqual(near([0.5, NaN, NaN, NaN, 1, 1]));
    expect([...read.margin]).toEqual(near([0, NaN, NaN, NaN, 1, 1]));
    expect([...read.entropy]).toEqual(near([half, NaN, NaN, NaN, 0, 0]));
  });

  const measures = [['confidence', confidence], ['margin', margin], ['entropy', entropy]] as const;
  it.each(measures)('leave a gradient of %s in their row', async (_, measure) => {
    using program = await compile(device, { logits: spec }, ({ logits }) => ({
      grad: gradients(sum({ x: measure({ logits }) }), [logits])[0]!,
    }));
    const { grad } = await program.call({ logits });
    const finite = [0, 1, 2, 3, 4, 5].map((row) => [...grad.subarray(row * 3, row * 3 + 3)].every(Number.isFinite));
    expect(finite).toEqual([true, false, false, false, true, true]);
  });

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
