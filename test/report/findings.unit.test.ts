import { describe, expect, it } from 'vitest';
import { answers } from '../../src/earlyexit/judgement/answers.ts';
import { scoreDensities } from '../../src/report/densities.ts';
import { judgeBaseline, judgeModel } from '../../src/report/findings.ts';
import { chooseGallery } from '../../src/report/gallery.ts';
import { verdictOf } from '../../src/report/verdict.ts';
import { notFinite, randomTable, said, tableOf } from '../earlyexit/score-tables.ts';
import { recorded } from './recorded.ts';

// Four leave at exit 1 below 0.4 nats, the last of them wrongly; of two at exit 2 one is right.
const table = tableOf(
  [0, 1, 2, 3, 0, 1],
  [said(0, 0.1), said(1, 0.2), said(2, 0.05), said(0, 0.3), said(0, 0.9), notFinite],
  [said(0, 0.1), said(1, 0.1), said(2, 0.1), said(3, 0.1), said(0, 0.2), said(0, 0.6)],
);

describe('the findings', () => {
  const model = judgeModel(recorded(table));

  it('count what leaves, what is right, and what it costs', () => {
    expect(model.accuracy.value).toBeCloseTo(4 / 6, 12);
    expect(model.accuracyFull.value).toBeCloseTo(5 / 6, 12);
    expect(model.gain.value).toBeCloseTo(-1 / 6, 12);
    expect(model.depths.map(({ share }) => share.value)).toEqual([4 / 6, 2 / 6]);
    expect(model.macs.mean).toBeCloseTo((4 * 100 + 2 * 200) / 6, 12);
    expect(model.macs.speedup).toBeCloseTo(190 / model.macs.mean, 12);
    expect(model.latency.early).toEqual({ p50: 0.5, p95: 2, p99: 2 });
  });

  it('pick samples to look at', () => {
    const { first, last, wrong } = chooseGallery(table, answers(table, recorded(table).criterion), 'entropy');
    expect(first.map(({ sample }) => sample)).toEqual([2, 0, 1, 3, 4, 5]);
    // The one without finite scores is the least sure.
    expect(last.map(({ sample }) => sample)).toEqual([5, 4]);
    expect(wrong).toEqual([{ sample: 3, label: 3, answer: 0, exit: 1, confidence: said(0, 0.3).confidence }]);
  });

  it('sort scores by what became of them', () => {
    const unknown = tableOf([0], [said(0, 2)], [said(0, 0)]);
    const [one, two] = scoreDensities(table, recorded(table).criterion, 'entropy', unknown);
    expect(one!.threshold).toBe(Math.fround(0.4));
    expect(two!.threshold).toBeNull();
    expect(one!.groups.map(({ group, count, leaving }) => [group, count, leaving])).toEqual([
      ['right', 4, 3],
      ['wrong', 1, 1],
      ['unknown', 1, 0],
    ]);
    for (const { shares } of one!.groups) expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 12);
    // Beyond either end they are in the first and the last bin.
    expect(two!.groups.at(-1)!.shares[0]).toBe(1);
    expect(one!.groups.at(-1)!.shares.at(-1)).toBe(1);
  });

  it('say of confidence what it lacks of 1', () => {
    const [one] = scoreDensities(table, { kind: 'confidence', thresholds: [0.9] }, 'confidence');
    // 1 - nats / 2 > 0.9
    expect(one!.groups.map(({ leaving }) => leaving)).toEqual([2, 0]);
    expect(one!.threshold).toBeCloseTo(0.1, 6);
  });

  it('take the curve from validation data, and judge it on others', () => {
    const test = randomTable(3, 100, 5);
    const { curve } = judgeModel(recorded(test));
    expect(curve.length).toBeGreaterThan(5);
    for (const { criterion, accuracy, macs } of curve) {
      const left = answers(test, criterion);
      expect([accuracy.value, macs]).toEqual([left.accuracy, left.macs]);
    }
  });

  it('ask the last exit of a baseline', () => {
    const baseline = judgeBaseline('plain', recorded(table).network, table);
    expect(baseline).toMatchObject({ name: 'plain', macs: 190, accuracy: { value: 5 / 6 } });
  });
});

describe('the verdict', () => {
  const model = judgeModel(recorded(table));

  it('is two sentences', () => {
    expect(verdictOf(model)).toEqual({
      headline: '66.7 % right with exits against 83.3 % without, for 1.42x fewer multiply-accumulates.',
      detail: '66.7 % leave at exit 1. On this adapter a sample is 2.20x faster at the median.',
    });
  });

  it('does not hide that exits cost', () => {
    const dearer = { ...model, macs: { mean: 20, full: 10, speedup: 0.5 } };
    expect(verdictOf(dearer).headline).toContain('2.00x MORE multiply-accumulates');
    const never = judgeModel(recorded(table, { criterion: { kind: 'entropy', thresholds: [0] } }));
    expect(verdictOf(never).headline).toBe('No sample leaves early: 83.33 % right, and the exits only cost.');
  });

  it('shows a small difference', () => {
    const [accuracy, accuracyFull] = [0.9894, 0.99].map((value) => ({ ...model.accuracy, value }));
    const close = { ...model, accuracy: accuracy!, accuracyFull: accuracyFull! };
    expect(verdictOf(close).headline).toContain('98.94 % right with exits against 99.00 % without');
  });
});
