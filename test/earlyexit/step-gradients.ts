import { expect } from 'vitest';
import { sgd } from '../../src/autograd/optimizer.ts';
import type { Model } from '../../src/earlyexit/model.ts';
import { multiExit } from '../../src/earlyexit/network.ts';
import { compileStep } from '../../src/earlyexit/training/step.ts';
import type { StepInputs, StepOptions } from '../../src/earlyexit/training/step.ts';
import { flatten, linear } from '../../src/nn/layers.ts';
import type { Logits } from './losses-oracle.ts';

/** Numbers of parameters, by name. */
export type Values = ReadonlyMap<string, ArrayLike<number>>;

/** Three exits on a trunk that they share, small enough for finite differences. */
export const toy = multiExit({
  name: 'toy',
  input: [1, 1, 4],
  classes: 4,
  stages: [
    { body: [flatten(), linear(4, 5, { activation: 'tanh' })], exit: [linear(5, 4)] },
    { body: [linear(5, 6, { activation: 'tanh' })], exit: [linear(6, 4)] },
    { body: [linear(6, 5, { activation: 'tanh' })], exit: [linear(5, 4)] },
  ],
});

export const rowsOf = (data: ArrayLike<number>, width: number): number[][] =>
  Array.from({ length: data.length / width }, (_, row) => Array.from(data).slice(row * width, (row + 1) * width));

/** The logits of all exits of the toy, in double precision. */
export function forward(parameters: Values, x: Float32Array): Logits[] {
  const layer = (name: string, inputs: Logits, activate: (value: number) => number): Logits => {
    const weight = rowsOf(parameters.get(`${name}.linear1.weight`)!, inputs[0]!.length);
    const bias = parameters.get(`${name}.linear1.bias`)!;
    return inputs.map((input) =>
      weight.map((row, out) => activate(row.reduce((sum, value, index) => sum + value * input[index]!, bias[out]!))));
  };
  let value: Logits = rowsOf(x, 4);
  return [1, 2, 3].map((stage) => {
    value = layer(`stage${stage}`, value, Math.tanh);
    return layer(`exit${stage}`, value, (z) => z);
  });
}

export type GradientOptions = Omit<StepOptions, 'batch' | 'optimizer'>;

/** The losses, and the gradient by every parameter: what a step of SGD with a learning rate of 1 takes away. */
export async function gradientsOf(
  model: Model,
  { x, y }: Pick<StepInputs, 'x' | 'y'>,
  options: GradientOptions,
) {
  const optimizer = sgd({ learningRate: 1, momentum: 0 });
  using step = await compileStep(model, { batch: y.length, optimizer, ...options });
  const before = await model.parameters.read();
  const results = await step.run({ x, y, hyper: optimizer.hyper(1), seed: Uint32Array.of(1), step: 1 })();
  const after = await model.parameters.read();
  const grads = new Map<string, Float32Array>();
  for (const [name, values] of before) grads.set(name, values.map((value, index) => value - after.get(name)![index]!));
  const named = (name: string): number | undefined => results[step.names.indexOf(name)];
  return { parameters: before as Values, grads, total: results.at(-1)!, named };
}

/** Every number of `grads` is the central difference of the loss by that parameter. */
export function expectDerivatives(
  grads: ReadonlyMap<string, Float32Array>,
  parameters: Values,
  lossOf: (parameters: Values) => number,
): void {
  for (const [name, grad] of grads) {
    const greatest = Math.max(...grad.map(Math.abs));
    grad.forEach((value, index) => {
      const moved = (by: number): number => {
        const values = Float64Array.from(parameters.get(name)!);
        values[index]! += by;
        return lossOf(new Map(parameters).set(name, values));
      };
      const difference = (moved(1e-5) - moved(-1e-5)) / 2e-5;
      expect(Math.abs(value - difference), `${name}[${index}]`).toBeLessThan(1e-3 * Math.max(greatest, 0.01));
    });
  }
}
