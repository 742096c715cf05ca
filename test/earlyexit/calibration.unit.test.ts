import { expect, it } from 'vitest';
import { calibrationError } from '../../src/earlyexit/judgement/calibration.ts';
import type { Scores } from '../../src/earlyexit/records.ts';

const said = (label: number, confidence: number, finite = true): Scores => ({
  label,
  confidence,
  margin: 0,
  entropy: 0,
  finite,
});

it('the calibration error is the mean distance of accuracy and confidence over bins', () => {
  // Bin 0.9 to 1: three of 0.95, two right; bin 0.5 to 0.6: two of 0.55, one right.
  const scores = [said(1, 0.95), said(2, 0.95), said(3, 0.95), said(4, 0.55), said(5, 0.55)];
  const labels = [1, 2, 0, 4, 0];
  const expected = (3 * Math.abs(2 / 3 - 0.95) + 2 * Math.abs(0.5 - 0.55)) / 5;
  expect(calibrationError(scores, labels, { bins: 10 })).toBeCloseTo(expected, 12);
});

it('leaves out what is not finite, takes a confidence of 1, and needs samples', () => {
  expect(calibrationError([said(1, 1), said(0, NaN, false)], [1, 0])).toBe(0);
  expect(() => calibrationError([said(0, NaN, false)], [0])).toThrow('expected samples with finite scores, got none');
  expect(() => calibrationError([said(1, 1)], [1], { bins: 0 })).toThrow('expected 1 bin or more, got 0');
});
