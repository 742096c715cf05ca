import { expect } from 'vitest';
import type { Device } from '../../src/device/device.ts';
import { compile } from '../../src/graph/program.ts';
import type { Program } from '../../src/graph/program.ts';
import { adam } from '../../src/kernels/adam.ts';
import { sgd } from '../../src/kernels/sgd.ts';
import { Tensor } from '../../src/tensor/tensor.ts';
import { expectClose, random } from '../op-table.ts';
import type { OpStory } from '../op-table.ts';

const SIZE = 260;
const STEPS = 5;

/** Steps the GPU and a double-precision copy side by side. */
async function follow(device: Device, program: Program, tensors: Tensor[], hyperAt: (step: number) => number[], reference: (state: Float64Array[], grad: Float64Array, hyper: number[]) => void): Promise<void> {
  const state: Float64Array[] = [];
  for (const tensor of tensors) state.push(Float64Array.from(await tensor.read()));
  for (let step = 1; step <= STEPS; step++) {
    const grads = random([SIZE], step);
    const hyper = Float32Array.from(hyperAt(step));
    program.run({ grads: Float32Array.from(grads.data), hyper });
    reference(state, grads.data, [...hyper]);
  }
  for (const [index, tensor] of tensors.entries()) expectClose(await tensor.read(), state[index]!, 20 * STEPS, tensor.label);
  expect(device.uncapturedErrors).toBe(0);
}

const tensorsOf = (device: Device, labels: string[]): Tensor[] =>
  labels.map((label, index) =>
    index === 0 ? Tensor.from(device, Float32Array.from(random([SIZE], 77).data), [SIZE], label) : Tensor.zeros(device, { dtype: 'f32', shape: [SIZE] }, label));

export const sgdStory: OpStory = {
  async story(device) {
    for (const nesterov of [0, 1]) {
      const tensors = tensorsOf(device, ['parameters', 'velocity']);
      const [parameters, velocity] = tensors as [Tensor, Tensor];
      using program = await compile(device, { grads: { dtype: 'f32', shape: [SIZE] }, hyper: { dtype: 'f32', shape: [4] } }, ({ grads, hyper }) => {
        sgd({ parameters, grads, velocity, hyper });
        return {};
      });
      await follow(device, program as Program, tensors, () => [0.1, 0.9, 0.01, nesterov], ([p, v], grad, [rate, momentum, decay, ahead]) => {
        grad.forEach((value, i) => {
          const g = value + decay! * p![i]!;
          v![i] = momentum! * v![i]! + g;
          p![i]! -= rate! * (ahead ? g + momentum! * v![i]! : v![i]!);
        });
      });
      for (const tensor of tensors) tensor.dispose();
    }
  },
};

export const adamStory: OpStory = {
  async story(device) {
    const tensors = tensorsOf(device, ['parameters', 'moment1', 'moment2']);
    const [parameters, moment1, moment2] = tensors as [Tensor, Tensor, Tensor];
    using program = await compile(device, { grads: { dtype: 'f32', shape: [SIZE] }, hyper: { dtype: 'f32', shape: [7] } }, ({ grads, hyper }) => {
      adam({ parameters, grads, moment1, moment2, hyper });
      return {};
    });
    const hyperAt = (step: number): number[] => [0.01, 0.9, 0.999, 1e-8, 1 / (1 - 0.9 ** step), 1 / (1 - 0.999 ** step), 0.01];
    await follow(device, program as Program, tensors, hyperAt, ([p, m, v], grad, [rate, b1, b2, epsilon, c1, c2, decay]) => {
      grad.forEach((g, i) => {
        m![i] = b1! * m![i]! + (1 - b1!) * g;
        v![i] = b2! * v![i]! + (1 - b2!) * g * g;
        p![i]! -= rate! * ((m![i]! * c1!) / (Math.sqrt(v![i]! * c2!) + epsilon!) + decay! * p![i]!);
      });
    });
    for (const tensor of tensors) tensor.dispose();
  },
};
