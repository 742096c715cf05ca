import { describe, expect, it } from 'vitest';
import { confidence, entropy, margin } from '../../src/earlyexit/criteria.ts';
import type { CriterionKind } from '../../src/earlyexit/criteria.ts';
import { accuracyOf } from '../../src/earlyexit/judgement/scores.ts';
import type { ScoreTable } from '../../src/earlyexit/judgement/scores.ts';
import { replay } from '../../src/earlyexit/judgement/thresholds.ts';
import { chooseThresholds } from '../../src/earlyexit/judgement/tuning.ts';
import type { Scores } from '../../src/earlyexit/records.ts';

/** The less entropy, the more of the other two; in f32, as the kernel writes them. */
const scores = (label: number, nats: number): Scores => ({
  label,
  entropy: Math.fround(nats),
  confidence: Math.fround(1 - nats / 2),
  margin: Math.fround(1 - nats),
  finite: true,
});

const broken: Scores = { label: 0, entropy: NaN, confidence: NaN, margin: NaN, finite: false };

const tableOf = (...exits: Scores[][]): ScoreTable => ({
  dataset: {
    name: 'by hand',
    shape: [1, 1, 1],
    images: new Uint8Array(exits[0]!.length),
    labels: Uint8Array.from(exits[0]!.keys()),
    classNames: ['a', 'b', 'c', 'd'],
  },
  classes: 4,
  macs: [10, 20, 40],
  exits,
});

/** Sample k is of class k. Only exit 1 errs, and only on sample 2. */
const table = tableOf(
  [scores(0, 0.1), scores(1, 0.2), scores(0, 0.5), scores(3, 0.9)],
  [scores(0, 0.1), scores(1, 0.1), scores(2, 0.3), scores(3, 0.4)],
  [scores(0, 0), scores(1, 0), scores(2, 0), scores(3, 0)],
);
const exitsUnder = (...args: Parameters<typeof replay>): number[] => [...replay(...args)];

describe('choosing thresholds', () => {
  // 0.75 and 0.5 are the confidence and the margin that belong to 0.5 nats.
  it.each([['entropy', 0.5], ['confidence', 0.75], ['margin', 0.5]] as const)(
    'takes the cheapest %s that loses nothing',
    (criterion: CriterionKind, value) => {
      const chosen = chooseThresholds(table, { criterion, maxAccuracyLoss: 0 });
      expect(chosen).toMatchObject({ criterion, values: [value, value], chosenOn: { dataset: 'by hand', samples: 4 } });
      expect(chosen.achieved).toEqual({ accuracy: 1, accuracyFull: 1, shares: [0.5, 0.5, 0] });
    },
  );

  it('goes as far as the loss allows', () => {
    const { values, achieved } = chooseThresholds(table, { maxAccuracyLoss: 0.25 });
    expect(values).toEqual([Math.fround(0.9), Math.fround(0.9)]);
    expect(achieved).toEqual({ accuracy: 0.75, accuracyFull: 1, shares: [0.75, 0.25, 0] });
  });

  it('keeps the full network where every early exit costs accuracy', () => {
    const wrong = [scores(1, 0.1), scores(0, 0.1)];
    const hopeless = tableOf(wrong, wrong, [scores(0, 0.1), scores(1, 0.1)]);
    expect(chooseThresholds(hopeless).achieved).toEqual({ accuracy: 1, accuracyFull: 1, shares: [0, 0, 1] });
  });

  it('never counts logits that are not finite as right', () => {
    const row = [broken, scores(1, 0.1)];
    const partly = tableOf(row, row, row);
    expect(accuracyOf(partly, 3)).toBe(0.5);
    expect(chooseThresholds(partly).achieved).toMatchObject({ accuracy: 0.5, accuracyFull: 0.5 });
  });

  it('stays within what a classifier takes where scores are rounded beyond it', () => {
    const [certain, unsure] = [0, 1.3863].map((nats) => [scores(0, nats), scores(1, 1.38635)]);
    const { values } = chooseThresholds(tableOf(certain!, unsure!, unsure!), { maxAccuracyLoss: 1 });
    for (const value of values) expect(value).toBeLessThanOrEqual(Math.log(4));
  });

  it('refuses what it cannot choose on', () => {
    expect(() => chooseThresholds(tableOf([scores(0, 0)]))).toThrow('a network with one exit has nothing to decide');
    expect(() => chooseThresholds(tableOf([], [], []))).toThrow('expected samples, got none in by hand');
    expect(() => chooseThresholds(table, { maxAccuracyLoss: 2 })).toThrow('expected maxAccuracyLoss in [0, 1], got 2');
  });
});

describe('replay', () => {
  it('leaves at the first exit that passes, and last where none does', () => {
    expect(exitsUnder(table, entropy(0.15, 0.35))).toEqual([0, 1, 1, 2]);
    expect(exitsUnder(table, confidence(0.94, 0.83))).toEqual([0, 1, 1, 2]);
    expect(exitsUnder(table, margin(0.85, 0.65))).toEqual([0, 1, 1, 2]);
  });

  it('takes one threshold for all exits, and refuses other counts', () => {
    expect(exitsUnder(table, entropy(0.35))).toEqual(exitsUnder(table, entropy(0.35, 0.35)));
    for (const criterion of [entropy(), entropy(0.1, 0.2, 0.3)]) {
      expect(() => replay(table, criterion)).toThrow('expected 2 thresholds');
    }
    expect(() => replay(table, entropy(1.4))).toThrow('expected thresholds from 0 to 1.3863 nats');
  });

  it('compares strictly, in f32 as the kernel does', () => {
    // As doubles the threshold 0.7 is above this entropy, and 0.1 below this confidence.
    const same = [{ ...scores(0, 0.7), confidence: Math.fround(0.1) }];
    const one = tableOf(same, same, same);
    expect(exitsUnder(one, entropy(0.7))).toEqual([2]);
    expect(exitsUnder(one, confidence(0.1))).toEqual([2]);
    expect(exitsUnder(one, entropy(0.7 + 1e-7))).toEqual([0]);
  });

  it('takes a row that is not finite to the last exit', () => {
    expect(exitsUnder(tableOf([broken], [broken], [broken]), entropy(Math.log(4)))).toEqual([2]);
    expect(exitsUnder(tableOf([broken], [scores(0, 0)], [broken]), confidence(0))).toEqual([1]);
  });

  it('refuses temperatures that the scores are not of', () => {
    const hotter = { ...entropy(0.1), temperatures: [1, 2, 1] };
    expect(() => replay(table, hotter)).toThrow('expected the temperatures of the scores, [1, 1, 1], got [1, 2, 1]');
    const recorded = { ...table, temperatures: [1, 2, 1] };
    expect(replay(recorded, hotter)).toEqual(replay(table, entropy(0.1)));
    expect(replay(recorded, entropy(0.1))).toEqual(replay(table, entropy(0.1)));
    expect(() => replay(recorded, { ...entropy(0.1), temperatures: [1, 1, 1] })).toThrow('[1, 2, 1], got [1, 1, 1]');
    expect(chooseThresholds(recorded).temperatures).toEqual([1, 2, 1]);
    expect(exitsUnder(table, { ...entropy(0.35), temperatures: [1, 1, 1] })).toEqual(exitsUnder(table, entropy(0.35)));
  });
});
