import { describe, expect, it } from 'vitest';
import { compile } from '../../src/graph/program.ts';
import { batchNorm } from '../../src/kernels/batch-norm.ts';
import { concat } from '../../src/kernels/concat.ts';
import { linear } from '../../src/kernels/linear.ts';
import { localResponseNorm } from '../../src/kernels/local-response-norm.ts';
import { pad } from '../../src/kernels/pad.ts';
import { max, min, sum } from '../../src/kernels/reduce.ts';
import { slice } from '../../src/kernels/slice.ts';
import { softmax } from '../../src/kernels/softmax.ts';
import { Rows } from '../../src/tensor/spec.ts';
import { random } from '../op-table.ts';
import { openTestDevice } from '../open-test-device.ts';

const device = await openTestDevice();

// GPUs take max(NaN, 0) for 0 and tanh(100) for NaN; a poisoned sample must not come out looking sound.
describe('values that are not finite', () => {
  const activations = ['none', 'relu', 'sigmoid', 'tanh'] as const;
  it.each(activations)('stay in their sample through linear, %s', async (activation) => {
    const [samples, features, out] = [17, 20, 9];
    const rows = new Rows(samples);
    const specs = {
      x: { dtype: 'f32', shape: [samples, features], rows },
      weight: { dtype: 'f32', shape: [out, features] },
    } as const;
    using program = await compile(device, specs, ({ x, weight }) => ({
      y: linear({ x: x!, weight: weight! }, { activation }),
    }));
    const x = Float32Array.from(random([samples, features], 1).data);
    const weight = Float32Array.from(random([out, features], 2).data);
    const { y: sound } = await program.call({ x, weight });
    for (const sample of [0, 8, 16]) {
      const poisoned = x.slice();
      poisoned[sample * features + 3] = NaN;
      const { y } = await program.call({ x: poisoned, weight });
      const expected = sound.slice().fill(NaN, sample * out, (sample + 1) * out);
      expect(y).toEqual(expected);
    }
  });

  it.each([20, 257, 260, 4096])('become 0 or stay in their row through softmax of %i columns', async (cols) => {
    const rows = 7;
    const specs = { x: { dtype: 'f32', shape: [rows, cols], rows: new Rows(rows) } } as const;
    using program = await compile(device, specs, ({ x }) => ({ y: softmax({ x }) }));
    const x = Float32Array.from(random([rows, cols], 1).data);
    const { y: sound } = await program.call({ x });
    const poisoned = x.slice();
    for (const [row, value] of [NaN, Infinity].entries()) poisoned[row * cols + 5] = value;
    poisoned.fill(-Infinity, 2 * cols, 3 * cols);
    const { y } = await program.call({ x: poisoned });
    expect(y).toEqual(sound.slice().fill(NaN, 0, 3 * cols));
    // What is left weighs the same, at whatever place and height.
    for (const [row, value] of [0, 3e38, -3e38].entries()) {
      poisoned.fill(-Infinity, row * cols, (row + 1) * cols);
      for (const col of [3, cols - 1]) poisoned[row * cols + col] = value;
    }
    const halves = new Float32Array(cols).fill(0.5, 3, 4).fill(0.5, cols - 1);
    const { y: left } = await program.call({ x: poisoned });
    for (const row of [0, 1, 2]) expect(left.slice(row * cols, (row + 1) * cols)).toEqual(halves);
    expect(left.slice(3 * cols)).toEqual(sound.slice(3 * cols));
  });

  it('stay in their sample through batch and local response normalisation', async () => {
    const [samples, channels] = [5, 6];
    const rows = new Rows(samples);
    const statistics = { dtype: 'f32', shape: [channels] } as const;
    const specs = { x: { dtype: 'f32', shape: [samples, channels], rows }, mean: statistics, variance: statistics } as const;
    using program = await compile(device, specs, ({ x, mean, variance }) => ({
      batch: batchNorm({ x, mean, variance, scale: variance, shift: mean }, { activation: 'relu' }),
      response: localResponseNorm({ x }, { size: 3, alpha: 1 }),
    }));
    const given = { mean: new Float32Array(channels).fill(0.5), variance: new Float32Array(channels).fill(2) };
    const x = Float32Array.from(random([samples, channels], 1).data);
    const sound = await program.call({ ...given, x });
    const poisoned = await program.call({ ...given, x: x.with(2 * channels + 3, NaN) });
    expect(poisoned.batch).toEqual(sound.batch.with(2 * channels + 3, NaN));
    expect(poisoned.response[2 * channels + 3]).toBeNaN();
    for (const [from, to] of [[0, 2 * channels], [3 * channels, samples * channels]]) {
      expect(poisoned.response.slice(from, to)).toEqual(sound.response.slice(from, to));
    }
  });

  it('win in a sum, a maximum and a minimum', async () => {
    const x = Float32Array.of(1, NaN, 2, Infinity, 1, 2, 3, -Infinity, 5);
    using program = await compile(device, { x: { dtype: 'f32', shape: [3, 3] } }, ({ x }) => ({
      sum: sum({ x: x! }, { axes: [1] }),
      max: max({ x: x! }, { axes: [1] }),
      min: min({ x: x! }, { axes: [1] }),
    }));
    const results = await program.call({ x });
    expect([...results.sum]).toEqual([NaN, Infinity, -Infinity]);
    expect([...results.max]).toEqual([NaN, Infinity, 5]);
    expect([...results.min]).toEqual([NaN, 1, -Infinity]);
  });

  it('are moved as they are, and so are integers', async () => {
    const specs = { x: { dtype: 'f32', shape: [1, 4] }, n: { dtype: 'i32', shape: [2] } } as const;
    using program = await compile(device, specs, ({ x, n }) => ({
      slice: slice({ x }, { axis: 1, start: 1 }),
      pad: pad({ x }, { axis: 1, before: -2, after: 1 }),
      concat: concat({ a: x, b: x }, { axis: 0 }),
      integers: concat({ a: n, b: n }, { axis: 0 }),
    }));
    const x = Float32Array.of(1, NaN, Infinity, -Infinity);
    const results = await program.call({ x, n: Int32Array.of(-1, 7) });
    expect([...results.slice]).toEqual([NaN, Infinity, -Infinity]);
    expect([...results.pad]).toEqual([Infinity, -Infinity, 0]);
    expect([...results.concat]).toEqual([...x, ...x]);
    expect([...results.integers]).toEqual([-1, 7, -1, 7]);
  });
});
