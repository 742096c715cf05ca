import { describe, expect, it } from 'vitest';
import { adam, sgd } from '../../src/autograd/optimizer.ts';
import { proceduralDigits } from '../../src/data/procedural-digits.ts';
import { Model } from '../../src/earlyexit/model.ts';
import { loadModel, saveModel } from '../../src/earlyexit/model-file.ts';
import { multiExit } from '../../src/earlyexit/network.ts';
import { sdn } from '../../src/earlyexit/training/schedules.ts';
import { plateau, progressive, twoPhase } from '../../src/earlyexit/training/strategies.ts';
import { compileStep } from '../../src/earlyexit/training/step.ts';
import { train } from '../../src/earlyexit/training/train.ts';
import type { EpochProgress, TrainOptions } from '../../src/earlyexit/training/train.ts';
import { flatten, dropout, linear, maxPool2d } from '../../src/nn/layers.ts';
import { batchNorm2d } from '../../src/nn/normalization.ts';
import { openTestDevice } from '../open-test-device.ts';

const device = await openTestDevice();
const digits = proceduralDigits({ count: 60, seed: 2 });
const others = proceduralDigits({ count: 30, seed: 3 });

/** With all that a training carries along besides weights: running statistics, dropout. */
const network = multiExit({
  name: 'small',
  input: [1, 28, 28],
  classes: 10,
  stages: [
    {
      body: [batchNorm2d(1), maxPool2d({ kernel: 4 }), flatten(), linear(49, 16, { activation: 'relu' })],
      exit: [linear(16, 10)],
    },
    { body: [dropout({ rate: 0.2 }), linear(16, 16, { activation: 'relu' })], exit: [linear(16, 10)] },
  ],
});
const fresh = (seed = 3): Model => Model.initialize(device, network, { seed });

const everything: TrainOptions = {
  epochs: 4,
  batch: 8,
  accumulate: 2,
  clipNorm: 1,
  strategy: twoPhase({ share: 0.5 }),
  weights: sdn(),
  augmentation: { shift: 2, noise: 0.1 },
  validation: { dataset: others, patience: 3 },
};

describe('an interrupted training', () => {
  it('goes on from any checkpoint to the same bits and the same record', async () => {
    const states: Uint8Array[] = [];
    using whole = fresh();
    await train(whole, digits, { ...everything, checkpoint: { everySeconds: 0, save: (state) => void states.push(state) } });
    const expected = await whole.parameters.read();
    // Four epochs of four steps, the last one with the end of its epoch, and none at the end of all.
    expect(states.length).toBe(4 * 5 - 1);
    // In the middle of the first phase, at the end of an epoch, where the phases change, and in the second phase.
    for (const at of [1, 4, 9, 12]) {
      using model = fresh(9);
      await train(model, digits, { ...everything, resume: states[at]! });
      expect(await model.parameters.read()).toEqual(expected);
      expect(model.training).toEqual(whole.training);
    }
  });

  it('keeps a checkpoint when it is told to stop, however rare they are', async () => {
    using whole = fresh();
    await train(whole, digits, everything);
    using model = fresh();
    const controller = new AbortController();
    let state: Uint8Array | undefined;
    const checkpoint = { save: (bytes: Uint8Array) => void (state = bytes) };
    const onStep = ({ step }: { step: number }): void => void (step === 6 && controller.abort());
    await train(model, digits, { ...everything, checkpoint, onStep, signal: controller.signal });
    expect(model.training!.interrupted).toBe(true);
    await train(model, digits, { ...everything, resume: state! });
    expect(model.training!.interrupted).toBe(false);
    expect(await model.parameters.read()).toEqual(await whole.parameters.read());
  });

  it('is not mistaken for another one', async () => {
    using model = fresh();
    let state: Uint8Array | undefined;
    const checkpoint = { everySeconds: 0, save: (bytes: Uint8Array) => void (state ??= bytes) };
    await train(model, digits, { ...everything, checkpoint });
    const resume = (options: TrainOptions, data = digits, bytes = state!): Promise<void> =>
      train(model, data, { ...everything, ...options, resume: bytes });
    await expect(resume({ seed: 7 })).rejects.toThrow('resume: a training begun with seed 1, now asked for 7');
    await expect(resume({ optimizer: sgd() })).rejects.toThrow('a training begun with optimizer {"name":"adam"');
    await expect(resume({ accumulate: 1 })).rejects.toThrow('a training begun with accumulate 2, now asked for none');
    await expect(resume({}, others)).rejects.toThrow('a training begun with ');
    await expect(resume({}, digits, await saveModel(model))).rejects.toThrow('it is no state of a training');
    await expect(resume({}, digits, state!.subarray(0, 1000))).rejects.toThrow('resume: ');
    using wider = Model.initialize(device, multiExit({ ...network, stages: network.stages.slice(0, 1) }), { seed: 1 });
    await expect(train(wider, digits, { epochs: 4, resume: state! })).rejects.toThrow('it is of another one');
  });

  it('keeps no checkpoint of what is not finite', async () => {
    using model = fresh();
    const states: Uint8Array[] = [];
    const checkpoint = { everySeconds: 0, save: (bytes: Uint8Array) => void states.push(bytes) };
    // Adam steps by the learning rate, so that the second loss is too great for f32.
    const options = { batch: 60, optimizer: adam({ learningRate: 1e25 }), checkpoint };
    await expect(train(model, digits, options)).rejects.toThrow('at step 2');
    expect(states.length).toBe(2);
    for (const state of states) await train(model, digits, { ...options, epochs: 5, resume: state }).catch(() => {});
    for (const values of (await model.parameters.read()).values()) expect(values.every(Number.isFinite)).toBe(true);
  });
});

/** Without what depends on how samples are put into batches. */
const plain = multiExit({
  name: 'plain',
  input: [1, 28, 28],
  classes: 10,
  stages: [{ body: [maxPool2d({ kernel: 4 }), flatten()], exit: [linear(49, 10)] }],
});

async function changeBy(options: TrainOptions): Promise<{ change: Float32Array; epochs: EpochProgress[] }> {
  using model = Model.initialize(device, plain, { seed: 3 });
  const before = await model.parameters.read();
  const epochs: EpochProgress[] = [];
  const optimizer = sgd({ learningRate: 1, momentum: 0 });
  await train(model, digits, { epochs: 1, batch: 60, optimizer, onEpoch: (epoch) => void epochs.push(epoch), ...options });
  const after = await model.parameters.read();
  const change = [...before].flatMap(([name, values]) => [...values].map((value, i) => after.get(name)![i]! - value));
  return { change: Float32Array.from(change), epochs };
}

const lengthOf = (values: Float32Array): number => Math.hypot(...values);

describe('a step', () => {
  it('of several batches is that of one as large, also where the last is smaller', async () => {
    const [whole, parts] = [await changeBy({}), await changeBy({ batch: 16, accumulate: 4 })];
    parts.change.forEach((value, index) => expect(value).toBeCloseTo(whole.change[index]!, 5));
    expect(lengthOf(whole.change)).toBeGreaterThan(0.1);
    expect(parts.epochs[0]!.loss).toBeCloseTo(whole.epochs[0]!.loss, 5);
  });

  it('is as long as it may be, and in the same direction', async () => {
    const whole = (await changeBy({})).change;
    const clipped = await changeBy({ clipNorm: 0.05 });
    expect(lengthOf(clipped.change)).toBeCloseTo(0.05, 5);
    expect(clipped.epochs[0]!.gradientNorm).toBeCloseTo(lengthOf(whole), 4);
    const by = 0.05 / lengthOf(whole);
    clipped.change.forEach((value, index) => expect(value).toBeCloseTo(whole[index]! * by, 5));
    expect((await changeBy({ clipNorm: 100 })).change).toEqual(whole);
  });
});

describe('validation', () => {
  it('ends a training that gains no more, with its best weights', async () => {
    using model = fresh();
    const values = [0.2, 0.5, 0.4, 0.5, 0.9];
    const weights: Map<string, Float32Array>[] = [];
    await train(model, digits, {
      epochs: 9,
      batch: 30,
      validation: { dataset: others, patience: 2, measure: () => values[weights.length]! },
      onEpoch: async () => void weights.push(await model.parameters.read()),
    });
    expect(weights.length).toBe(4);
    expect(await model.parameters.read()).toEqual(weights[1]);
    const { epochs, interrupted, validation } = model.training!;
    expect({ epochs, interrupted, validation }).toEqual({
      epochs: { planned: 9, done: 4 },
      interrupted: false,
      validation: { values: [0.2, 0.5, 0.4, 0.5], best: { epoch: 2, value: 0.5 } },
    });
    using loaded = loadModel(device, await saveModel(model));
    expect(loaded.training).toEqual(model.training);
  });

  it('without patience only looks', async () => {
    using model = fresh();
    const epochs: EpochProgress[] = [];
    await train(model, digits, { epochs: 2, validation: { dataset: others }, onEpoch: (epoch) => void epochs.push(epoch) });
    expect(epochs.map(({ validation }) => validation!.accuracy.length)).toEqual([2, 2]);
    expect(epochs.map(({ validation }) => validation!.value)).toEqual(model.training!.validation!.values);
  });
});

describe('a phase', () => {
  it('ends at a plateau, and leaves its epochs to the next', async () => {
    using model = fresh();
    const phases: string[] = [];
    // Nothing is learnt: every epoch after the first is one too many.
    const strategy = progressive({ until: plateau({ patience: 1 }) });
    const optimizer = sgd({ learningRate: 0 });
    await train(model, digits, { epochs: 8, strategy, optimizer, onEpoch: ({ phase }) => void phases.push(phase) });
    expect(phases).toEqual([...new Array(2).fill('exit 1'), ...new Array(6).fill('exit 2')]);
  });
});

it('a loss that is not finite in any part of a step spoils the step, and no more', async () => {
  using model = fresh();
  const optimizer = adam();
  using step = await compileStep(model, { batch: 2, weights: [1, 1], optimizer, accumulates: true });
  const y = Uint32Array.of(1, 2);
  const seed = Uint32Array.of(1);
  const take = async (number: number, values: readonly number[]): Promise<void> => {
    for (const [index, value] of values.entries()) {
      const part = { first: index === 0, share: 1 / values.length, last: index === values.length - 1 };
      const x = new Float32Array(2 * 784).map((_, pixel) => value * (pixel % 7));
      await step.run({ x, y, hyper: optimizer.hyper(number), seed, part })();
    }
  };
  const weights = (): Promise<unknown> => model.parameters.whole.read();
  const before = await weights();
  await take(1, [NaN, 1]);
  await take(1, [1, NaN]);
  expect(await weights()).toEqual(before);
  await take(1, [0.5, 1]);
  expect(await weights()).not.toEqual(before);
});
