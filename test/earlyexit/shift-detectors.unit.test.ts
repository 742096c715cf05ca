import { describe, expect, it } from 'vitest';
import { Adwin } from '../../src/earlyexit/monitor/adwin.ts';
import { Cusum, exitCharts } from '../../src/earlyexit/monitor/cusum.ts';
import { joined, joinRare, ks, ksThreshold, psi, psiThreshold } from '../../src/earlyexit/monitor/distances.ts';
import { wilson } from '../../src/earlyexit/judgement/intervals.ts';
import { ArgumentError } from '../../src/errors.ts';
import { Random } from '../../src/random.ts';

describe('population stability index', () => {
  it('by hand', () => {
    // (5.5, 15.5) of 21 against (10.5, 10.5).
    const wanted = (5 / 21) * Math.log(10.5 / 5.5) + (-5 / 21) * Math.log(10.5 / 15.5);
    expect(psi([5, 15], [10, 10])).toBeCloseTo(wanted, 12);
    expect(psi([3, 4, 0], [6, 8, 0])).toBeLessThan(0.02);
    expect(psi([7, 7], [7, 7])).toBe(0);
    expect(psi([100, 0], [50, 50])).toBeLessThan(Infinity);
  });

  it('its thresholds are quantiles of chi-squared', () => {
    // Degrees of freedom, probability and quantile, of tables.
    const rows = [
      [1, 0.05, 3.841458821], [2, 0.05, 5.991464547], [9, 0.05, 16.918977605], [20, 0.05, 31.410432844],
      [9, 0.001, 27.877164871], [100, 0.001, 149.449252780],
    ] as const;
    for (const [freedom, alpha, quantile] of rows) {
      expect(psiThreshold(freedom + 1, 200, 200, alpha) * 100).toBeCloseTo(quantile, 6);
    }
    // Of two degrees of freedom it is -2 ln(alpha).
    expect(psiThreshold(3, 200, 200, 1e-6) * 100).toBeCloseTo(-2 * Math.log(1e-6), 6);
  });

  it('refuses other cells, and no samples', () => {
    for (const distance of [psi, ks]) {
      expect(() => distance([1, 2], [1])).toThrow(ArgumentError);
      expect(() => distance([1, 2], [0, 0])).toThrow('as many cells on both sides, got 3 in 2 and 0 in 2');
    }
  });
});

describe("Kolmogorov and Smirnov's distance", () => {
  it('by hand', () => {
    expect(ks([1, 1, 1, 1], [0, 0, 2, 2])).toBeCloseTo(0.5, 12);
    expect(ks([10, 0], [0, 1])).toBe(1);
    expect(ks([2, 4], [1, 2])).toBe(0);
  });

  it('its threshold is that of tables: 1.358 and 1.628 over the root of what the samples are worth', () => {
    expect(ksThreshold(100, 100, 0.05) * Math.sqrt(50)).toBeCloseTo(1.358, 3);
    expect(ksThreshold(100, 100, 0.01) * Math.sqrt(50)).toBeCloseTo(1.628, 3);
  });

  it('is exceeded no more often than it says', () => {
    const random = new Random(1);
    const draw = (): number[] => {
      const cells = new Array<number>(10).fill(0);
      for (let sample = 0; sample < 200; sample++) cells[random.below(10)]!++;
      return cells;
    };
    const over = Array.from({ length: 500 }, () => Number(ks(draw(), draw()) > ksThreshold(200, 200, 0.1)));
    expect(over.reduce((a, b) => a + b, 0)).toBeLessThanOrEqual(50 + 3 * Math.sqrt(45));
  });
});

it('rare cells are joined with their neighbours', () => {
  const counts = [5, 1, 1, 9, 0, 2];
  const cells = joinRare(counts, 4);
  expect(cells).toEqual([0, 1, 1, 1, 1, 1]);
  expect(joined(counts, cells)).toEqual([5, 13]);
  expect(joinRare([5, 5], 5)).toEqual([0, 1]);
  expect(joinRare([1, 1], 5)).toEqual([0, 0]);
  expect(joinRare([0, 0, 9], 5)).toEqual([0, 0, 0]);
});

describe('cumulative sums', () => {
  const options = { falseAlarms: 0.01, horizon: 10_000 };

  it('by hand: the likelihood ratio of what is looked for, never below 0, up to the threshold', () => {
    const cusum = new Cusum([{ exit: 1, from: 0.5, share: 0.75 }], options);
    expect(cusum.threshold).toBeCloseTo(Math.log(1e6), 12);
    cusum.add([1, 1]);
    expect(cusum.sums[0]).toBe(0);
    cusum.add([3, 1]);
    const evidence = 3 * Math.log(1.5) + Math.log(0.5);
    expect(cusum.sums[0]).toBeCloseTo(evidence, 12);
    const found = cusum.add([40, 0]);
    expect(found?.sum).toBeCloseTo(evidence + 40 * Math.log(1.5), 12);
    expect(found?.chart.exit).toBe(1);
  });

  it('look from the ends of what the record allows, where there is room', () => {
    const charts = exitCharts([90, 10, 0], { ratios: [2], level: 0.95 });
    const [up, down] = charts.filter(({ exit }) => exit === 1);
    const { low, high } = wilson(90, 100);
    expect(up!.from).toBe(high);
    expect(down!.from).toBe(low);
    expect(up!.share / (1 - up!.share)).toBeCloseTo((2 * high) / (1 - high), 10);
    expect(down!.share / (1 - down!.share)).toBeCloseTo(low / (1 - low) / 2, 10);
    expect(charts.filter(({ exit }) => exit === 3)).toHaveLength(1);
    expect(exitCharts([10])).toEqual([]);
  });

  it('alarm falsely no more often than the bound says, at the end of what is in order', () => {
    const streams = 200;
    let alarms = 0;
    for (let seed = 0; seed < streams; seed++) {
      const cusum = new Cusum([{ exit: 1, from: 0.2, share: 0.4 }], { falseAlarms: 0.3, horizon: 500 });
      const random = new Random(seed);
      let alarm = false;
      for (let sample = 0; sample < 500; sample++) {
        const left = Number(random.uniform() < 0.2);
        alarm ||= cusum.add([left, 1 - left]) !== undefined;
      }
      alarms += Number(alarm);
    }
    expect(alarms / streams).toBeLessThanOrEqual(0.3 + 3 * Math.sqrt(0.21 / streams));
    expect(alarms).toBeGreaterThan(0);
  });
});

describe('ADWIN', () => {
  const options = { falseAlarms: 0.01, horizon: 10_000 };
  const value = (of: number) => ({ count: 1, sum: of, squares: of * of });

  it('grows while the mean stays, with a number of buckets of the order of the logarithm', () => {
    const adwin = new Adwin(options);
    const random = new Random(3);
    const changes = Array.from({ length: 20_000 }, () => adwin.add(value(Number(random.uniform() < 0.3))));
    expect(changes.includes(true)).toBe(false);
    expect(adwin.count).toBe(20_000);
    expect(adwin.sizes.flat().length).toBeLessThan(80);
  });

  it('forgets what was before a change, and says so soon', () => {
    const adwin = new Adwin(options);
    const random = new Random(4);
    const at = (share: number) => adwin.add(value(Number(random.uniform() < share)));
    for (let sample = 0; sample < 3000; sample++) at(0.2);
    let delay = 0;
    while (!at(0.5)) delay++;
    expect(delay).toBeLessThan(300);
    for (let sample = 0; sample < 2000; sample++) at(0.5);
    expect(adwin.count).toBeLessThan(2400);
  });

  it('takes many values at a time, and nothing', () => {
    const adwin = new Adwin(options);
    expect(adwin.add({ count: 0, sum: 0, squares: 0 })).toBe(false);
    for (let reading = 0; reading < 30; reading++) expect(adwin.add({ count: 100, sum: 30, squares: 30 })).toBe(false);
    const changed = [1, 2, 3, 4].map(() => adwin.add({ count: 100, sum: 60, squares: 60 }));
    expect(changed).toContain(true);
  });
});
