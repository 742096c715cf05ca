import { describe, expect, it } from 'vitest';
import { answers } from '../../src/earlyexit/judgement/answers.ts';
import { criterionOf } from '../../src/earlyexit/criteria.ts';
import type { ExitTimes } from '../../src/earlyexit/judgement/exit-times.ts';
import { classThresholds } from '../../src/earlyexit/judgement/per-class.ts';
import { accuracyOf } from '../../src/earlyexit/judgement/scores.ts';
import { chooseThresholds, geometricShares, thresholdsForShares, tuneTo } from '../../src/earlyexit/judgement/tuning.ts';
import { notFinite, randomTable, said, tableOf } from './score-tables.ts';

const table = randomTable(3, 400, 1);
const rowsOf = (...nats: number[]) => nats.map((value) => said(0, value));

describe('tuning to a target', () => {
  it.each([0, 0.01, 0.05])('loses at most %f of the accuracy', (loss) => {
    const chosen = tuneTo(table, { maxAccuracyLoss: loss });
    const { accuracy, macs } = answers(table, criterionOf(chosen));
    expect(accuracy).toBeGreaterThanOrEqual(accuracyOf(table, 3) - loss);
    expect(chosen).toMatchObject({ maxAccuracyLoss: loss, achieved: { accuracy, accuracyFull: accuracyOf(table, 3) } });
    expect(chosen.achieved.shares.reduce((sum, share, exit) => sum + share * table.macs[exit]!, 0)).toBeCloseTo(macs);
  });

  it.each(['entropy', 'confidence', 'margin'] as const)('stays within a budget, by %s', (criterion) => {
    const tight = tuneTo(table, { macs: 150 }, { criterion });
    const wide = tuneTo(table, { macs: 250 }, { criterion });
    const [low, high] = [tight, wide].map((chosen) => answers(table, criterionOf(chosen)));
    expect(low!.macs).toBeLessThanOrEqual(150);
    expect(high!.macs).toBeLessThanOrEqual(250);
    expect(high!.accuracy).toBeGreaterThanOrEqual(low!.accuracy);
    expect(tight.maxMacs).toBe(150);
  });

  it('lets as many leave as the shares say, however they are measured', () => {
    const exits = table.exits.map((list) => list.map((one) => (one.finite ? one : said(0, 0.999))));
    const finite = { ...table, exits };
    for (const criterion of ['entropy', 'confidence', 'margin'] as const) {
      const { achieved } = tuneTo(finite, { shares: [0.5, 0.3, 0.2] }, { criterion });
      // Confidences of different entropies may be one number in f32.
      achieved.shares.forEach((share, exit) => expect(share).toBeCloseTo([0.5, 0.3, 0.2][exit]!, 2));
    }
  });

  it('keeps equal scores together, and never lets those leave that are not finite', () => {
    const tied = tableOf([0, 0, 0, 0], rowsOf(0.1, 0.5, 0.5, 0.5), rowsOf(0, 0, 0, 0));
    expect(tuneTo(tied, { shares: [0.5, 0.5] }).achieved.shares).toEqual([0.25, 0.75]);
    const broken = tableOf([0, 0], [notFinite, said(0, 0.1)], rowsOf(0, 0));
    expect(tuneTo(broken, { shares: [1, 0] }).achieved.shares).toEqual([0.5, 0.5]);
    const constant = tableOf([0, 0, 0], rowsOf(0.3, 0.3, 0.3), rowsOf(0, 0, 0));
    expect(tuneTo(constant, { shares: [0.5, 0.5] }).achieved.shares).toEqual([0, 1]);
    expect(tuneTo(constant, { shares: [1, 0] }).achieved.shares).toEqual([1, 0]);
  });

  it('has a threshold for each class, where a class that errs is left with later', () => {
    // Answers of class 0 are right, of class 1 wrong, at the same scores; no sample is of classes 2 and 3.
    const labels = [0, 0, 1, 2];
    const first = [said(0, 0.2), said(0, 0.4), said(1, 0.2), said(1, 0.2)];
    const last = labels.map((label) => said(label, 0));
    const byClass = tableOf(labels, first, last);
    const thresholds = classThresholds(byClass, { maxAccuracyLoss: 0 });
    expect(thresholds).toEqual([[Math.log(4), 0, 0, 0]]);
    const chosen = tuneTo(byClass, { maxAccuracyLoss: 0, perClass: true });
    expect(chosen).toMatchObject({ values: [], classValues: thresholds });
    expect(chosen.achieved).toEqual({ accuracy: 1, accuracyFull: 1, shares: [0.5, 0.5] });
  });

  it.each([0, 0.02, 0.1])('by class too loses at most %f', (loss) => {
    const { achieved } = tuneTo(table, { maxAccuracyLoss: loss, perClass: true });
    expect(achieved.accuracy).toBeGreaterThanOrEqual(achieved.accuracyFull - loss);
    expect(achieved.shares[2]).toBeLessThan(1);
  });

  it('refuses what it cannot reach', () => {
    expect(() => tuneTo(tableOf([0], rowsOf(0)), { maxAccuracyLoss: 0 })).toThrow('expected 2 exits or more, got 1');
    expect(() => tuneTo(tableOf([], [], []), { macs: 5 })).toThrow('expected samples, got none in by hand');
    expect(() => tuneTo(table, { macs: 10 })).toThrow(/expected at least the \d+ multiply-accumulates/);
    expect(() => tuneTo(table, { maxAccuracyLoss: 1.5 })).toThrow('expected maxAccuracyLoss in [0, 1], got 1.5');
    expect(() => thresholdsForShares(table, [0.5, 0.5])).toThrow('expected 3 shares of 0 or more that sum to 1');
    expect(() => thresholdsForShares(table, [0.5, 0.6, NaN])).toThrow('got [0.5, 0.6, NaN]');
  });
});

describe('tuning to times', () => {
  const timesOf = (...toExit: number[][]): ExitTimes => ({ adapter: 'a', policy: 'gated', toExit, full: [1] });
  // Exit 1 is right on the first two of four and surest of them; the last is right on all.
  const four = tableOf(
    [0, 1, 2, 3],
    [said(0, 0.1), said(1, 0.2), said(0, 0.3), said(0, 0.4)],
    [said(0, 0), said(1, 0), said(2, 0), said(3, 0)],
  );

  it('stays within milliseconds in the mean over the calls, by hand', () => {
    // 1 ms to exit 1, 5 ms to exit 2 in the mean: two of four leave early for 3 ms, three for 2 ms.
    const times = timesOf([0.5, 1.5], [2, 8]);
    const tuned = (milliseconds: number) => tuneTo(four, { milliseconds, times });
    expect(tuned(3)).toMatchObject({ maxMs: 3, timedOn: { adapter: 'a', policy: 'gated' } });
    expect(tuned(3).achieved).toMatchObject({ accuracy: 1, shares: [0.5, 0.5] });
    expect(tuned(2.9).achieved).toMatchObject({ accuracy: 0.75, shares: [0.75, 0.25] });
    expect(tuned(1).achieved).toMatchObject({ accuracy: 0.5, shares: [1, 0] });
    expect(() => tuned(0.99)).toThrow('expected at least the 1 milliseconds of the fastest thresholds, got 0.99');
  });

  it('meets a deadline for all samples but a share, slow calls of an exit counted', () => {
    // Late: of those that leave at exit 1 none, of those at exit 2 one in four.
    const times = timesOf([1, 1, 1, 1], [3, 3, 3, 9]);
    const tuned = (late?: number) => tuneTo(four, { deadlineMs: 5, times, ...(late !== undefined && { late }) });
    expect(tuned(0.25 / 2)).toMatchObject({ deadline: { ms: 5, late: 0.125 }, achieved: { shares: [0.5, 0.5] } });
    expect(tuned(0.25 / 4).achieved).toMatchObject({ accuracy: 0.75, shares: [0.75, 0.25] });
    expect(tuned()).toMatchObject({ deadline: { late: 0.01 }, achieved: { shares: [1, 0] } });
  });

  it('says the least deadline that can be met', () => {
    const times = timesOf([1, 1, 1, 2], [3, 3, 3, 9]);
    const least = (deadlineMs: number, late: number, table = four) => () => tuneTo(table, { deadlineMs, late, times });
    expect(least(0.5, 0)).toThrow('a deadline of at least 2 ms, which all but the share 0 of the samples meet');
    expect(least(0.5, 0.25)).toThrow('a deadline of at least 1 ms');
    expect(least(2, 0)).not.toThrow();
    expect(least(1, 0.25)).not.toThrow();
    // One whose scores are not finite goes on to the last exit.
    const broken = tableOf([0, 1], [notFinite, said(1, 0)], [said(0, 0), said(1, 0)]);
    expect(least(2, 0, broken)).toThrow('at least 9 ms');
    expect(least(2, 0.5, broken)).not.toThrow();
  });

  it('refuses targets that are none, and times that are not of these exits', () => {
    const times = timesOf([1], [2]);
    for (const milliseconds of [0, -1, NaN]) {
      expect(() => tuneTo(four, { milliseconds, times })).toThrow(`expected milliseconds above 0, got ${milliseconds}`);
    }
    expect(() => tuneTo(four, { deadlineMs: 0, times })).toThrow('expected deadlineMs above 0, got 0');
    for (const late of [-0.1, 1, NaN]) {
      expect(() => tuneTo(four, { deadlineMs: 1, late, times })).toThrow(`from 0 to less than 1, got ${late}`);
    }
    const tuned = (...toExit: number[][]) => () => tuneTo(four, { milliseconds: 9, times: timesOf(...toExit) });
    expect(tuned([1])).toThrow('expected the times of 2 exits, got those of 1');
    expect(tuned([1], [])).toThrow('calls that left at exit 2, got none');
    expect(tuned([1], [Infinity])).toThrow('finite milliseconds of calls that left at exit 2, got Infinity');
  });
});

describe('measures', () => {
  it('that thresholds are not chosen for are refused by name', () => {
    const criterion = 'halting' as 'entropy';
    const refusal = "expected a criterion of entropy, confidence, margin, got 'halting'";
    expect(() => tuneTo(table, { maxAccuracyLoss: 0 }, { criterion })).toThrow(`tuneTo: ${refusal}`);
    expect(() => chooseThresholds(table, { criterion })).toThrow(`chooseThresholds: ${refusal}`);
  });
});

describe('geometric shares', () => {
  const macs = [100, 200, 400];
  it.each([100, 120, 200, 233, 300, 399, 400])('cost a budget of %i', (budget) => {
    const shares = geometricShares(macs, { budget });
    expect(shares.reduce((sum, share) => sum + share)).toBeCloseTo(1);
    expect(shares.reduce((sum, share, exit) => sum + share * macs[exit]!, 0)).toBeCloseTo(budget, 6);
    expect(shares[1]! ** 2).toBeCloseTo(shares[0]! * shares[2]!);
  });

  it('are equal at the mean cost of the exits', () => {
    for (const share of geometricShares([100, 200, 300], { budget: 200 })) expect(share).toBeCloseTo(1 / 3);
  });

  it('refuse a budget that no shares have', () => {
    expect(() => geometricShares(macs, { budget: 99 })).toThrow('expected a budget from 100 to 400');
    expect(() => geometricShares(macs, { budget: NaN })).toThrow('got NaN');
  });
});
