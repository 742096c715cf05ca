import { afterAll, describe, expect, it } from 'vitest';
import { createDataset } from '../../src/data/dataset.ts';
import { entropy } from '../../src/earlyexit/criteria.ts';
import { compareLoad, measureLoad } from '../../src/earlyexit/judgement/load.ts';
import { measureWorstCase } from '../../src/earlyexit/judgement/worst-case.ts';
import { Model } from '../../src/earlyexit/model.ts';
import { ArgumentError } from '../../src/errors.ts';
import { Random } from '../../src/random.ts';
import { openTestDevice } from '../open-test-device.ts';
import { linearNetwork } from './random-networks.ts';

const device = await openTestDevice();
const network = linearNetwork(3);
const model = Model.initialize(device, network, { seed: 2 });
afterAll(() => model.dispose());
const random = new Random(5);
const dataset = createDataset({
  name: 'noise',
  shape: network.input,
  images: Uint8Array.from({ length: 7 * 4 }, () => random.below(256)),
  labels: Uint8Array.from({ length: 7 }, () => random.below(3)),
  classNames: ['a', 'b', 'c'],
});
const criterion = entropy(1);

describe('load', () => {
  it('accounts for every call, and times it from its arrival', async () => {
    using early = await model.compile({ criterion });
    using full = await model.compile({ exits: [3] });
    const loads = await compareLoad({ early, full }, dataset, { rate: 400, samples: 40, seed: 3 });
    for (const load of Object.values(loads)) {
      expect(load).toMatchObject({ rate: 400, offered: loads.early.offered, served: 40, rejected: 0 });
      expect(load.times).toHaveLength(40);
      expect(Math.min(...load.times)).toBeGreaterThan(0);
      expect(load.latencyMs.p99).toBe(Math.max(...load.times));
      expect(load.achieved).toBeLessThanOrEqual(load.offered);
    }
  });

  it('counts those that a full queue refuses', async () => {
    using classifier = await model.compile({ criterion, concurrency: 1, queue: 2 });
    // All but at once: one runs, two wait, the others are refused.
    const load = await measureLoad(classifier, dataset, { rate: 1e7, samples: 30, arrivals: 'even' });
    expect(load).toMatchObject({ served: 3, rejected: 27 });
    expect(load.times).toHaveLength(3);
  });

  it('ends with the reason of a signal, in mid-gap too, and leaves the classifier as it was', async () => {
    using classifier = await model.compile({ criterion });
    const reason = new Error('changed my mind');
    const call = measureLoad(classifier, dataset, {
      rate: 1e-3,
      samples: 5,
      arrivals: 'even',
      signal: AbortSignal.timeout(50),
    });
    await expect(call).rejects.toMatchObject({ name: 'TimeoutError' });
    const aborted = { rate: 10, samples: 5, signal: AbortSignal.abort(reason) };
    await expect(measureLoad(classifier, dataset, aborted)).rejects.toBe(reason);
    expect(await measureLoad(classifier, dataset, { rate: 1000, samples: 3 })).toMatchObject({ served: 3 });
  });

  it('passes on what a call fails with', async () => {
    using classifier = await model.compile({ criterion });
    const wrong = measureLoad(classifier, dataset, { rate: 1000, samples: 5, deadlineMs: -1 });
    await expect(wrong).rejects.toThrow(ArgumentError);
    const empty = { ...dataset, images: new Uint8Array(), labels: new Uint8Array() };
    await expect(measureLoad(classifier, empty, { rate: 1, samples: 1 })).rejects.toThrow('expected samples, got none');
  });
});

describe('the worst case', () => {
  it('is the last exit through every head that is built, whatever the policy', async () => {
    const { heads, full, toExit } = network.macs;
    for (const policy of ['readback', 'gated'] as const) {
      const { macs, latencyMs } = await measureWorstCase(model, dataset, { policy, samples: 5 });
      expect(macs).toEqual({ worst: full + heads[0]! + heads[1]!, full });
      expect(macs.worst).toBe(toExit[2]);
      expect(latencyMs.samples).toBe(5);
      for (const { p50, slowest } of [latencyMs.worst, latencyMs.full]) expect(slowest).toBeGreaterThanOrEqual(p50);
    }
    await expect(measureWorstCase(model, dataset, { samples: 0 })).rejects.toThrow('samples of 1 or more, got 0');
  });
});
