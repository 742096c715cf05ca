import { describe, expect, it } from 'vitest';
import { open } from '#exitgpu';
import { proceduralDigits } from '../src/data/procedural-digits.ts';
import { entropy } from '../src/earlyexit/criteria.ts';
import { Model } from '../src/earlyexit/model.ts';
import { bLeNet } from '../src/earlyexit/models/b-lenet.ts';
import { train } from '../src/earlyexit/training/train.ts';
import { DeviceLostError } from '../src/errors.ts';

// These open devices of their own: each is destroyed.
const adapter = process.env['EXITGPU_ADAPTER'];
const openHere = () => open(adapter ? { adapter } : {});
const digits = proceduralDigits({ count: 256, seed: 1 });

describe('a device that goes away', () => {
  it('in mid-training: the training rejects with the typed error', async () => {
    const device = await openHere();
    const model = Model.initialize(device, bLeNet(), { seed: 1 });
    const training = train(model, digits, { epochs: 50, batch: 32, onStep: ({ step }) => void (step === 3 && device.destroy()) });
    await expect(training).rejects.toThrow(DeviceLostError);
    await expect(training).rejects.toThrow(/the GPU device was destroyed; .* open\(\) a new one/);
  });

  it('in mid-inference: what is under way and what comes later reject', async () => {
    const device = await openHere();
    const model = Model.initialize(device, bLeNet(), { seed: 1 });
    const classifier = await model.compile({ criterion: entropy(0), batch: 64 });
    const under = [classifier.classifyBatch(digits.images), classifier.classifyBatch(digits.images)];
    device.destroy();
    for (const call of under) await expect(call).rejects.toThrow(DeviceLostError);
    await expect(classifier.classifyBatch(digits.images)).rejects.toThrow(DeviceLostError);
    await expect(model.compile({ criterion: entropy(0) })).rejects.toThrow(DeviceLostError);
    await expect(model.parameters.read()).rejects.toThrow(DeviceLostError);
    expect((await device.lost).reason).toBe('destroyed');
  });

  it('does not take another device with it, and a new one works at once', async () => {
    const [first, second] = await Promise.all([openHere(), openHere()]);
    first.destroy();
    for (const device of [second, await openHere()]) {
      const model = Model.initialize(device, bLeNet(), { seed: 1 });
      using classifier = await model.compile({ criterion: entropy(1) });
      expect((await classifier.classify(digits.images.subarray(0, 784))).exit).toBeGreaterThan(0);
      await device[Symbol.asyncDispose]();
      expect(() => device.check()).toThrow(DeviceLostError);
      device.destroy();
    }
  });
});
