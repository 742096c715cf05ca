import { describe, expect, it } from 'vitest';
import { auroc, fprAtTpr, riskAtCoverage, selectiveRisks } from '../../src/earlyexit/judgement/ranking.ts';
import { Random } from '../../src/random.ts';

const repeated = (counts: readonly number[]): number[] =>
  counts.flatMap((count, rating) => new Array<number>(count).fill(rating));

describe('auroc', () => {
  it('is the published area of the tomography ratings', () => {
    // Hanley and McNeil 1982, table I: ratings 1 to 5 of 51 abnormal and 58 normal images; W = 0.893.
    const [abnormal, normal] = [repeated([3, 2, 2, 11, 33]), repeated([33, 6, 6, 11, 2])];
    expect(auroc(abnormal, normal)).toBeCloseTo(2642 / (51 * 58), 12);
    expect(auroc(normal, abnormal)).toBeCloseTo(1 - 2642 / (51 * 58), 12);
  });

  it('counts pairs, ties half', () => {
    const random = new Random(3);
    const [positives, negatives] = [40, 60].map((count, side) =>
      Array.from({ length: count }, () => random.below(20) - 4 * side)) as [number[], number[]];
    const pairs = positives.flatMap((one) => negatives.map((other) => (Math.sign(one - other) + 1) / 2));
    expect(auroc(positives, negatives)).toBeCloseTo(pairs.reduce((sum, won) => sum + won, 0) / pairs.length, 12);
  });

  it('is 0.5 of constant scores and takes infinities', () => {
    expect(auroc([2, 2, 2], [2, 2])).toBe(0.5);
    expect(auroc([1, -Infinity], [-Infinity])).toBe(0.75);
  });

  it('needs both sides, and numbers', () => {
    expect(() => auroc([], [1])).toThrow('auroc: expected positives, got none');
    expect(() => auroc([1], [])).toThrow('auroc: expected negatives, got none');
    expect(() => auroc([1], [0, NaN])).toThrow('expected scores that are numbers, got NaN among the negatives');
  });
});

describe('false positives at a rate of true ones', () => {
  const positives = Array.from({ length: 100 }, (_, index) => index);

  it('are counted from the strictest threshold that passes enough', () => {
    // 95 of the 100 are 5 or more.
    expect(fprAtTpr(positives, [4, 5, 6, -1])).toBe(0.5);
    expect(fprAtTpr(positives, [4, 5, 6, -1], { tpr: 0.07 })).toBe(0);
    expect(fprAtTpr(positives, [92, 93, 94, -1], { tpr: 0.07 })).toBe(0.5);
    expect(fprAtTpr(positives, [4, 5, 6, -1], { tpr: 1 })).toBe(0.75);
  });

  it('are all of them where scores are constant, and those of 3 samples', () => {
    expect(fprAtTpr([1, 1], [1, 1, 1])).toBe(1);
    expect(fprAtTpr([1, 2, 3], [0, 1, 2])).toBeCloseTo(2 / 3, 12);
    expect(() => fprAtTpr([1], [1], { tpr: 95 })).toThrow('expected tpr in (0, 1], got 95');
  });
});

describe('risk and coverage', () => {
  it('is the share of errors among the surest', () => {
    const curve = selectiveRisks([0.2, 0.9, 0.4, 0.7], [0, 1, 1, 0]);
    expect([...curve.risks]).toEqual([0, 1 / 2, 1 / 3, 2 / 4]);
    expect(curve.area).toBeCloseTo((1 / 2 + 1 / 3 + 1 / 2) / 4, 12);
    expect(riskAtCoverage(curve, 0.5)).toBe(1 / 2);
    expect(riskAtCoverage(curve, 0.51)).toBe(1 / 3);
    expect(riskAtCoverage(curve, 0.01)).toBe(0);
  });

  it('of ties is the mean over their orders', () => {
    // 3 first; then two of 2, one wrong: half an error among the first two, one among three.
    const { risks } = selectiveRisks([2, 3, 2, 1], [0, 1, 1, 1]);
    expect([...risks]).toEqual([0, 0.25, 1 / 3, 1 / 4]);
    expect([...selectiveRisks([5, 5, 5, 5], [1, 0, 0, 1]).risks]).toEqual([0.5, 0.5, 0.5, 0.5]);
    expect([...selectiveRisks([-Infinity, -Infinity, 0], [0, 0, 1]).risks]).toEqual([0, 1 / 2, 2 / 3]);
  });

  it('refuses what has no curve', () => {
    expect(() => selectiveRisks([], [])).toThrow('selectiveRisks: expected scores, got none');
    expect(() => selectiveRisks([1], [])).toThrow('expected as many answers as scores, got 0 and 1');
    expect(() => selectiveRisks([NaN], [1])).toThrow('got NaN among the scores');
    expect(() => riskAtCoverage(selectiveRisks([1], [1]), 0)).toThrow('expected a coverage in (0, 1], got 0');
  });
});
