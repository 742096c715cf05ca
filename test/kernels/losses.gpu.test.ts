import { describe, expect, it } from 'vitest';
import { gradients } from '../../src/autograd/backward.ts';
import { compile } from '../../src/graph/program.ts';
import { crossEntropy } from '../../src/kernels/cross-entropy.ts';
import { binaryCrossEntropy, huber, meanSquaredError } from '../../src/kernels/element-losses.ts';
import { klDivergence } from '../../src/kernels/kl-divergence.ts';
import { nll } from '../../src/kernels/nll.ts';
import { sum } from '../../src/kernels/reduce.ts';
import { logSoftmax, softmax } from '../../src/kernels/softmax.ts';
import { Rows } from '../../src/tensor/spec.ts';
import type { Spec } from '../../src/tensor/spec.ts';
import { openTestDevice } from '../open-test-device.ts';

const device = await openTestDevice();
const f32 = (...shape: number[]): Spec => ({ dtype: 'f32', shape });

describe('losses of elements', () => {
  it.each(Object.entries({ meanSquaredError, huber, binaryCrossEntropy }))('%s keeps NaN in place', async (_, loss) => {
    using program = await compile(device, { x: f32(4), target: f32(4) }, ({ x, target }) => {
      const y = loss({ x: x!, target: target! }, { reduction: 'none' });
      return { y, dx: gradients(sum({ x: y }), [x!])[0]! };
    });
    const { y, dx } = await program.call({ x: Float32Array.of(0, NaN, 0, 9), target: Float32Array.of(1, 1, NaN, 0) });
    for (const values of [y!, dx!]) expect([...values].map(Number.isNaN)).toEqual([false, true, true, false]);
  });

  it('average the live samples, and spread the gradient over them', async () => {
    const spec: Spec = { dtype: 'f32', shape: [5, 2], rows: new Rows(5) };
    using program = await compile(device, { x: spec, target: spec }, ({ x, target }) => {
      const y = meanSquaredError({ x: x!, target: target! });
      return { y, dx: gradients(y, [x!])[0]! };
    });
    const { y, dx } = await program.call({ x: Float32Array.of(1, 2, 3, 5), target: Float32Array.of(0, 2, 3, 1) });
    expect([...y!, ...dx!]).toEqual([17 / 4, 0.5, 0, 0, 2]);
  });

  it('say what they expect', () => {
    const x = f32(3, 4);
    expect(() => meanSquaredError.infer({ x, target: f32(3) }, {})).toThrow(
      'mean-squared-error: expected x and target f32 of one shape and of the same samples, got f32[3, 4] and f32[3]',
    );
    expect(() => binaryCrossEntropy.infer({ x, target: x, positiveWeight: f32(3) }, {})).toThrow(
      'binary-cross-entropy: expected positiveWeight f32[1] or f32[4], got f32[3]',
    );
    expect(() => huber.infer({ x, target: x }, { delta: 0 })).toThrow('huber: expected a delta above 0, got 0');
    expect(() => huber.infer({ x, target: x }, { reduction: 'max' as never })).toThrow(
      'huber: expected a reduction none, mean or sum, got max',
    );
    expect(() => nll.infer({ x, label: f32(3) }, {})).toThrow(
      /^nll: expected x f32\[n, classes, ...\] and label i32 or u32 \[n, ...\] .*, got f32\[3, 4\] and f32\[3\]$/,
    );
  });
});

// Some adapters take the logarithm of NaN for a number.
it.each(Object.entries({ crossEntropy, klDivergence }))('%s: NaN anywhere in a row gives NaN', async (_, loss) => {
  const labels: Spec = { dtype: 'u32', shape: [3] };
  using program = await compile(device, { logits: f32(3, 3), target: f32(3, 3), labels }, (inputs) => ({
    y: loss(inputs as never),
  }));
  const { y } = await program.call({
    logits: Float32Array.of(1, 2, 3, NaN, 2, 3, Infinity, 2, 3),
    target: Float32Array.of(1, 2, 3, -Infinity, 2, 3, -Infinity, 2, 3),
    labels: Uint32Array.of(0, 2, 2),
  });
  expect([...y].map(Number.isNaN)).toEqual([false, true, true]);
});

describe('logSoftmax', () => {
  // One invocation for a row, several, several by fours; and a row that does not lie together.
  it.each([[3, 0], [259, 0], [260, 0], [3, 1]])('of %i columns keeps NaN in its row', async (cols, strided) => {
    const [shape, axis] = strided ? [[cols, 4], 0] : [[4, cols], 1];
    using program = await compile(device, { x: f32(...shape) }, ({ x }) => ({ y: logSoftmax({ x: x! }, { axis }) }));
    const at = (row: number, col: number): number => (strided ? col * 4 + row : row * cols + col);
    const x = new Float32Array(4 * cols).fill(-Infinity);
    // Rows: a number alone, NaN, Infinity, nothing.
    [5, NaN, Infinity, -Infinity].forEach((value, row) => (x[at(row, 1)] = value));
    const { y } = await program.call({ x });
    const row = (index: number): number[] => Array.from({ length: cols }, (_, col) => y![at(index, col)]!);
    expect(row(0)).toEqual(row(0).map((_, col) => (col === 1 ? 0 : -Infinity)));
    for (const index of [1, 2, 3]) expect(row(index).every(Number.isNaN), `row ${index}`).toBe(true);
  });

  it('refuses the axis of the samples, and an empty one', () => {
    const x: Spec = { dtype: 'f32', shape: [4, 3], rows: new Rows(4) };
    expect(() => softmax.infer({ x }, { axis: 0 })).toThrow(
      'softmax: expected an axis behind that of the samples, got 0 of f32[rows, 3]',
    );
    expect(() => logSoftmax.infer({ x: f32(3, 0) }, {})).toThrow(
      'log-softmax: expected f32[...] of at least one element along the axis, got f32[3, 0]',
    );
  });
});
