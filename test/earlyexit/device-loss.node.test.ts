import { describe, expect, it } from 'vitest';
import { open } from '#exitgpu';
import { createDataset } from '../../src/data/dataset.ts';
import { confidence } from '../../src/earlyexit/criteria.ts';
import { measureLoad } from '../../src/earlyexit/judgement/load.ts';
import { Model } from '../../src/earlyexit/model.ts';
import { POLICIES } from '../../src/earlyexit/scheduling/costs.ts';
import { DeviceLostError } from '../../src/errors.ts';
import { Random } from '../../src/random.ts';
import { CountingDevice } from '../counting-device.ts';
import { linearNetwork, randomRows } from './random-networks.ts';

// These open devices of their own: each is destroyed.
const adapter = process.env['EXITGPU_ADAPTER'];
const network = linearNetwork(4);
const rows = randomRows(new Random(12), network, 40);

describe.each(POLICIES)('a device destroyed under calls that overlap, %s', (policy) => {
  it.each([0, 2, 7])('after %i maps: what is open rejects with the typed error, what comes later too', async (maps) => {
    const device = await open(adapter ? { adapter } : {});
    const model = Model.initialize(device, network, { seed: 1 });
    const shared = { criterion: confidence(1), policy };
    const classifiers = await Promise.all([
      model.compile({ ...shared, batch: 1, concurrency: 1 }),
      model.compile({ ...shared, batch: 8, concurrency: 3 }),
    ]);
    using counting = new CountingDevice();
    const calls = Array.from({ length: 40 }, (_, index) =>
      classifiers[index % 2]!.classifyBatch(rows, index % 5 === 4 ? { deadlineMs: 1e6 } : { scores: true }));
    const settled = Promise.allSettled(calls);
    while (counting.counts.maps.length < maps) await new Promise((resolve) => void setImmediate(resolve));
    device.destroy();
    const outcomes = await settled;
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(DeviceLostError);
      else expect(outcome.value.length).toBe(40);
    }
    // Most of them had no chance to finish.
    expect(outcomes.filter(({ status }) => status === 'rejected').length).toBeGreaterThan(20);
    for (const classifier of classifiers) {
      await expect(classifier.classifyBatch(rows)).rejects.toThrow(DeviceLostError);
      await expect(classifier.classify(rows.subarray(0, model.sampleSize))).rejects.toThrow(/open\(\) a new one/);
      classifier.dispose();
    }
    model.dispose();
  });
});

it('a device destroyed under load: the measurement rejects with the typed error at once', async () => {
  const device = await open(adapter ? { adapter } : {});
  using model = Model.initialize(device, network, { seed: 1 });
  using classifier = await model.compile({ criterion: confidence(1) });
  const dataset = createDataset({
    name: 'blank',
    shape: network.input,
    images: new Uint8Array(4),
    labels: Uint8Array.of(0),
    classNames: ['a', 'b', 'c'],
  });
  using counting = new CountingDevice();
  // For hours, were it let.
  const load = measureLoad(classifier, dataset, { rate: 100, samples: 1e6 });
  const settled = expect(load).rejects.toThrow(DeviceLostError);
  while (counting.counts.maps.length < 100) await new Promise((resolve) => void setImmediate(resolve));
  device.destroy();
  await settled;
});
