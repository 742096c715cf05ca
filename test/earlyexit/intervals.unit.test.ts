import { describe, expect, it } from 'vitest';
import { bootstrap, bootstrapDifference, normalQuantile, wilson } from '../../src/earlyexit/judgement/intervals.ts';

describe('wilson', () => {
  // Newcombe 1998, "Two-sided confidence intervals for the single proportion", table I, method 3.
  it.each([
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
  ])('of %i in %i is the published interval', (successes, count, low, high) => {
    const interval = wilson(successes, count);
    expect(interval.value).toBe(successes / count);
    expect(Math.abs(interval.low - low)).toBeLessThanOrEqual(0.5e-4);
    expect(Math.abs(interval.high - high)).toBeLessThanOrEqual(0.5e-4);
  });

  it('ends where the score statistic is z, at every level', () => {
    const quantiles = [[0.5, 0.6744897501960817], [0.9, 1.6448536269514722], [0.99, 2.5758293035489004]] as const;
    for (const [level, z] of quantiles) {
      for (const end of [wilson(7, 31, { level }).low, wilson(7, 31, { level }).high]) {
        expect(Math.abs(7 / 31 - end) / Math.sqrt((end * (1 - end)) / 31)).toBeCloseTo(z, 9);
      }
    }
  });

  it('is wide for 3 samples, and ends at 0 and 1 exactly', () => {
    // With all of n right the lower end is n / (n + z^2).
    const z = 1.959963984540054;
    expect(wilson(3, 3).low).toBeCloseTo(3 / (3 + z * z), 9);
    expect(wilson(3, 3).high).toBe(1);
    expect(wilson(0, 3).low).toBe(0);
  });

  it('refuses what is no share', () => {
    expect(() => wilson(0, 0)).toThrow('wilson: expected a count of 1 or more, got 0');
    expect(() => wilson(4, 3)).toThrow('expected successes from 0 to 3, got 4');
    expect(() => wilson(NaN, 3)).toThrow('got NaN');
    expect(() => wilson(1, 3, { level: 95 })).toThrow('expected a level between 0 and 1, got 95');
  });
});

it('normal quantiles are those of the tables', () => {
  const known = [
    [0.5, 0],
    [0.6, 0.2533471031357998],
    [0.975, 1.9599639845400536],
    [0.9995, 3.2905267314919255],
    [0.999999, 4.753424308817089],
  ] as const;
  for (const [probability, z] of known) {
    expect(normalQuantile(probability)).toBeCloseTo(z, 9);
    expect(normalQuantile(1 - probability)).toBeCloseTo(-z, 9);
  }
});

describe('bootstrap', () => {
  /** Survival of the treated mice, Efron and Tibshirani 1993, table 2.1. */
  const mice = [94, 197, 16, 38, 99, 141, 23];

  it('comes to the standard error of the mean that all draws together have', () => {
    const { value, standardError, low, high } = bootstrap(mice, { draws: 20_000, seed: 7 });
    expect(value).toBeCloseTo(86.857142857, 6);
    // Published: 23.36, without end of draws (table 2.2); of 20,000 draws it scatters by 0.5 %.
    expect(Math.abs(standardError / 23.36 - 1)).toBeLessThan(0.02);
    expect(low).toBeLessThan(50);
    expect(high).toBeGreaterThan(125);
  });

  it('takes a statistic of sample indices, and repeats itself by seed', () => {
    const median = {
      count: mice.length,
      of: (indices: Uint32Array) => Array.from(indices, (index) => mice[index]!).sort((a, b) => a - b)[3]!,
    };
    // Published for the median of these: 37.83 (table 2.2).
    const first = bootstrap(median, { draws: 20_000 });
    expect(first.value).toBe(94);
    expect(Math.abs(first.standardError / 37.83 - 1)).toBeLessThan(0.02);
    expect(bootstrap(median, { draws: 100, seed: 2 })).toEqual(bootstrap(median, { draws: 100, seed: 2 }));
    expect(bootstrap(median, { draws: 100, seed: 2 })).not.toEqual(bootstrap(median, { draws: 100, seed: 3 }));
  });

  it('of a difference sees the same draws on both sides', () => {
    const more = mice.map((days) => days + 5);
    const paired = bootstrapDifference(more, mice);
    expect(paired.value).toBeCloseTo(5, 9);
    expect(paired.standardError).toBeCloseTo(0, 9);
    const doubled = bootstrapDifference(mice.map((days) => 2 * days), mice, { seed: 4 });
    expect(doubled.standardError).toBeCloseTo(bootstrap(mice, { seed: 4 }).standardError, 9);
  });

  it('gives the quantiles of the draws', () => {
    // The mean of two coins is 0, 0.5 or 1, in a quarter, a half and a quarter of the draws.
    expect(bootstrap([0, 1], { level: 0.4, draws: 4000 })).toMatchObject({ low: 0.5, high: 0.5 });
    expect(bootstrap([0, 1], { level: 0.6, draws: 4000 })).toMatchObject({ low: 0, high: 1 });
    expect(bootstrap([3, 3, 3])).toEqual({ value: 3, low: 3, high: 3, standardError: 0 });
  });

  it('refuses what it cannot draw from', () => {
    expect(() => bootstrap([])).toThrow('bootstrap: expected samples, got none');
    expect(() => bootstrap([1, NaN])).toThrow('expected finite values, got NaN');
    expect(() => bootstrap([1], { draws: 1 })).toThrow('expected 2 draws or more, got 1');
    expect(() => bootstrapDifference([1], [1, 2])).toThrow('expected the same samples on both sides, got 1 and 2');
  });
});
