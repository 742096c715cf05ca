import { describe, expect, it } from 'vitest';
import { CRITERIA } from '../../src/earlyexit/criteria.ts';
import { answers } from '../../src/earlyexit/judgement/answers.ts';
import { accuracyCurve, bestWithin, cheapestWith, undominated } from '../../src/earlyexit/judgement/curves.ts';
import type { OperatingPoint } from '../../src/earlyexit/judgement/curves.ts';
import { frontier } from '../../src/earlyexit/judgement/frontier.ts';
import { wilson } from '../../src/earlyexit/judgement/intervals.ts';
import { isRight } from '../../src/earlyexit/judgement/scores.ts';
import type { ScoreTable } from '../../src/earlyexit/judgement/scores.ts';
import { notFinite, randomTable, said, tableOf } from './score-tables.ts';

const traded = (points: readonly OperatingPoint[]) => points.map(({ accuracy, cost }) => ({ accuracy, cost }));

/** All combinations of all scores that occur, and of thresholds that all and that none pass. */
function exhaustive(table: ScoreTable): OperatingPoint[] {
  const grids = table.exits.slice(0, -1).map((list) => {
    const nats = list.filter(({ finite }) => finite).map(({ entropy }) => entropy);
    return [...new Set([0, ...nats, Math.log(4)])];
  });
  const vectors = grids.reduce<number[][]>(
    (lists, grid) => lists.flatMap((list) => grid.map((nats) => [...list, nats])),
    [[]],
  );
  const { labels } = table.dataset;
  return undominated(
    vectors.map((thresholds) => {
      const left = Array.from(labels, (_, sample) => {
        const at = thresholds.findIndex((threshold, exit) => table.exits[exit]![sample]!.entropy < threshold);
        return at < 0 ? thresholds.length : at;
      });
      const right = left.filter((exit, sample) => isRight(table.exits[exit]![sample]!, labels[sample]!));
      return {
        criterion: { kind: 'entropy', thresholds },
        accuracy: right.length / labels.length,
        cost: left.reduce((sum, exit) => sum + table.macs[exit]!, 0) / labels.length,
      };
    }),
  );
}

describe('the frontier', () => {
  it('is that of the best combinations, by hand', () => {
    // Exit 1 is right on the first two of four and surest of them; the last is right on all.
    const table = tableOf(
      [0, 1, 2, 3],
      [said(0, 0.1), said(1, 0.2), said(0, 0.3), said(0, 0.4)],
      [said(0, 0), said(1, 0), said(2, 0), said(3, 0)],
    );
    expect(traded(frontier(table))).toEqual([
      { cost: 100, accuracy: 0.5 },
      { cost: 125, accuracy: 0.75 },
      { cost: 150, accuracy: 1 },
    ]);
    expect(bestWithin(frontier(table), { cost: 160 })!.criterion.thresholds).toEqual([Math.fround(0.3)]);
  });

  it('trades accuracy for any cost', () => {
    const table = randomTable(3, 60, 9);
    const cost = [0.5, 3, 3.25];
    const points = frontier(table, { cost });
    expect(points.length).toBeGreaterThan(3);
    for (const { criterion, cost: spent } of points) {
      const { at } = answers(table, criterion);
      expect(spent).toBeCloseTo(at.reduce((sum, exit) => sum + cost[exit]!, 0) / 60, 9);
    }
    expect(undominated(points)).toEqual(points);
    expect(() => frontier(table, { cost: [1, 2] })).toThrow('expected a finite cost for each of 3 exits, got [1, 2]');
    expect(() => frontier(table, { cost: [1, 2, NaN] })).toThrow('got [1, 2, NaN]');
  });

  it('misses no combination for three exits', () => {
    for (const seed of [1, 2, 3]) {
      const table = randomTable(3, 20, seed);
      expect(traded(frontier(table))).toEqual(traded(exhaustive(table)));
    }
  });

  it('finds for four exits, where it drops some, what trying all combinations does', () => {
    for (const seed of [4, 5, 6]) {
      const table = randomTable(4, 18, seed);
      expect(traded(frontier(table))).toEqual(traded(exhaustive(table)));
    }
  });

  it.each(CRITERIA)('of %s is what replay gives, of twelve exits too', (measure) => {
    for (const [exits, samples] of [[2, 3], [3, 300], [12, 120]] as const) {
      const table = randomTable(exits, samples, exits);
      const points = frontier(table, { measure, candidates: 12 });
      for (const { criterion, accuracy, cost } of points) {
        expect(criterion.kind).toBe(measure);
        expect(answers(table, criterion)).toMatchObject({ accuracy, macs: cost });
      }
      expect(undominated(points)).toEqual(points);
    }
  });

  it('copes with scores that say nothing', () => {
    const same = [said(0, 0.5), said(0, 0.5), said(0, 0.5)];
    // All leave or none does, at either exit.
    expect(traded(frontier(tableOf([0, 0, 1], same, [said(0, 0), said(0, 0), said(1, 0)])))).toEqual([
      { cost: 100, accuracy: 2 / 3 },
      { cost: 200, accuracy: 1 },
    ]);
    expect(traded(frontier(tableOf([0], [notFinite], [said(0, 0)])))).toEqual([{ cost: 200, accuracy: 1 }]);
    expect(traded(frontier(tableOf([0], [notFinite], [notFinite])))).toEqual([{ cost: 200, accuracy: 0 }]);
  });

  it('refuses what has no frontier', () => {
    expect(() => frontier(tableOf([0], [said(0, 0)]))).toThrow('frontier: expected 2 exits or more, got 1');
    expect(() => frontier(tableOf([], [], []))).toThrow('frontier: expected samples, got none in by hand');
    expect(() => frontier(randomTable(2, 5, 1), { candidates: 1 })).toThrow('expected 2 to 256 candidates, got 1');
  });
});

describe('points', () => {
  const points = [[3, 0.8], [1, 0.5], [2, 0.8], [4, 0.7], [2, 0.6]].map(([cost, accuracy]) => ({ cost, accuracy })) as {
    cost: number;
    accuracy: number;
  }[];

  it('that others beat are dropped', () => expect(undominated(points)).toEqual([points[1], points[2]]));

  it('are found by budget and by accuracy', () => {
    expect(bestWithin(points, { cost: 3.5 })).toBe(points[2]);
    expect(bestWithin(points, { cost: 1.9 })).toBe(points[1]);
    expect(bestWithin(points, { cost: 0.9 })).toBeUndefined();
    expect(cheapestWith(points, { accuracy: 0.6 })).toBe(points[2]);
    expect(cheapestWith(points, { accuracy: 0.9 })).toBeUndefined();
  });
});

describe('accuracy against compute', () => {
  const validation = randomTable(3, 400, 1);
  const test = randomTable(3, 300, 2);
  const points = frontier(validation);

  it('is judged on other samples than the points were made on', () => {
    const curve = accuracyCurve(test, points, { budgets: [50, 150, 250, 300], level: 0.9 });
    expect(curve.map(({ budget }) => budget)).toEqual([150, 250, 300]);
    for (const { budget, criterion, accuracy, macs } of curve) {
      expect(criterion).toBe(bestWithin(points, { cost: budget })!.criterion);
      const { right, macs: spent } = answers(test, criterion);
      expect(accuracy).toEqual(wilson(right.filter(Boolean).length, 300, { level: 0.9 }));
      expect(macs).toBe(spent);
    }
  });

  it('needs points and samples', () => {
    expect(() => accuracyCurve(test, [], { budgets: [1] })).toThrow('accuracyCurve: expected points, got none');
    expect(() => accuracyCurve(tableOf([], [], []), points, { budgets: [1] })).toThrow('expected samples, got none');
  });
});
