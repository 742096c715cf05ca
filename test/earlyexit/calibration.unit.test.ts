import { describe, expect, it } from 'vitest';
import {
  adaptiveCalibrationError,
  calibrationError,
  reliabilityBins,
} from '../../src/earlyexit/judgement/calibration.ts';
import { calibrateExits, CALIBRATION_METHODS } from '../../src/earlyexit/judgement/calibration/calibrators.ts';
import { saidBy } from '../../src/earlyexit/judgement/calibration/logits.ts';
import { calibrationReport } from '../../src/earlyexit/judgement/calibration/report.ts';
import type { ScoreTable } from '../../src/earlyexit/judgement/scores.ts';
import type { Scores } from '../../src/earlyexit/records.ts';
import { tableOf } from './score-tables.ts';

const said = (label: number, confidence: number, finite = true): Scores => ({
  label,
  confidence,
  margin: 0,
  entropy: 0,
  finite,
});

describe('the calibration error', () => {
  it('is the mean distance of accuracy and confidence over bins', () => {
    // Bin 0.9 to 1: three of 0.95, two right; bin 0.5 to 0.6: two of 0.55, one right.
    const scores = [said(1, 0.95), said(2, 0.95), said(3, 0.95), said(4, 0.55), said(5, 0.55)];
    const labels = [1, 2, 0, 4, 0];
    const expected = (3 * Math.abs(2 / 3 - 0.95) + 2 * Math.abs(0.5 - 0.55)) / 5;
    expect(calibrationError(scores, labels, { bins: 10 })).toBeCloseTo(expected, 12);
    const bins = reliabilityBins(scores, labels, { bins: 10 });
    expect(bins).toEqual([
      { count: 2, confidence: 0.55, accuracy: 0.5 },
      { count: 3, confidence: expect.closeTo(0.95, 12), accuracy: 2 / 3 },
    ]);
  });

  it('over bins of equal count tells what one wide bin hides', () => {
    // In one bin of width 1/10 the errors at 0.92 and at 0.98 cancel; in two bins of two they add up.
    const scores = [said(0, 0.98), said(0, 0.92), said(0, 0.98), said(0, 0.92)];
    const labels = [0, 0, 1, 0];
    expect(calibrationError(scores, labels, { bins: 10 })).toBeCloseTo(0.95 - 0.75, 12);
    expect(adaptiveCalibrationError(scores, labels, { bins: 2 })).toBeCloseTo((2 * 0.08 + 2 * 0.48) / 4, 12);
  });

  it('does not depend on the order of ties, and takes constant scores and few samples', () => {
    const tied = [0.6, 0.8, 0.8, 0.8, 0.9].map((confidence) => said(0, confidence));
    const [one, other] = [[0, 1, 0, 0, 0], [0, 0, 0, 1, 0]].map((labels) =>
      adaptiveCalibrationError(tied, labels, { bins: 3 }));
    expect(one).toBe(other);
    const constant = [said(0, 0.75), said(0, 0.75), said(0, 0.75)];
    expect(adaptiveCalibrationError(constant, [0, 1, 1])).toBeCloseTo(0.75 - 1 / 3, 12);
    expect(calibrationError(constant, [0, 0, 0])).toBe(0.25);
    expect(adaptiveCalibrationError([said(0, 0.5), said(0, 0.7)], [0, 1])).toBeCloseTo((0.5 + 0.7) / 2, 12);
  });

  it('leaves out what is not finite, takes a confidence of 1, and needs samples', () => {
    expect(calibrationError([said(1, 1), said(0, NaN, false)], [1, 0])).toBe(0);
    expect(() => calibrationError([said(0, NaN, false)], [0])).toThrow('expected samples with finite scores, got none');
    expect(() => calibrationError([said(1, 1)], [1], { bins: 0 })).toThrow('expected 1 bin or more, got 0');
    expect(() => calibrationError([said(1, 1)], [])).toThrow('expected as many labels as scores, got 0 and 1');
  });
});

/** Scores of these logits, of four classes. */
function recorded(labels: readonly number[], ...logits: Float32Array[]): ScoreTable {
  const exits = logits.map((rows) => saidBy(rows, 4).map((score): Scores => ({ ...score, margin: 0, entropy: 0 })));
  return { ...tableOf(labels, ...exits), logits };
}

/** Rows of four classes that say `label`, by so much. */
const rows = (...says: [label: number, by: number][]): Float32Array =>
  Float32Array.from(says.flatMap(([label, by]) => [0, 1, 2, 3].map((at) => (at === label ? by : 0))));

describe('calibration of exits', () => {
  // Exit 1 is right of three in four, and sure; exit 2 knows when it is wrong. One row is not finite.
  const first = rows([0, 5], [1, 5], [2, 5], [3, 5], [0, NaN]);
  const second = rows([0, 4], [1, 3], [2, 4], [3, 1], [0, 2]);
  const table = recorded([0, 1, 2, 0, 0], first, second);

  it('is judged before and after, with and without what it changes', () => {
    const [fit] = calibrateExits(table, 'temperature');
    // e^(5 / T) / (e^(5 / T) + 3) = 3 / 4
    expect(fit!.temperature).toBeCloseTo(5 / Math.log(9), 6);
    const [exit, other] = calibrationReport(table, { calibrators: calibrateExits(table, 'temperature') });
    const sure = Math.exp(5) / (Math.exp(5) + 3);
    expect(exit).toMatchObject({ exit: 1, samples: 4, leftOut: 1 });
    expect(exit!.before).toMatchObject({
      accuracy: 0.75,
      ece: expect.closeTo(sure - 0.75, 6),
      adaptiveEce: expect.closeTo(sure - 0.75, 6),
      nll: expect.closeTo(-(3 * Math.log(sure) + Math.log((1 - sure) / 3)) / 4, 6),
      failureAuroc: 0.5,
    });
    expect(exit!.after).toMatchObject({
      accuracy: 0.75,
      ece: expect.closeTo(0, 6),
      // Right: 1/4 missing and 3 of 1/12; wrong: 3/4 too much, 11/12 missing, 2 of 1/12.
      brier: expect.closeTo((3 * (1 / 16 + 3 / 144) + (9 / 16 + 121 / 144 + 2 / 144)) / 4, 6),
      nll: expect.closeTo(-(3 * Math.log(3 / 4) + Math.log(1 / 12)) / 4, 6),
      failureAuroc: 0.5,
    });
    expect(other!.before.failureAuroc).toBe(1);
    const given = calibrationReport(table, { temperatures: [fit!.temperature, 1] });
    expect(given[0]!.after).toEqual(exit!.after);
    expect(given[1]!.after).toMatchObject({ ...given[1]!.before, ece: expect.closeTo(given[1]!.before.ece, 12) });
  });

  it('of the confidence says nothing of the other classes', () => {
    for (const method of ['platt', 'isotonic'] as const) {
      const [exit] = calibrationReport(table, { calibrators: calibrateExits(table, method) });
      expect(exit!.after).toMatchObject({ accuracy: 0.75, brier: null, nll: null, failureAuroc: 0.5 });
      expect(exit!.after.ece).toBeLessThan(exit!.before.ece);
    }
  });

  it('is plain data that JSON keeps', () => {
    for (const method of CALIBRATION_METHODS) {
      const fits = calibrateExits(table, method);
      expect(fits.map(({ kind, samples, leftOut }) => ({ kind, samples, leftOut }))).toEqual([
        { kind: method, samples: 4, leftOut: 1 },
        { kind: method, samples: 5, leftOut: 0 },
      ]);
      expect(JSON.parse(JSON.stringify(fits))).toEqual(fits);
    }
  });

  it('has no ranking where all answers are right, and needs what it is made of', () => {
    const [exit] = calibrationReport(recorded([0, 1], rows([0, 1], [1, 2])), { temperatures: [2] });
    expect(exit!.before.failureAuroc).toBeNull();
    const { logits: _, ...without } = table;
    expect(() => calibrateExits(without, 'platt')).toThrow('expected scores with logits, got none; record them by');
    const tempered = { ...table, temperatures: [1, 2] };
    expect(() => calibrateExits(tempered, 'platt')).toThrow('before calibration, got them at temperatures [1, 2]');
    expect(() => calibrateExits(table, 'beta' as 'platt')).toThrow("got 'beta'");
    expect(() => calibrationReport(table, {})).toThrow('expected calibrators or temperatures, got neither');
    expect(() => calibrationReport(table, { temperatures: [1] })).toThrow('expected 2 positive temperatures');
    expect(() => calibrationReport(table, { calibrators: [] })).toThrow('expected 2 calibrators, one per exit, got 0');
  });
});
