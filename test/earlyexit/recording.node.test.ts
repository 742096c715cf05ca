import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { readScoreFile, writeScores } from '../../src/cli/score-file.ts';
import {
  and, change, confidence, entropy, gate, margin, maxDepth, minDepth, normalizedEntropy, or, patience, perClass,
} from '../../src/earlyexit/criteria.ts';
import type { Criterion } from '../../src/earlyexit/criteria.ts';
import { proceduralDigits } from '../../src/data/procedural-digits.ts';
import { scoreExits } from '../../src/earlyexit/judgement/scores.ts';
import { replay } from '../../src/earlyexit/judgement/thresholds.ts';
import type { Scores } from '../../src/earlyexit/records.ts';
import { Model } from '../../src/earlyexit/model.ts';
import { multiExit } from '../../src/earlyexit/network.ts';
import { train } from '../../src/earlyexit/training/train.ts';
import { flatten, linear, maxPool2d } from '../../src/nn/layers.ts';
import { openTestDevice } from '../open-test-device.ts';

const device = await openTestDevice();
const folder = await mkdtemp(join(tmpdir(), 'exitgpu-record-'));
afterAll(() => rm(folder, { recursive: true }));

const relu = { activation: 'relu' } as const;
const network = multiExit({
  name: 'four-exits',
  input: [1, 28, 28],
  classes: 10,
  stages: [
    { body: [maxPool2d({ kernel: 4 }), flatten(), linear(49, 24, relu)], exit: [linear(24, 10)] },
    ...[1, 2, 3].map(() => ({ body: [linear(24, 24, relu)], exit: [linear(24, 10)] })),
  ],
});

it('a record on disk replays what a classifier does, on 1,000 samples, for every criterion', async () => {
  using model = Model.initialize(device, network, { seed: 1 });
  await train(model, proceduralDigits({ count: 600, seed: 1 }), { epochs: 2, batch: 32, seed: 1 });
  const digits = proceduralDigits({ count: 1000, seed: 2 });
  const file = join(folder, 'scores.parquet');
  const recorded = await scoreExits(model, digits, { batch: 250 });
  await writeScores(file, { table: recorded, network: network.name, heads: network.macs.heads });
  const { table } = await readScoreFile(file);
  expect(table.exits).toEqual(recorded.exits);

  /** The middle one, so that about half of the samples pass. */
  const middle = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!;
  const median = (of: 'entropy' | 'confidence' | 'margin'): number[] =>
    [0, 1, 2].map((exit) => middle(table.exits[exit]!.map((scores) => scores[of])));
  const [one, two] = table.exits as [Scores[], Scores[]];
  const moved = middle(two.map(({ confidence: now }, sample) => Math.abs(now - one[sample]!.confidence)));
  const [nats, sure, ahead] = [median('entropy'), median('confidence'), median('margin')];
  const byLabel = sure.map((value) => Array.from({ length: 10 }, (_, label) => value * (0.95 + label / 100)));
  const criteria: Record<string, Criterion> = {
    entropy: entropy(...nats),
    confidence: confidence(...sure),
    margin: margin(...ahead),
    normalizedEntropy: normalizedEntropy(...nats.map((value) => value / Math.log(10))),
    change: change(moved),
    patience: patience(2),
    gate: gate({ bias: -sure[0]! - ahead[0]!, confidence: 1, margin: 1 }),
    perClass: perClass('confidence', byLabel),
    and: and(entropy(...nats), patience(2)),
    or: or(confidence(...sure), change(moved)),
    minDepth: minDepth(2, entropy(...nats)),
    maxDepth: maxDepth(3, margin(...ahead)),
  };
  const x = model.normalize(digits.images);
  for (const [name, criterion] of Object.entries(criteria)) {
    using classifier = await model.compile({ criterion, batch: 250 });
    const left = (await classifier.classifyBatch(x)).map(({ exit }) => exit - 1);
    expect(new Set(left).size, `exits used by ${name}`).toBeGreaterThan(1);
    expect([...replay(table, criterion)], name).toEqual(left);
  }
});
