import { describe, expect, it } from 'vitest';
import {
  calibratedConfidence,
  calibratedLogits,
  rawThreshold,
} from '../../src/earlyexit/judgement/calibration/calibrators.ts';
import { fitIsotonic, poolAdjacentViolators } from '../../src/earlyexit/judgement/calibration/isotonic.ts';
import { fitPlatt } from '../../src/earlyexit/judgement/calibration/platt.ts';
import { brierScore, negativeLogLikelihood } from '../../src/earlyexit/judgement/calibration/proper-scores.ts';
import { fitTemperature } from '../../src/earlyexit/judgement/calibration/temperature.ts';
import { fitVector } from '../../src/earlyexit/judgement/calibration/vector.ts';
import type { Said } from '../../src/earlyexit/judgement/calibration.ts';
import { Random } from '../../src/random.ts';

/** Said with these confidences, the label 0 each time; labels of 0 make it right. */
const said = (...confidences: number[]): Said[] =>
  confidences.map((confidence) => ({ label: 0, confidence, finite: Number.isFinite(confidence) }));

/** Logits of a few classes, with labels drawn by their softmax at a temperature, or by `scale z + bias`. */
function drawn(count: number, scale: readonly number[], bias: readonly number[], seed = 5) {
  const random = new Random(seed);
  const classes = scale.length;
  const logits = Float32Array.from({ length: count * classes }, () => 3 * random.normal());
  const labels = Uint8Array.from({ length: count }, (_, sample) => {
    const row = [...logits.subarray(sample * classes, (sample + 1) * classes)];
    const odds = row.map((value, index) => Math.exp(scale[index]! * value + bias[index]!));
    let left = random.uniform() * odds.reduce((sum, one) => sum + one, 0);
    const label = odds.findIndex((one) => (left -= one) < 0);
    return label < 0 ? classes - 1 : label;
  });
  return { logits, labels };
}

describe('proper scores', () => {
  // Rows of probabilities 0.7, 0.2, 0.1 and 0.1, 0.3, 0.6, as logits.
  const logits = Float64Array.from([0.7, 0.2, 0.1, 0.1, 0.3, 0.6], Math.log);

  it('are those computed by hand', () => {
    expect(brierScore(logits, [0, 1])).toBeCloseTo((0.09 + 0.04 + 0.01 + 0.01 + 0.49 + 0.36) / 2, 12);
    expect(negativeLogLikelihood(logits, [0, 1])).toBeCloseTo(-(Math.log(0.7) + Math.log(0.3)) / 2, 12);
  });

  it('are finite of answers that could not be more wrong', () => {
    const wrong = Float32Array.of(1e5, 0);
    expect([brierScore(wrong, [1]), negativeLogLikelihood(wrong, [1])]).toEqual([2, 1e5]);
    expect([brierScore(wrong, [0]), negativeLogLikelihood(wrong, [0])]).toEqual([0, 0]);
  });

  it('leave out rows that are not finite, and need others', () => {
    const some = Float64Array.of(...logits, NaN, 0, 0, 0, Infinity, 0);
    expect(brierScore(some, [0, 1, 0, 1])).toBe(brierScore(logits, [0, 1]));
    expect(() => brierScore(Float32Array.of(NaN, 0), [0])).toThrow('expected samples with finite logits, got none');
    expect(() => brierScore(logits, [])).toThrow('expected logits [0, classes], one row for each label, got 6 numbers');
    expect(() => negativeLogLikelihood(logits, [0, 3])).toThrow('expected labels below 3, as there are classes, got 3');
    for (const label of [-1, 0.5, NaN]) {
      expect(() => fitTemperature(logits, [0, label])).toThrow(`as there are classes, got ${label}`);
    }
  });
});

describe('temperature', () => {
  it('is the one that makes two classes as likely as they are', () => {
    // Of five logits (3, 0) four are of label 0: sigmoid(3 / T) = 4 / 5.
    const logits = Float32Array.from({ length: 10 }, (_, index) => (index % 2 ? 0 : 3));
    const expected = { kind: 'temperature', bounded: false, samples: 5, leftOut: 0 };
    const fit = fitTemperature(logits, [0, 0, 0, 0, 1]);
    expect(fit).toMatchObject(expected);
    expect(fit.temperature).toBeCloseTo(3 / Math.log(4), 6);
  });

  it('is recovered from labels drawn at it, and is where the likelihood is greatest', () => {
    for (const temperature of [0.4, 2.5]) {
      const { logits, labels } = drawn(10_000, [0, 0, 0, 0].fill(1 / temperature), [0, 0, 0, 0]);
      const found = fitTemperature(logits, labels).temperature;
      expect(found / temperature).toBeGreaterThan(0.96);
      expect(found / temperature).toBeLessThan(1.04);
      const nll = [found - 1e-3, found, found + 1e-3].map((near) =>
        negativeLogLikelihood(logits.map((value) => value / near), labels));
      expect(nll[1]).toBeLessThan(Math.min(nll[0]!, nll[2]!));
    }
  });

  it('is bounded, and says so, where all answers are right or all wrong', () => {
    const logits = Float32Array.of(2, 0, 1, 0, 3, 0);
    expect(fitTemperature(logits, [0, 0, 0])).toMatchObject({ temperature: 1 / 20, bounded: true, samples: 3 });
    expect(fitTemperature(logits, [1, 1, 1])).toMatchObject({ temperature: 20, bounded: true });
  });

  it('is 1 where none is better: one class, constant logits', () => {
    expect(fitTemperature(Float32Array.of(2, -1, 7), [0, 0, 0])).toMatchObject({ temperature: 1, bounded: false });
    expect(fitTemperature(Float32Array.of(0.1, 0.1, 0.3, 0.3), [0, 1])).toMatchObject({ temperature: 1 });
  });

  it('leaves out rows that are not finite, and counts them', () => {
    const logits = Float32Array.of(3, 0, 3, 0, 3, 0, 3, 0, 3, 0, NaN, 0, 1, -Infinity);
    const fit = fitTemperature(logits, [0, 0, 0, 0, 1, 1, 1]);
    expect(fit).toMatchObject({ samples: 5, leftOut: 2 });
    expect(fit.temperature).toBeCloseTo(3 / Math.log(4), 6);
    expect(calibratedLogits(fit, logits)[0]! * fit.temperature).toBeCloseTo(3, 12);
  });
});

describe('vector scaling', () => {
  const { logits, labels } = drawn(10_000, [0.5, 1, 1.5], [1, 0, -1]);
  const fit = fitVector(logits, labels);

  it('is recovered from labels drawn by it, biases up to a shift', () => {
    fit.scale.forEach((scale, index) => expect(Math.abs(scale - [0.5, 1, 1.5][index]!)).toBeLessThan(0.1));
    const [first, second, third] = fit.bias;
    expect(Math.abs(first! - second! - 1)).toBeLessThan(0.15);
    expect(Math.abs(second! - third! - 1)).toBeLessThan(0.15);
    expect(first! + second! + third!).toBeCloseTo(0, 6);
  });

  it('is where the likelihood is greatest', () => {
    const nll = (scale: readonly number[], bias: readonly number[]): number =>
      negativeLogLikelihood(calibratedLogits({ ...fit, scale, bias }, logits), labels);
    const best = nll(fit.scale, fit.bias);
    for (const at of [0, 1, 2]) {
      for (const step of [-1e-3, 1e-3]) {
        expect(nll(fit.scale.with(at, fit.scale[at]! + step), fit.bias)).toBeGreaterThan(best);
        expect(nll(fit.scale, fit.bias.with(at, fit.bias[at]! + step))).toBeGreaterThan(best);
      }
    }
    expect(best).toBeLessThan(negativeLogLikelihood(logits, labels));
  });

  it('of two classes finds what makes them as likely as they are', () => {
    // (3, 0): four of five are of label 0; (0, 3): one of four. All that matters is the two sigmoids.
    const few = Float32Array.of(...[0, 0, 0, 0, 0].flatMap(() => [3, 0]), ...[0, 0, 0, 0].flatMap(() => [0, 3]));
    const scaled = calibratedLogits(fitVector(few, [0, 0, 0, 0, 1, 0, 1, 1, 1]), few);
    expect(scaled[0]! - scaled[1]!).toBeCloseTo(Math.log(4), 4);
    expect(scaled[10]! - scaled[11]!).toBeCloseTo(-Math.log(3), 4);
  });

  it('is finite where all answers are right, of 3 samples, and changes nothing of one class', () => {
    const right = fitVector(Float32Array.of(2, 0, 0, 2, 3, 0), [0, 1, 0]);
    expect([...right.scale, ...right.bias].every(Number.isFinite)).toBe(true);
    const one = fitVector(Float32Array.of(2, NaN, 1), [0, 0, 0]);
    expect(one).toEqual({ kind: 'vector', scale: [1], bias: [0], samples: 2, leftOut: 1 });
    expect(() => calibratedLogits(right, Float32Array.of(1, 2, 3))).toThrow('expected whole rows of 2 logits, got 3');
  });
});

describe('Platt scaling', () => {
  it('is that of the published example', () => {
    // scikit-learn, test_calibration.py, test_sigmoid_calibration: values of LIBSVM, which ends at a slope of 1e-5.
    const { slope, intercept } = fitPlatt(said(5, -4, 1), [0, 1, 1]);
    expect(slope).toBeCloseTo(0.20261354391187855, 5);
    expect(intercept).toBeCloseTo(-0.65236314980010512, 5);
    // At the least loss targets, 2 / 3 and twice 1 / 4, are met on average, and weighted by the score.
    const missed = [5, -4, 1].map((score, at) => 1 / (1 + Math.exp(-slope * score - intercept)) - (at ? 1 / 4 : 2 / 3));
    expect(missed[0]! + missed[1]! + missed[2]!).toBeCloseTo(0, 8);
    expect(5 * missed[0]! - 4 * missed[1]! + missed[2]!).toBeCloseTo(0, 8);
  });

  it('of all right, and all wrong, is what the smoothed targets say', () => {
    // (3 + 1) / (3 + 2) for three right answers, 1 / (3 + 2) for three wrong ones.
    for (const [labels, share] of [[[0, 0, 0], 0.8], [[1, 1, 1], 0.2]] as const) {
      const fit = fitPlatt(said(0.5, 0.7, 0.9), labels);
      expect(fit.slope).toBeCloseTo(0, 6);
      expect(calibratedConfidence(fit, 0.7)).toBeCloseTo(share, 6);
    }
  });

  it('of a constant confidence has no slope', () => {
    // Two right of three: targets 3 / 4 twice, 1 / 3 once.
    const fit = fitPlatt(said(0.7, 0.7, 0.7, NaN), [0, 0, 1, 0]);
    expect(fit).toMatchObject({ slope: 0, samples: 3, leftOut: 1 });
    expect(calibratedConfidence(fit, 0.7)).toBeCloseTo((0.75 + 0.75 + 1 / 3) / 3, 12);
    expect([rawThreshold(fit, 0.6), rawThreshold(fit, 0.62)]).toEqual([0, 1]);
  });

  it('holds where confidences crowd near 1', () => {
    const [few, many] = [[5, -4, 1], [5, -4, 1].map((score) => 1 + score * 1e-7)];
    const [wide, close] = [fitPlatt(said(...few), [0, 1, 1]), fitPlatt(said(...many), [0, 1, 1])];
    expect(close.slope * 1e-7).toBeCloseTo(wide.slope, 6);
    expect(calibratedConfidence(close, many[2]!)).toBeCloseTo(calibratedConfidence(wide, few[2]!), 6);
  });

  it('turns thresholds back', () => {
    const fit = fitPlatt(said(0.9, 0.8, 0.7, 0.6, 0.5, 0.4), [0, 0, 1, 0, 1, 1]);
    expect(calibratedConfidence(fit, rawThreshold(fit, 0.6))).toBeCloseTo(0.6, 12);
    expect([rawThreshold(fit, 0), rawThreshold(fit, 1)]).toEqual([0, 1]);
    expect(() => rawThreshold(fit, NaN)).toThrow('expected a threshold from 0 to 1, got NaN');
    const backward = fitPlatt(said(0.9, 0.8, 0.2), [1, 1, 0]);
    expect(() => rawThreshold(backward, 0.5)).toThrow('expected an exit that is the more often right the surer it is');
  });
});

describe('isotonic regression', () => {
  it('is that of the published example', () => {
    // scikit-learn, test_isotonic.py, test_isotonic_regression.
    const values = [3, 7, 5, 9, 8, 7, 10];
    const blocks = poolAdjacentViolators(values, values.map(() => 1));
    expect(blocks).toEqual([
      { first: 0, value: 3, weight: 1 },
      { first: 1, value: 6, weight: 2 },
      { first: 3, value: 8, weight: 3 },
      { first: 6, value: 10, weight: 1 },
    ]);
    expect(poolAdjacentViolators([2, 1], [3, 1])).toEqual([{ first: 0, value: 1.75, weight: 4 }]);
  });

  it('of answers is a staircase of the shares that are right', () => {
    // By confidence: wrong, right, wrong, (right, right), of equal confidence (right, wrong), right.
    const scores = said(0.3, 0.4, 0.5, 0.6, 0.6, 0.8, 0.8, 0.9);
    const fit = fitIsotonic(scores, [1, 0, 1, 0, 0, 0, 1, 0]);
    expect(fit.from).toEqual([0.3, 0.4, 0.6, 0.9]);
    expect(fit.values).toEqual([0, 1 / 2, 3 / 4, 1]);
    expect([0, 0.35, 0.4, 0.59, 0.7, 1].map((value) => calibratedConfidence(fit, value))).toEqual(
      [0, 0, 0.5, 0.5, 0.75, 1],
    );
    expect(calibratedConfidence(fit, NaN)).toBeNaN();
  });

  it('turns thresholds back: the same samples pass', () => {
    const random = new Random(9);
    const confidences = Array.from({ length: 300 }, () => Math.fround(random.uniform()));
    const labels = confidences.map((confidence) => Number(random.uniform() > confidence));
    const fit = fitIsotonic(said(...confidences), labels);
    expect(fit.values.length).toBeGreaterThan(5);
    for (const threshold of [0, 0.1, 0.5, 0.8, 0.99, 1, ...fit.values]) {
      const raw = Math.fround(rawThreshold(fit, threshold));
      const passing = confidences.filter((confidence) => calibratedConfidence(fit, confidence) > threshold);
      expect(confidences.filter((confidence) => confidence > raw)).toEqual(passing);
    }
  });

  it('takes 3 samples, constant scores, all right and all wrong', () => {
    expect(fitIsotonic(said(0.7, 0.7, 0.7), [0, 0, 1])).toMatchObject({ from: [0.7], values: [2 / 3] });
    expect(fitIsotonic(said(0.5, 0.7, NaN), [0, 0, 0])).toMatchObject({ from: [0.5], values: [1], leftOut: 1 });
    expect(fitIsotonic(said(0.5, 0.7), [1, 1])).toMatchObject({ from: [0.5], values: [0] });
    expect(() => fitIsotonic(said(NaN), [0])).toThrow('fitIsotonic: expected samples with finite scores, got none');
    expect(() => fitIsotonic(said(1), [])).toThrow('expected as many labels as scores, got 0 and 1');
  });
});
