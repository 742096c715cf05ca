import { describe, expect, it } from 'vitest';
import { arrivalTimes } from '../../src/earlyexit/judgement/load.ts';
import { percentiles } from '../../src/earlyexit/judgement/percentiles.ts';
import { ArgumentError } from '../../src/errors.ts';

const gapsOf = (times: readonly number[]): number[] => times.map((at, index) => at - (times[index - 1] ?? 0));

describe('arrivals', () => {
  it('come evenly where they are asked to', () => {
    expect(arrivalTimes({ rate: 50, samples: 4, arrivals: 'even' })).toEqual([20, 40, 60, 80]);
  });

  it('of a Poisson process have exponential gaps', () => {
    const gaps = gapsOf(arrivalTimes({ rate: 200, samples: 20_000 })).sort((a, b) => a - b);
    const mean = gaps.reduce((sum, gap) => sum + gap) / gaps.length;
    // Three standard errors, the deviation of a gap being its mean.
    expect(Math.abs(mean / 5 - 1)).toBeLessThan(3 / Math.sqrt(gaps.length));
    const distances = gaps.map((gap, rank) => Math.abs(1 - Math.exp(-gap / 5) - (rank + 0.5) / gaps.length));
    // Kolmogorov and Smirnov's distance at a level of 0.001.
    expect(Math.max(...distances)).toBeLessThan(1.95 / Math.sqrt(gaps.length));
  });

  it('are the same for the same seed, and those of half the rate come at twice the time', () => {
    const first = arrivalTimes({ rate: 100, samples: 30, seed: 7 });
    expect(arrivalTimes({ rate: 100, samples: 30, seed: 7 })).toEqual(first);
    expect(arrivalTimes({ rate: 100, samples: 30, seed: 8 })).not.toEqual(first);
    const slower = arrivalTimes({ rate: 50, samples: 30, seed: 7 });
    expect(slower).toEqual(first.map((at) => expect.closeTo(2 * at, 9)));
  });

  it.each([
    [{ rate: 0, samples: 1 }, 'a rate above 0, in calls per second, got 0'],
    [{ rate: NaN, samples: 1 }, 'a rate above 0, in calls per second, got NaN'],
    [{ rate: Infinity, samples: 1 }, 'a rate above 0, in calls per second, got Infinity'],
    [{ rate: 1, samples: 0 }, 'samples of 1 or more, got 0'],
    [{ rate: 1, samples: 1.5 }, 'samples of 1 or more, got 1.5'],
    [{ rate: 1, samples: 1, arrivals: 'bursts' as 'even' }, 'arrivals that are poisson or even, got bursts'],
    [{ rate: 1, samples: 1, seed: -1 }, 'a seed that is a safe integer'],
  ])('of %j are refused', (options, message) => {
    expect(() => arrivalTimes(options)).toThrow(ArgumentError);
    expect(() => arrivalTimes(options)).toThrow(message);
  });
});

describe('percentiles', () => {
  it('are the values at the nearest rank', () => {
    const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);
    expect(percentiles(hundred)).toEqual({ p50: 50, p95: 95, p99: 99 });
    expect(percentiles([3, 1, 2])).toEqual({ p50: 2, p95: 3, p99: 3 });
  });

  it('of nothing are NaN', () => expect(percentiles([])).toEqual({ p50: NaN, p95: NaN, p99: NaN }));
});
