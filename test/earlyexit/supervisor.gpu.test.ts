import { afterAll, expect, it } from 'vitest';
import { confidence, minDepth } from '../../src/earlyexit/criteria.ts';
import { chooseThresholds } from '../../src/earlyexit/judgement/tuning.ts';
import { scoreExits } from '../../src/earlyexit/judgement/scores.ts';
import { Model } from '../../src/earlyexit/model.ts';
import type { ExitHistogram } from '../../src/earlyexit/monitor/histograms.ts';
import type { Alarm } from '../../src/earlyexit/monitor/monitor.ts';
import { referenceOf } from '../../src/earlyexit/monitor/reference.ts';
import { Supervisor } from '../../src/earlyexit/monitor/supervisor.ts';
import type { SupervisorState } from '../../src/earlyexit/monitor/supervisor.ts';
import { createDataset } from '../../src/data/dataset.ts';
import { Random } from '../../src/random.ts';
import { openTestDevice } from '../open-test-device.ts';
import { linearNetwork } from './random-networks.ts';

const device = await openTestDevice();
const network = linearNetwork(3);
const model = Model.initialize(device, network, { seed: 2 });
afterAll(() => model.dispose());

/** Four pixels a sample, below `brightest`: the network says other things of bright ones than of dark ones. */
function pixels(count: number, brightest: number, seed: number): Uint8Array {
  const random = new Random(seed);
  return Uint8Array.from({ length: count * 4 }, () => random.below(brightest));
}
const dataset = (images: Uint8Array) =>
  createDataset({
    name: 'pixels', shape: network.input, images, labels: new Uint8Array(images.length / 4),
    classNames: ['a', 'b', 'c'],
  });

const calm = pixels(1024, 256, 1);
const table = await scoreExits(model, dataset(calm));
// Half of the samples leave at the first exit, and half of the others at the second.
const middle = (of: readonly { confidence: number }[]): number =>
  of.map((scores) => scores.confidence).sort((a, b) => a - b)[of.length >> 1]!;
const first = middle(table.exits[0]!);
const second = middle(table.exits[1]!.filter((_, sample) => table.exits[0]![sample]!.confidence <= first));
const criterion = confidence(first, second);
const reference = referenceOf(table, criterion);
const shifted = pixels(1024, 60, 2);

it('falls back on an alarm, recalibrates with labels that come late, and watches anew', async () => {
  using classifier = await model.compile({ criterion, batch: 64, policy: 'gated', monitor: reference });
  const heard: Alarm[] = [];
  const readings: (readonly ExitHistogram[])[] = [];
  const options = {
    every: 2,
    fallBackTo: 3,
    enough: 300,
    recalibrate: chosen,
    onAlarm: (alarm: Alarm) => void heard.push(alarm),
    onReading: (histograms: readonly ExitHistogram[]) => void readings.push(histograms),
  };
  async function chosen(labelled: typeof table) {
    expect(labelled.dataset.labels).toHaveLength(300);
    const { values } = chooseThresholds(labelled, { criterion: 'confidence', maxAccuracyLoss: 1 });
    return confidence(...values);
  }
  const supervisor = new Supervisor(classifier, reference, options);

  for (let quarter = 0; quarter < 4; quarter++) {
    await supervisor.classifyBatch(calm.subarray(quarter * 1024, (quarter + 1) * 1024));
  }
  expect(heard).toEqual([]);
  expect(readings).toHaveLength(2);
  expect(supervisor.monitor.samples).toBe(1024);

  await supervisor.classifyBatch(shifted);
  expect(await supervisor.check()).toEqual(heard);
  expect(heard.length).toBeGreaterThan(0);
  expect(supervisor.fallenBack).toBe(true);
  expect(classifier.criterion).toEqual(minDepth(3, criterion));
  const deep = await classifier.classifyBatch(shifted.subarray(0, 400));
  expect(deep.every(({ exit }) => exit === 3)).toBe(true);

  // A restart in the midst of it.
  const saved = JSON.parse(JSON.stringify(supervisor)) as SupervisorState;
  classifier.setCriterion(criterion);
  const restarted = new Supervisor(classifier, reference, options, saved);
  expect(restarted.fallenBack).toBe(true);
  expect(classifier.criterion).toEqual(minDepth(3, criterion));
  expect(restarted.monitor.samples).toBe(supervisor.monitor.samples);

  for (let sample = 0; sample < 310; sample++) {
    restarted.remember(`${sample}`, shifted.subarray(sample * 4, sample * 4 + 4));
  }
  expect(await restarted.label('never seen', 1)).toBe(false);
  for (let sample = 0; sample < 300; sample++) {
    expect(restarted.fallenBack).toBe(true);
    expect(await restarted.label(`${sample}`, 0)).toBe(true);
  }
  expect(restarted.fallenBack).toBe(false);
  expect(restarted.monitor.reference.samples).toBe(300);
  expect(restarted.monitor.reference.edges).toEqual(reference.edges);
  expect(classifier.criterion.kind).toBe('confidence');

  // What was strange is now usual.
  await restarted.classifyBatch(shifted);
  expect(await restarted.check()).toEqual([]);
  expect(restarted.monitor.samples).toBe(1024);
});

it('says what is wrong', async () => {
  using classifier = await model.compile({ criterion, monitor: reference });
  const make = (options: object) => () => new Supervisor(classifier, reference, options);
  expect(make({ fallBackTo: 1 })).toThrow('Supervisor: expected fallBackTo, an exit from 2 to 3, got 1');
  expect(make({ enough: 0 })).toThrow('Supervisor: expected enough, 1 or more, got 0');
  const supervisor = new Supervisor(classifier, reference, { waiting: 2 });
  expect(() => supervisor.remember('a', new Uint8Array(3))).toThrow('expected a Uint8Array of 4 pixels, got 3 values');
  for (const id of ['a', 'b', 'c']) supervisor.remember(id, new Uint8Array(4));
  expect(await Promise.all(['a', 'b', 'c'].map((id) => supervisor.label(id, 2)))).toEqual([false, true, true]);
  await expect(supervisor.label('b', 3)).rejects.toThrow('feedback: expected a label from 0 to 2, got 3');
});
