import { describe, expect, it } from 'vitest';
import { gradients } from '../../src/autograd/backward.ts';
import { compile } from '../../src/graph/program.ts';
import { mul } from '../../src/kernels/binary.ts';
import { conv2d } from '../../src/kernels/conv2d.ts';
import { convTranspose2d } from '../../src/kernels/conv-transpose2d.ts';
import type { Operand, Value } from '../../src/kernels/define.ts';
import { averagePool2d, lpPool2d, maxPool2d, maxPool2dIndices } from '../../src/kernels/pool2d.ts';
import type { MaxPool2dAttributes } from '../../src/kernels/pool2d.ts';
import { sum } from '../../src/kernels/reduce.ts';
import { reshape } from '../../src/kernels/reshape.ts';
import { Rows } from '../../src/tensor/spec.ts';
import type { TypedArray } from '../../src/tensor/spec.ts';
import { random } from '../op-table.ts';
import { openTestDevice } from '../open-test-device.ts';

const device = await openTestDevice();

const shaped = (x: Operand, ...shape: number[]): Value => reshape({ x }, { shape });

const floats = (shape: readonly number[], seed: number): Float32Array => Float32Array.from(random(shape, seed).data);

describe('the gradient of a maximum goes to the first of equals', () => {
  const run = async (x: number[], side: number, attributes: MaxPool2dAttributes): Promise<number[]> => {
    const spec = { dtype: 'f32', shape: [1, 1, side, side] } as const;
    using program = await compile(device, { x: spec }, ({ x }) => {
      const [dx] = gradients(sum({ x: maxPool2d({ x: x! }, attributes) }), [x!]);
      return { dx: dx! };
    });
    return [...(await program.call({ x: Float32Array.from(x) })).dx];
  };

  it('of one window', async () => {
    expect(await run([1, 1, 1, 1], 2, { kernel: 2 })).toEqual([1, 0, 0, 0]);
    expect(await run([0, 2, 2, 1], 2, { kernel: 2 })).toEqual([0, 1, 0, 0]);
  });

  it('of windows that overlap', async () => {
    expect(await run([5, 5, 5, 5, 5, 5, 5, 5, 5], 3, { kernel: 2, stride: 1 })).toEqual([1, 1, 0, 1, 1, 0, 0, 0, 0]);
    const peak = await run([0, 0, 0, 0, 7, 0, 0, 0, 0], 3, { kernel: 3, stride: 1, padding: 1 });
    expect(peak).toEqual([0, 0, 0, 0, 9, 0, 0, 0, 0]);
  });

  it('and to nobody where no window is', async () => {
    expect(await run([1, 2, 9, 3, 4, 9, 9, 9, 9], 3, { kernel: 2 })).toEqual([0, 0, 0, 0, 1, 0, 0, 0, 0]);
  });
});

it('maxPool2dIndices counts places in a plane, of the first of equals, of the last NaN, and of none', async () => {
  const spec = { dtype: 'f32', shape: [1, 2, 3, 4] } as const;
  using program = await compile(device, { x: spec }, ({ x }) => ({
    ...maxPool2dIndices({ x: x! }, { kernel: [3, 2] }),
    // Both taps of each column are beside the input.
    none: maxPool2dIndices({ x: x! }, { kernel: 2, dilation: [4, 1], padding: [1, 0] }).indices,
  }));
  const x = Float32Array.of(1, 7, 2, 2, 0, 7, 2, 2, 7, 0, 2, 2, NaN, 1, -Infinity, -Infinity, 0, NaN);
  const filled = Float32Array.from({ length: 24 }, (_, at) => x[at] ?? -Infinity);
  const { y, indices, none } = await program.call({ x: filled });
  expect([...y]).toEqual([7, 2, NaN, -Infinity]);
  expect([...indices]).toEqual([1, 2, 5, 2]);
  expect([...none]).toEqual([2 ** 32 - 1, 2 ** 32 - 1, 2 ** 32 - 1, 2 ** 32 - 1]);
});

describe('a poisoned sample', () => {
  const shape = [5, 3, 9, 7];
  const perSample = 3 * 9 * 7;
  const activation = 'relu';

  it.each<[string, (x: Operand, weight: Operand) => Value, reached: number]>([
    ['conv2d', (x, weight) => conv2d({ x, weight }, { padding: 2, activation }), 6 * 9],
    ['maxPool2d', (x) => maxPool2d({ x }, { kernel: 3, stride: 2, activation }), 4],
    ['averagePool2d', (x) => averagePool2d({ x }, { kernel: 2, ceil: true, activation }), 1],
    ['lpPool2d', (x) => lpPool2d({ x }, { kernel: 3, stride: 1, p: 3 }), 9],
    ['conv2d of groups', (x, w) => conv2d({ x, weight: shaped(w, 18, 1, 3, 3) }, { padding: 2, groups: 3 }), 6 * 9],
    ['convTranspose2d', (x, w) => convTranspose2d({ x, weight: shaped(w, 3, 6, 3, 3) }, { activation }), 6 * 9],
  ])('shows where %s looks at it and nowhere else', async (_, operation, reached) => {
    const rows = new Rows(5);
    const specs = { x: { dtype: 'f32', shape, rows }, weight: { dtype: 'f32', shape: [6, 3, 3, 3] } } as const;
    using program = await compile(device, specs, ({ x, weight }) => ({ y: operation(x!, weight!) }));
    const [x, weight] = [floats(shape, 1), floats([6, 3, 3, 3], 2)];
    const { y: sound } = await program.call({ x, weight });
    const poisoned = x.slice();
    poisoned[2 * perSample + 30] = NaN;
    const { y } = await program.call({ x: poisoned, weight });
    const each = y.length / 5;
    expect(y.subarray(2 * each, 3 * each).filter(Number.isNaN)).toHaveLength(reached);
    expect(y.map((value, index) => (Number.isNaN(value) ? sound[index]! : value))).toEqual(sound);
  });
});

describe('gradients of a convolution', () => {
  const gradientsOf = async (max: number, x: Float32Array, weight: Float32Array, scale: Float32Array) => {
    const rows = new Rows(max);
    const specs = {
      x: { dtype: 'f32', shape: [max, 2, 9, 9], rows },
      weight: { dtype: 'f32', shape: [6, 2, 3, 3] },
      scale: { dtype: 'f32', shape: [max, 6, 5, 5], rows },
    } as const;
    using program = await compile(device, specs, (inputs) => {
      const { x, weight, scale } = inputs as Record<string, Value>;
      const y = conv2d({ x: x!, weight: weight! }, { stride: 2, padding: 1 });
      const [dx, dWeight] = gradients(sum({ x: mul({ a: y, b: scale! }) }), [x!, weight!]);
      return { dx: dx!, dWeight: dWeight! };
    });
    return program.call({ x, weight, scale });
  };
  const [x, weight, scale] = [floats([7, 2, 9, 9], 3), floats([6, 2, 3, 3], 4), floats([7, 6, 5, 5], 5)];

  it('do not depend on the number of samples that a program has room for', async () => {
    const snug = await gradientsOf(7, x, weight, scale);
    expect(await gradientsOf(70, x, weight, scale)).toEqual(snug);
  });

  it('by the input are those of each sample alone, to the bit', async () => {
    const { dx } = await gradientsOf(7, x, weight, scale);
    for (const sample of [0, 3, 6]) {
      const of = (values: TypedArray): Float32Array => {
        const each = values.length / 7;
        return Float32Array.from(values.slice(sample * each, (sample + 1) * each));
      };
      const alone = await gradientsOf(1, of(x), weight, of(scale));
      expect(of(dx)).toEqual(alone.dx);
    }
  });
});
