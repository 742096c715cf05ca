import { describe, expect, it } from 'vitest';
import { stability } from '../../src/earlyexit/judgement/stability.ts';
import type { ScoreTable } from '../../src/earlyexit/judgement/scores.ts';
import { tuneTo } from '../../src/earlyexit/judgement/tuning.ts';
import { notFinite, randomTable, said, tableOf } from './score-tables.ts';

const tuned = (table: ScoreTable) => tuneTo(table, { maxAccuracyLoss: 0.01 });
const fixed = () => ({ criterion: 'entropy' as const, values: [0.5] });

/** Sample k of `count` says k / count nats at exit 1 and is right below `until` nats; the last exit is always right. */
function sharpTable(count: number, until: number): ScoreTable {
  const nats = Array.from({ length: count }, (_, sample) => sample / count);
  const first = nats.map((value) => said(value < until ? 0 : 1, value));
  return tableOf(nats.map(() => 0), first, nats.map(() => said(0, 0)));
}

describe('stability', () => {
  it('spreads as the choices on resampled data do, the same for the same seed', () => {
    const table = randomTable(3, 60, 2);
    const found = stability(table, tuned, { draws: 6 });
    expect(found.map(({ exit }) => exit)).toEqual([1, 2]);
    found.forEach(({ threshold }, exit) => {
      expect(threshold.value).toBe(tuned(table).values[exit]);
      expect(threshold.low).toBeLessThanOrEqual(threshold.high);
      expect(threshold.standardError).toBeGreaterThan(0);
    });
    expect(stability(table, tuned, { draws: 6 })).toEqual(found);
    expect(stability(table, tuned, { draws: 6, seed: 2 })).not.toEqual(found);
  });

  it('calls a threshold stable that no resampling moves', () => {
    const [only] = stability(sharpTable(100, 0.5), fixed, { draws: 5 });
    expect(only).toMatchObject({
      threshold: { value: 0.5, low: 0.5, high: 0.5, standardError: 0 },
      span: { accuracy: 0, share: 0 },
      unstable: false,
    });
  });

  it('calls one unstable that moves accuracy or shares', () => {
    let turn = 0;
    const wavering = () => ({ criterion: 'entropy' as const, values: [[0.5, 0.2, 0.8][turn++ % 3]!] });
    const [only] = stability(sharpTable(100, 0.5), wavering, { draws: 12, level: 0.5 });
    // Of 100 samples 20 leave at one end and 80 at the other, of which 30 are wrong.
    expect(only!.span).toEqual({ accuracy: expect.closeTo(0.3), share: expect.closeTo(0.6) });
    expect(only!.unstable).toBe(true);
  });

  it('gives the slope at the threshold: what the nearest samples win by leaving', () => {
    const slopeAt = (until: number) => stability(sharpTable(400, until), fixed, { draws: 2 })[0]!.slope!;
    expect(slopeAt(1)).toMatchObject({ value: 0, low: 0, high: 0 });
    expect(slopeAt(0.1)).toMatchObject({ value: -1 });
    expect(slopeAt(0.5).value).toBeCloseTo(-0.5, 1);
  });

  it('looks at the thresholds of each class', () => {
    const table = randomTable(2, 200, 3);
    const byClass = (from: ScoreTable) => tuneTo(from, { maxAccuracyLoss: 0.05, perClass: true });
    const found = stability(table, byClass, { draws: 4 });
    expect(found.map(({ exit, label }) => [exit, label])).toEqual([[1, 0], [1, 1], [1, 2], [1, 3]]);
    expect(found.map(({ threshold }) => threshold.value)).toEqual(byClass(table).classValues![0]);
  });

  it('takes what there is: constant scores, three samples, none that is finite', () => {
    const labels = [0, 1, 2];
    const constant = tableOf(labels, labels.map(() => said(0, 0.3)), labels.map((label) => said(label, 0)));
    expect(stability(constant, tuned, { draws: 4 })[0]!.threshold.value).toBe(0);
    const broken = tableOf([0], [notFinite], [said(0, 0)]);
    expect(stability(broken, tuned, { draws: 2 })[0]).toMatchObject({ slope: null, unstable: false });
    expect(() => stability(tableOf([0], [said(0, 0)]), tuned)).toThrow('expected 2 exits or more, got 1');
    expect(() => stability(constant, tuned, { draws: 1 })).toThrow('expected 2 draws or more, got 1');
    expect(() => stability(constant, tuned, { level: 1 })).toThrow('expected a level between 0 and 1, got 1');
  });
});
