import { expect } from 'vitest';
import type { Device } from '../../src/device/device.ts';
import { compile } from '../../src/graph/program.ts';
import { accumulate } from '../../src/kernels/accumulate.ts';
import { adam } from '../../src/kernels/adam.ts';
import type { Value } from '../../src/kernels/define.ts';
import { sgd } from '../../src/kernels/sgd.ts';
import type { OptimizerInputs } from '../../src/kernels/optimizer-step.ts';
import { Tensor } from '../../src/tensor/tensor.ts';
import { expectClose, random } from '../op-table.ts';
import type { OpStory } from '../op-table.ts';

const SIZE = 260;
const MAX_NORM = 5;
/** What steps are given, and what gradients are then multiplied by: where that is 0 nothing may change. */
const STEPS = [
  { loss: 2, squares: 9, share: 1, by: 1 },
  { loss: 2, squares: 9, share: 0.5, by: 0.5 },
  { loss: 2, squares: 100, share: 1, by: 0.5 },
  { loss: 2, squares: 100, share: 0, by: 0 },
  { loss: -2, squares: 0, share: 2, by: 2 },
  ...[NaN, Infinity, -Infinity].flatMap((bad) => [
    { loss: bad, squares: 9, share: 1, by: 0 },
    { loss: 2, squares: bad, share: 1, by: 0 },
  ]),
  { loss: 2, squares: 100, share: 0.5, by: 0.25 },
];

type Inputs = Record<'grads' | keyof OptimizerInputs, Value>;

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
  const scalars = { loss: f32(1), squares: f32(1), share: f32(1) };
  const specs = { grads: f32(SIZE), hyper: f32(hyperAt(1).length), ...scalars };
  using program = await compile(device, specs, (inputs) => {
    step(tensors, inputs);
    return {};
  });
  const state: Float64Array[] = [];
  for (const tensor of tensors) state.push(Float64Array.from(await tensor.read()));
  for (const [index, { by, ...given }] of STEPS.entries()) {
    const grads = random([SIZE], index);
    const hyper = Float32Array.from(hyperAt(index + 1));
    const [loss, squares, share] = [given.loss, given.squares, given.share].map((value) => Float32Array.of(value));
    program.run({ grads: Float32Array.from(grads.data), hyper, loss: loss!, squares: squares!, share: share! });
    if (by !== 0) reference(state, grads.data.map((value) => by * value), [...hyper]);
  }
  for (const [index, tensor] of tensors.entries()) {
    expectClose(await tensor.read(), state[index]!, 20 * STEPS.length, tensor.label);
    tensor.dispose();
  }
  expect(device.uncapturedErrors).toBe(0);
}

export const sgdStory: OpStory = {
  async story(device) {
    for (const nesterov of [0, 1]) {
      await follow(device, {
        labels: ['parameters', 'velocity'],
        step: ([parameters, velocity], inputs) =>
          void sgd({ parameters: parameters!, velocity: velocity!, ...inputs }, { maxNorm: MAX_NORM }),
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
        void adam({ parameters: parameters!, moment1: moment1!, moment2: moment2!, ...inputs }, { maxNorm: MAX_NORM }),
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
