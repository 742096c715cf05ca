import { expect } from 'vitest';
import type { Device } from '../../src/device/device.ts';
import { compile } from '../../src/graph/program.ts';
import { accumulate } from '../../src/kernels/accumulate.ts';
import { adam } from '../../src/kernels/adam.ts';
import type { Value } from '../../src/kernels/define.ts';
import { sgd } from '../../src/kernels/sgd.ts';
import { updateScale } from '../../src/kernels/update-scale.ts';
import { Tensor } from '../../src/tensor/tensor.ts';
import { expectClose, random } from '../op-table.ts';
import type { OpStory } from '../op-table.ts';

const SIZE = 260;
/** What gradients are multiplied by, step by step: in one of them nothing may change. */
const SCALES = [1, 0.5, 0, 1, 2];

type Inputs = Record<'grads' | 'hyper' | 'scale', Value>;

/** An optimiser on the GPU and a double-precision copy of it, side by side. */
async function follow(
  device: Device,
  { labels, step, hyperAt, reference }: {
    /** Of parameters and state. */
    labels: readonly string[];
    step(tensors: readonly Tensor[], inputs: Inputs): void;
    hyperAt(step: number): number[];
    reference(state: Float64Array[], grad: Float64Array, hyper: number[]): void;
  },
): Promise<void> {
  const tensors = labels.map((label) => Tensor.zeros(device, { dtype: 'f32', shape: [SIZE] }, label));
  tensors[0]!.write(Float32Array.from(random([SIZE], 77).data));
  const f32 = (length: number) => ({ dtype: 'f32', shape: [length] }) as const;
  const specs = { grads: f32(SIZE), hyper: f32(hyperAt(1).length), scale: f32(1) };
  using program = await compile(device, specs, (inputs) => {
    step(tensors, inputs);
    return {};
  });
  const state: Float64Array[] = [];
  for (const tensor of tensors) state.push(Float64Array.from(await tensor.read()));
  for (const [index, by] of SCALES.entries()) {
    const grads = random([SIZE], index);
    const hyper = Float32Array.from(hyperAt(index + 1));
    program.run({ grads: Float32Array.from(grads.data), hyper, scale: Float32Array.of(by) });
    if (by !== 0) reference(state, grads.data.map((value) => by * value), [...hyper]);
  }
  for (const [index, tensor] of tensors.entries()) {
    expectClose(await tensor.read(), state[index]!, 20 * SCALES.length, tensor.label);
    tensor.dispose();
  }
  expect(device.uncapturedErrors).toBe(0);
}

export const sgdStory: OpStory = {
  async story(device) {
    for (const nesterov of [0, 1]) {
      await follow(device, {
        labels: ['parameters', 'velocity'],
        step: ([parameters, velocity], inputs) => void sgd({ parameters: parameters!, velocity: velocity!, ...inputs }),
        hyperAt: () => [0.1, 0.9, 0.01, nesterov],
        reference([p, v], grad, [rate, momentum, decay, ahead]) {
          grad.forEach((value, i) => {
            const g = value + decay! * p![i]!;
            v![i] = momentum! * v![i]! + g;
            p![i]! -= rate! * (ahead ? g + momentum! * v![i]! : v![i]!);
          });
        },
      });
    }
  },
};

export const adamStory: OpStory = {
  story: (device) =>
    follow(device, {
      labels: ['parameters', 'moment1', 'moment2'],
      step: ([parameters, moment1, moment2], inputs) =>
        void adam({ parameters: parameters!, moment1: moment1!, moment2: moment2!, ...inputs }),
      hyperAt: (step) => [0.01, 0.9, 0.999, 1e-8, 1 / (1 - 0.9 ** step), 1 / (1 - 0.999 ** step), 0.01],
      reference([p, m, v], grad, [rate, b1, b2, epsilon, c1, c2, decay]) {
        grad.forEach((g, i) => {
          m![i] = b1! * m![i]! + (1 - b1!) * g;
          v![i] = b2! * v![i]! + (1 - b2!) * g * g;
          p![i]! -= rate! * ((m![i]! * c1!) / (Math.sqrt(v![i]! * c2!) + epsilon!) + decay! * p![i]!);
        });
      },
    }),
};

export const accumulateStory: OpStory = {
  async story(device) {
    using sum = Tensor.from(device, new Float32Array(SIZE).fill(NaN), [SIZE], 'sum');
    const specs = { grads: { dtype: 'f32', shape: [SIZE] }, weights: { dtype: 'f32', shape: [2] } } as const;
    using program = await compile(device, specs, (inputs) => {
      accumulate({ sum, ...inputs });
      return {};
    });
    const parts = [0.5, 0.25, 0.25].map((share, index) => ({ share, grads: random([SIZE], index).data }));
    parts.forEach(({ share, grads }, index) => {
      program.run({ grads: Float32Array.from(grads), weights: Float32Array.of(index === 0 ? 1 : 0, share) });
    });
    const expected = Float64Array.from({ length: SIZE }, (_, i) =>
      parts.reduce((total, { share, grads }) => total + share * grads[i]!, 0));
    expectClose(await sum.read(), expected, 4, 'sum');
  },
};

export const updateScaleStory: OpStory = {
  async story(device) {
    const scalar = { dtype: 'f32', shape: [1] } as const;
    const specs = { loss: scalar, squares: scalar, share: scalar };
    using program = await compile(device, specs, (inputs) => ({
      free: updateScale(inputs),
      clipped: updateScale(inputs, { maxNorm: 5 }),
    }));
    const at = async (loss: number, squares: number, share = 1): Promise<number[]> => {
      const [l, q, s] = [loss, squares, share].map((value) => Float32Array.of(value));
      const { free, clipped } = await program.submit({ loss: l!, squares: q!, share: s! })();
      return [free![0]!, clipped![0]!];
    };
    expect(await at(2, 9)).toEqual([1, 1]);
    expect(await at(2, 100)).toEqual([1, 0.5]);
    expect(await at(2, 100, 0.5)).toEqual([0.5, 0.25]);
    expect(await at(2, 0)).toEqual([1, 1]);
    expect(await at(2, 100, 0)).toEqual([0, 0]);
    for (const bad of [NaN, Infinity, -Infinity]) {
      expect(await at(bad, 9)).toEqual([0, 0]);
      expect(await at(2, bad)).toEqual([0, 0]);
    }
  },
};
