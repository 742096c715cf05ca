import { describe, expect, it } from 'vitest';
import { adam, sgd } from '../../src/autograd/optimizer.ts';
import { proceduralDigits } from '../../src/data/procedural-digits.ts';
import { Model } from '../../src/earlyexit/model.ts';
import { multiExit } from '../../src/earlyexit/network.ts';
import { train } from '../../src/earlyexit/training/train.ts';
import type { TrainOptions } from '../../src/earlyexit/training/train.ts';
import { dropout, flatten, linear, maxPool2d } from '../../src/nn/layers.ts';
import { openTestDevice } from '../open-test-device.ts';

const device = await openTestDevice();
const digits = proceduralDigits({ count: 60, seed: 2 });
const network = multiExit({
  name: 'small',
  input: [1, 28, 28],
  classes: 10,
  stages: [
    { body: [maxPool2d({ kernel: 4 }), flatten(), linear(49, 16, { activation: 'relu' })], exit: [linear(16, 10)] },
    { body: [dropout({ rate: 0.2 }), linear(16, 16, { activation: 'relu' })], exit: [linear(16, 10)] },
  ],
});

async function weightsAfter(options: TrainOptions): Promise<Map<string, Float32Array>> {
  using model = Model.initialize(device, network, { seed: 3 });
  await train(model, digits, { epochs: 2, batch: 16, seed: 4, ...options });
  return model.parameters.read();
}

describe('training', () => {
  it('gives the same weights for the same seed, others for another', async () => {
    const first = await weightsAfter({});
    expect(await weightsAfter({})).toEqual(first);
    expect(await weightsAfter({ seed: 5 })).not.toEqual(first);
  });

  it('leaves alone what only an exit of weight 0 uses', async () => {
    using fresh = Model.initialize(device, network, { seed: 3 });
    const before = await fresh.parameters.read();
    const after = await weightsAfter({ weights: [1, 0] });
    for (const [name, values] of after) {
      const same = values.every((value, index) => value === before.get(name)![index]);
      expect(same, name).toBe(/^(stage2|exit2)/.test(name));
    }
  });

  it('of weights ten times as great takes ten times the step', async () => {
    using fresh = Model.initialize(device, network, { seed: 3 });
    const before = await fresh.parameters.read();
    const options = { epochs: 1, batch: 60, optimizer: sgd({ learningRate: 0.01, momentum: 0 }) };
    const [one, ten] = [await weightsAfter(options), await weightsAfter({ ...options, weights: [10, 10] })];
    const name = 'stage1.linear1.weight';
    const steps = [one, ten].map((weights) => weights.get(name)!.map((value, index) => value - before.get(name)![index]!));
    const largest = steps[0]!.reduce((most, step, index) => (Math.abs(step) > Math.abs(steps[0]![most]!) ? index : most), 0);
    expect(steps[1]![largest]! / steps[0]![largest]!).toBeCloseTo(10, 2);
  });

  it('changes images as it is told, the same for the same seed, and not where all is off', async () => {
    const plain = await weightsAfter({});
    const augmentation = { shift: 2, cutout: 4, noise: 0.1 };
    const changed = await weightsAfter({ augmentation });
    expect(changed).not.toEqual(plain);
    expect(await weightsAfter({ augmentation })).toEqual(changed);
    expect(await weightsAfter({ augmentation: { shift: 0, flip: 0 } })).toEqual(plain);
    await expect(weightsAfter({ augmentation: { shift: -1 } })).rejects.toThrow('for shift, got -1');
    await expect(weightsAfter({ augmentation: { cutout: 29 } })).rejects.toThrow('28');
  });

  it('stops where a loss is not finite, names step and exit, and leaves nothing behind', async () => {
    using model = Model.initialize(device, network, { seed: 3 });
    await train(model, digits, { epochs: 1, batch: 16 });
    const used = (): number => device.memory().bytes - device.memory().stagingBytes;
    const before = used();
    const wild = train(model, digits, { epochs: 50, batch: 16, optimizer: sgd({ learningRate: 1e30 }) });
    await expect(wild).rejects.toThrow(/^train: the loss of exit 1 became NaN at step 2 \(epoch 1\), first seen in exit1.linear1; lower/);
    expect(used()).toBe(before);
    for (const [name, values] of await model.parameters.read()) expect(values.every(Number.isFinite), name).toBe(true);
  });

  it('stops when it is told to, and says so in its record', async () => {
    using model = Model.initialize(device, network, { seed: 3 });
    const controller = new AbortController();
    let steps = 0;
    await train(model, digits, { epochs: 9, batch: 8, signal: controller.signal, onStep: () => ++steps === 10 && controller.abort() });
    expect(model.training).toMatchObject({ interrupted: true, epochs: { planned: 9, done: 1 } });
    expect(steps).toBeLessThan(16);
    // Told at the very last step, it has finished.
    const late = new AbortController();
    await train(model, digits, { epochs: 1, batch: 16, signal: late.signal, onStep: ({ step }) => step === 4 && late.abort() });
    expect(model.training).toMatchObject({ interrupted: false, epochs: { planned: 1, done: 1 } });
  });

  it('drops thresholds that were chosen for other weights', async () => {
    using model = Model.initialize(device, network, { seed: 3 });
    model.thresholds = {
      criterion: 'entropy',
      values: [0.1],
      chosenOn: { dataset: 'x', fingerprint: '0', samples: 1 },
      maxAccuracyLoss: 0,
      achieved: { accuracy: 1, accuracyFull: 1, shares: [1, 0] },
    };
    await train(model, digits, { epochs: 1 });
    expect(model.thresholds).toBeUndefined();
  });

  it('refuses options out of range, by name', async () => {
    using model = Model.initialize(device, network, { seed: 3 });
    const refused = (options: TrainOptions) => expect(train(model, digits, options)).rejects;
    await refused({ epochs: 0 }).toThrow('train: expected epochs of 1 or more, got 0');
    await refused({ batch: 1.5 }).toThrow('train: expected a batch of 1 or more, got 1.5');
    await refused({ accumulate: 0 }).toThrow('train: expected 1 batch or more to accumulate, got 0');
    const checkpoint = { everySeconds: -1, save() {} };
    await refused({ checkpoint }).toThrow('train: expected checkpoints every 0 seconds or more, got -1');
    await refused({ weights: [1] }).toThrow('train: expected 2 weights of 0 or more, one per exit and not all 0, got [1]');
    await refused({ weights: [0, 0] }).toThrow('got [0, 0]');
    const other = { ...digits, shape: [1, 14, 56] as const };
    await expect(train(model, other)).rejects.toThrow(/expected images of \[1, 28, 28\] for small, got \[1, 14, 56\]/);
    expect(() => sgd({ momentum: NaN })).toThrow('sgd: expected momentum from 0 to below 1, got NaN');
    expect(() => adam({ beta1: 1 })).toThrow('adam: expected beta1 from 0 to below 1, got 1');
  });
});
