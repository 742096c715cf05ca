import { expect, it } from 'vitest';
import { gradients } from '../../src/autograd/backward.ts';
import { sgd } from '../../src/autograd/optimizer.ts';
import { Model } from '../../src/earlyexit/model.ts';
import { bResNet } from '../../src/earlyexit/models/b-resnet.ts';
import { multiExit } from '../../src/earlyexit/network.ts';
import { compileStep } from '../../src/earlyexit/training/step.ts';
import { compile } from '../../src/graph/program.ts';
import { recomputed } from '../../src/graph/trace.ts';
import type { Value } from '../../src/kernels/define.ts';
import { mean } from '../../src/kernels/reduce.ts';
import { exp, square, tanh } from '../../src/kernels/unary.ts';
import { dropout, flatten, linear, relu } from '../../src/nn/layers.ts';
import { batchNorm2d } from '../../src/nn/normalization.ts';
import { Random } from '../../src/random.ts';
import { openTestDevice } from '../open-test-device.ts';

const device = await openTestDevice();

it('what is computed again has the same gradients, and is in the program twice', async () => {
  const body = (again: boolean) => ({ x }: Record<'x', Value>) => {
    const part = (): Value => tanh({ x: square({ x: exp({ x }) }) });
    const y = mean({ x: square({ x: again ? recomputed(part) : part() }) });
    return { y, dx: gradients(y, [x])[0]! };
  };
  const x = { dtype: 'f32', shape: [40] } as const;
  using kept = await compile(device, { x }, body(false), { without: ['fuse'] });
  using again = await compile(device, { x }, body(true), { without: ['fuse'] });
  const values = Float32Array.from({ length: 40 }, (_, index) => index / 20 - 1);
  expect(await again.call({ x: values })).toEqual(await kept.call({ x: values }));
  expect(again.dispatches - kept.dispatches).toBe(3);
});

/** With what a forward pass does besides computing: statistics that run, random numbers. */
const network = multiExit({
  name: 'deep',
  input: [2, 6, 6],
  classes: 3,
  stages: [
    { body: [batchNorm2d(2), flatten(), linear(72, 64), relu(), dropout({ rate: 0.3 })], exit: [linear(64, 3)] },
    { body: Array.from({ length: 9 }, () => linear(64, 64, { activation: 'tanh' })), exit: [linear(64, 3)] },
  ],
});

it('a training that computes activations again changes weights and statistics by the same bits', async () => {
  const trained = async (recompute: boolean): Promise<unknown> => {
    using model = Model.initialize(device, network, { seed: 1 });
    const optimizer = sgd();
    using step = await compileStep(model, { batch: 16, weights: [0.5, 1], optimizer, recompute });
    const random = new Random(3);
    for (let number = 1; number <= 3; number++) {
      const x = Float32Array.from({ length: 16 * 72 }, () => random.normal());
      const y = Uint32Array.from({ length: 16 }, () => random.below(3));
      await step.run({ x, y, hyper: optimizer.hyper(number), seed: Uint32Array.of(number) })();
    }
    return model.parameters.read();
  };
  expect(await trained(true)).toEqual(await trained(false));
});

it('deep networks need less memory', async () => {
  using model = Model.initialize(device, bResNet({ blocks: 6 }), { seed: 1 });
  const bytes = async (recompute: boolean): Promise<number> => {
    using step = await compileStep(model, { batch: 4, weights: [1, 1, 1], optimizer: sgd(), recompute });
    return step.program.memoryBytes;
  };
  const [kept, again] = [await bytes(false), await bytes(true)];
  expect(again).toBeLessThan(0.65 * kept);
});
