import { afterAll, describe, expect, it } from 'vitest';
import { confidence, entropy } from '../../src/earlyexit/criteria.ts';
import type { ClassifierOptions, Prediction } from '../../src/earlyexit/classifier.ts';
import { Model } from '../../src/earlyexit/model.ts';
import { halvingBins, histogramsOf } from '../../src/earlyexit/monitor/histograms.ts';
import type { ExitHistogram, ScoreBins } from '../../src/earlyexit/monitor/histograms.ts';
import { POLICIES } from '../../src/earlyexit/scheduling/costs.ts';
import { DisposedError } from '../../src/errors.ts';
import { compile } from '../../src/graph/program.ts';
import { exitHistogram } from '../../src/kernels/exit-histogram.ts';
import { Random } from '../../src/random.ts';
import { Tensor } from '../../src/tensor/tensor.ts';
import { openTestDevice } from '../open-test-device.ts';
import { linearNetwork, randomRows } from './random-networks.ts';

const device = await openTestDevice();

const CLASSES = 3;
const network = linearNetwork(4, { classes: CLASSES });
const model = Model.initialize(device, network, { seed: 2 });
afterAll(() => model.dispose());

const criterion = confidence(0.8, 0.7, 0.6);
const COUNT = 70;
const rows = randomRows(new Random(6), network, COUNT);
const sample = (index: number): Float32Array => rows.subarray(index * 4, index * 4 + 4);
const scored = { scores: true } as const;

/** Edges in the midst of the scores, not as many at each exit. */
const bins: ScoreBins = { measure: 'entropy', edges: [[0.3, 0.5, 0.6], [0.7], [0.5, 0.8], [0.8, 0.9, 1, 1.05]] };

const counted = (answers: readonly Prediction[], by = bins) => histogramsOf(answers, CLASSES, by);
const compiled = (options: ClassifierOptions) => model.compile({ criterion, monitor: bins, ...options });

describe('histograms counted on the GPU are those of the answers', () => {
  it.each(POLICIES)('%s, one at a time and in batches that are not full', async (policy) => {
    for (const batch of [1, 64]) {
      using classifier = await compiled({ policy, batch });
      // What was left of a longer run is no part of a shorter one.
      const answers = await classifier.classifyBatch(rows, scored);
      answers.push(await classifier.classify(sample(3), scored));
      const read = await classifier.readHistograms();
      expect(read, `batch ${batch}`).toEqual(counted(answers));
      expect(read.every(({ count }) => count > 3)).toBe(true);
    }
  });

  it.each(POLICIES)('%s, calls that overlap, read in the midst of them', async (policy) => {
    for (const batch of [1, 16]) {
      using classifier = await compiled({ policy, batch, concurrency: 3 });
      const calls = Array.from({ length: 24 }, (_, index) =>
        classifier.classifyBatch(rows.subarray(0, 4 * (1 + ((index * 7) % (batch === 1 ? 12 : 40)))), scored));
      const readings: ExitHistogram[][] = [];
      for (const call of [calls[4]!, calls[11]!, calls[17]!]) {
        await call;
        readings.push(await classifier.readHistograms());
      }
      const answers = (await Promise.all(calls)).flat();
      readings.push(await classifier.readHistograms());
      const total = counted(answers);
      total.forEach((histogram, at) => {
        const of = (what: 'labels' | 'scores', place: number): number =>
          readings.reduce((sum, reading) => sum + reading[at]![what][place]!, 0);
        expect(readings.reduce((sum, reading) => sum + reading[at]!.count, 0)).toBe(histogram.count);
        for (const what of ['labels', 'scores'] as const) {
          expect(Array.from(histogram[what], (_, place) => of(what, place))).toEqual([...histogram[what]]);
        }
      });
    }
  });

  it('by confidence, by margin, and with the bins that come of themselves', async () => {
    for (const measure of ['confidence', 'margin'] as const) {
      const by = { measure, edges: network.stages.map(() => [0.4, 0.6, 0.65]) };
      using classifier = await compiled({ batch: 16, monitor: by });
      expect(counted(await classifier.classifyBatch(rows, scored), by)).toEqual(await classifier.readHistograms());
    }
    using classifier = await compiled({ monitor: true });
    const halving = halvingBins('confidence', { exits: 4, classes: CLASSES });
    expect(counted(await classifier.classifyBatch(rows, scored), halving)).toEqual(await classifier.readHistograms());
  });

  it('with exits left out, and rows that are not finite', async () => {
    const poisoned = rows.slice();
    for (const row of [2, 40]) poisoned[row * 4] = NaN;
    using classifier = await compiled({ exits: [2, 4], batch: 16 });
    const read = await classifier.readHistograms();
    expect(read.map(({ count }) => count)).toEqual([0, 0, 0, 0]);
    const answers = await classifier.classifyBatch(poisoned, scored);
    const after = await classifier.readHistograms();
    expect(after).toEqual(counted(answers));
    expect(after.map(({ notFinite }) => notFinite)).toEqual([0, 0, 0, 2]);
  });
});

it('costs one dispatch a call, no submit and no read', async () => {
  using plain = await model.compile({ criterion });
  using counting = await compiled({});
  const [without, withIt] = [plain, counting].map(async (classifier) => {
    const { dispatches, submits, reads, bytesRead } = (await classifier.classify(sample(0), { trace: true })).trace!;
    return { dispatches, submits, reads, bytesRead };
  });
  expect(await withIt).toEqual({ ...(await without), dispatches: (await without)!.dispatches + 1 });
});

it('frees its memory with the classifier, and says what is wrong', async () => {
  const held = (): number => device.memory().bytes - device.memory().stagingBytes;
  const before = held();
  const classifier = await compiled({ concurrency: 2 });
  await Promise.all([classifier.classify(sample(0)), classifier.classify(sample(1))]);
  classifier.dispose();
  expect(held()).toBe(before);
  await expect(classifier.readHistograms()).rejects.toThrow(DisposedError);
  using plain = await model.compile({ criterion: entropy(0) });
  await expect(plain.readHistograms()).rejects.toThrow('linear-4: counts nothing; compile it with { monitor: true }');
  const three = { measure: 'entropy', edges: [[1], [1], [1]] } as const;
  await expect(compiled({ monitor: three })).rejects.toThrow('compile: expected edges for 4 exits, got them for 3');
  const falling = { measure: 'entropy', edges: [[1], [1], [1, 0.5], [1]] } as const;
  await expect(compiled({ monitor: falling })).rejects.toThrow('one or more finite edges, ascending, got [1, 0.5]');
});

it('the operation refuses what does not fit', async () => {
  using records = Tensor.zeros(device, { dtype: 'u32', shape: [16] });
  using edges = Tensor.zeros(device, { dtype: 'f32', shape: [2, 3] });
  using histograms = Tensor.zeros(device, { dtype: 'u32', shape: [2, 8] });
  const traced = compile(device, {}, () => {
    exitHistogram({ records, edges, histograms }, { classes: 4, measure: 'entropy' });
    return {};
  });
  await expect(traced).rejects.toThrow('exit-histogram: expected edges f32[exits, bins - 1] and histograms u32[');
});
