import { describe, expect, it } from 'vitest';
import { adam, sgd } from '../src/autograd/optimizer.ts';
import type { Optimizer } from '../src/autograd/optimizer.ts';
import { entropy } from '../src/earlyexit/criteria.ts';
import { Model } from '../src/earlyexit/model.ts';
import { multiExit } from '../src/earlyexit/network.ts';
import { compileStep } from '../src/earlyexit/training/step.ts';
import { compile } from '../src/graph/program.ts';
import { conv2d, flatten, globalAveragePool, linear, maxPool2d } from '../src/nn/layers.ts';
import { Random } from '../src/random.ts';
import { Rows } from '../src/tensor/spec.ts';
import { CountingDevice } from './counting-device.ts';
import { openTestDevice } from './open-test-device.ts';

const device = await openTestDevice();

/** LeNet-5 as it is usually given: 61,706 parameters. */
const leNet = multiExit({
  name: 'lenet',
  input: [1, 28, 28],
  classes: 10,
  stages: [
    {
      body: [
        conv2d(1, 6, { kernel: 5, padding: 2, activation: 'relu' }),
        maxPool2d({ kernel: 2 }),
        conv2d(6, 16, { kernel: 5, activation: 'relu' }),
        maxPool2d({ kernel: 2 }),
        flatten(),
        linear(400, 120, { activation: 'relu' }),
        linear(120, 84, { activation: 'relu' }),
      ],
      exit: [linear(84, 10)],
    },
  ],
});

const widths = [16, 32, 64, 64];
const fourStages = multiExit({
  name: 'four-stages',
  input: [3, 32, 32],
  classes: 10,
  stages: widths.map((width, index) => ({
    body: [
      conv2d(widths[index - 1] ?? 3, width, {
        kernel: 3,
        padding: 1,
        stride: index === 1 || index === 2 ? 2 : 1,
        activation: 'relu',
      }),
    ],
    exit: [globalAveragePool(), linear(width, 10)],
  })),
});

const noise = (size: number, seed: number): Float32Array => {
  const random = new Random(seed);
  return Float32Array.from({ length: size }, () => random.normal());
};

/** What one call asks of WebGPU once everything is warm. */
async function countsOf(call: () => Promise<unknown>): Promise<CountingDevice['counts']> {
  for (let warming = 0; warming < 3; warming++) await call();
  using counter = new CountingDevice();
  await call();
  return counter.counts;
}

describe('in steady state nothing is made, and WebGPU is asked for', () => {
  const nothingMade = { buffersMade: 0, bindGroupsMade: 0 };

  it.each([1, 64])('5 launches, a submit and a map to infer by LeNet (batch %i)', async (batch) => {
    using model = Model.initialize(device, leNet, { seed: 1 });
    const specs = { x: { dtype: 'f32', shape: [batch, 1, 28, 28], rows: new Rows(batch) } } as const;
    using program = await compile(device, specs, ({ x }) => ({
      logits: leNet.exit(1, leNet.body(1, x, model.context), model.context),
    }));
    const x = noise(batch * 784, 2);
    const counts = await countsOf(() => program.call({ x }));
    expect(counts).toMatchObject({ ...nothingMade, dispatches: 5, submits: 1, maps: [batch * 40] });
  });

  it.each<[string, () => Optimizer, number]>([['SGD', sgd, 24], ['Adam', adam, 24]])(
    'a submit and at most 24 launches for a training step of LeNet by %s',
    async (_, make, launches) => {
      using model = Model.initialize(device, leNet, { seed: 1 });
      const optimizer = make();
      using step = await compileStep(model, { batch: 64, weights: [1], optimizer });
      const [x, y] = [noise(64 * 784, 3), Uint32Array.from({ length: 64 }, (_, index) => index % 10)];
      let number = 0;
      const counts = await countsOf(() => {
        const seed = Uint32Array.of(++number);
        return step.run({ x, y, hyper: optimizer.hyper(number), seed })();
      });
      expect(counts).toMatchObject({ ...nothingMade, submits: 1 });
      expect(counts.dispatches).toBeLessThanOrEqual(launches);
    },
  );

  describe('four checkpoints', () => {
    const x = noise(3 * 32 * 32, 4);
    const counted = async (policy: 'readback' | 'gated', threshold: number): Promise<CountingDevice['counts']> => {
      using model = Model.initialize(device, fourStages, { seed: 1 });
      using classifier = await model.compile({ policy, criterion: entropy(threshold) });
      return await countsOf(() => classifier.classify(x));
    };

    it('read one by one: 8 launches, 4 submits, 4 maps', async () => {
      expect(await counted('readback', 0)).toMatchObject({ ...nothingMade, dispatches: 8, submits: 4 });
      expect((await counted('readback', 0)).maps).toEqual([4, 4, 4, 4]);
    });

    it('left at the first: 2 launches, a submit and a map', async () => {
      expect(await counted('readback', Math.log(10))).toMatchObject({ ...nothingMade, dispatches: 2, submits: 1, maps: [4] });
    });

    it('decided on the GPU: a submit and a map', async () => {
      const counts = await counted('gated', 0);
      expect(counts).toMatchObject({ ...nothingMade, submits: 1 });
      expect(counts.maps).toHaveLength(1);
      expect(counts.maps[0]).toBeLessThanOrEqual(32);
    });
  });
});

it('heads that are one launch alone and three in a batch have the same bits', async () => {
  using model = Model.initialize(device, fourStages, { seed: 5 });
  using classifier = await model.compile({ batch: 4, criterion: entropy(2.2) });
  using single = await model.compile({ criterion: entropy(2.2) });
  const size = 3 * 32 * 32;
  const x = noise(4 * size, 6);
  x[2 * size + 9] = NaN;
  const together = await classifier.classifyBatch(x, { scores: true });
  for (const [row, wanted] of together.entries()) {
    const { ...alone } = await single.classify(x.subarray(row * size, (row + 1) * size), { scores: true });
    expect(alone).toEqual(wanted);
  }
});
