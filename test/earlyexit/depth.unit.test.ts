import { describe, expect, it } from 'vitest';
import { confidence, entropy, patience } from '../../src/earlyexit/criteria.ts';
import { exitDepths } from '../../src/earlyexit/judgement/depth.ts';
import { bootstrapDifference, wilson } from '../../src/earlyexit/judgement/intervals.ts';
import { judgeThinking, oracle } from '../../src/earlyexit/judgement/overthinking.ts';
import { replay } from '../../src/earlyexit/judgement/thresholds.ts';
import { notFinite, randomTable, said, tableOf } from './score-tables.ts';

const heads = [10, 10, 10];

/**
 * Below 0.5 nats sample 0 leaves at exit 1 right, 1 at exit 1 wrong though later exits are right, 2 at exit 2 right
 * though the last is wrong, 3 and 4 at the last, of which 4 has no finite score before; 5 is wrong everywhere.
 */
const table = tableOf(
  [0, 1, 2, 3, 0, 1],
  [said(0, 0.1), said(0, 0.1), said(2, 0.9), said(0, 0.9), notFinite, said(0, 0.9)],
  [said(0, 0.1), said(1, 0.1), said(2, 0.1), said(3, 0.9), notFinite, said(0, 0.9)],
  [said(0, 0.1), said(1, 0.1), said(0, 0.1), said(3, 0.1), said(0, 0.1), said(0, 0.1)],
);
const criterion = entropy(0.5);

describe('exit depths', () => {
  const [first, second, last] = exitDepths(table, criterion, { heads, seed: 3, draws: 200 }) as [Depth, Depth, Depth];
  type Depth = ReturnType<typeof exitDepths>[number];

  it('say where samples leave, and how right they are there', () => {
    expect([first, second, last].map(({ share }) => share)).toEqual([wilson(2, 6), wilson(1, 6), wilson(3, 6)]);
    expect([first, second, last].map(({ accuracy }) => accuracy)).toEqual([wilson(1, 2), wilson(1, 1), wilson(2, 3)]);
    expect([first, second, last].map(({ accuracyAll }) => accuracyAll.value)).toEqual([2 / 6, 4 / 6, 4 / 6]);
  });

  it('count what heads cost that samples passed', () => {
    expect([first, second, last].map(({ wastedMacs }) => wastedMacs)).toEqual([(4 * 10) / 6, (3 * 10) / 6, 0]);
  });

  it('say what an exit adds', () => {
    // Without exit 1, samples 0 and 1 leave at exit 2, both right, for 190 each; all others spare its head.
    expect(first.value!.accuracy).toEqual(
      bootstrapDifference([1, 0, 1, 1, 1, 0], [1, 1, 1, 1, 1, 0], { seed: 3, draws: 200 }),
    );
    expect(first.value!.macs).toBeCloseTo((2 * (100 - 190) + 4 * 10) / 6, 9);
    // Without exit 2, sample 2 goes on to the last, which is wrong, for 290; 3, 4 and 5 spare the head.
    expect(second.value!.accuracy.value).toBeCloseTo(1 / 6, 12);
    expect(second.value!.macs).toBeCloseTo((200 - 290 + 3 * 10) / 6, 12);
    expect(last.value).toBeNull();
  });

  it('know no accuracy of nobody, and one exit', () => {
    const [unused] = exitDepths(table, entropy(0), { heads, draws: 2 });
    expect(unused).toMatchObject({ share: { value: 0 }, accuracy: null, wastedMacs: 10, value: { macs: 10 } });
    const only = exitDepths(tableOf([0], [said(0, 0)]), entropy(), { heads: [10] });
    expect(only).toMatchObject([{ exit: 1, share: { value: 1 }, wastedMacs: 0, value: null }]);
  });

  it('refuse no samples and heads of another network', () => {
    const empty = tableOf([], [], []);
    expect(() => exitDepths(empty, criterion, { heads })).toThrow('exitDepths: expected samples, got none in by hand');
    expect(() => exitDepths(table, criterion, { heads: [10] })).toThrow('expected the costs of 3 heads, got 1');
  });
});

describe('replay of a network with some of its exits', () => {
  it('asks those alone, the last of them always', () => {
    expect([...replay(table, criterion, { exits: [2, 3] })]).toEqual([1, 1, 1, 2, 2, 2]);
    expect([...replay(table, entropy(0.5, 0), { exits: [1, 2] })]).toEqual([0, 0, 1, 1, 1, 1]);
    expect([...replay(table, criterion, { exits: [3] })]).toEqual([2, 2, 2, 2, 2, 2]);
    expect(() => replay(table, criterion, { exits: [2, 1] })).toThrow('replay: expected ascending exits from 1 to 3');
  });

  it('counts labels in a row over them', () => {
    const turning = tableOf([0], [said(0, 0.1)], [said(1, 0.1)], [said(0, 0.1)], [said(0, 0.1)]);
    expect([...replay(turning, patience(2))]).toEqual([3]);
    expect([...replay(turning, patience(2), { exits: [1, 3, 4] })]).toEqual([2]);
  });
});

describe('the oracle', () => {
  it('leaves at the first exit that is right, and at once where none is', () => {
    const best = oracle(table);
    expect([...best.at]).toEqual([0, 1, 0, 1, 2, 0]);
    expect(best.accuracy).toBe(5 / 6);
    expect(best.macs).toBe((100 + 200 + 100 + 200 + 300 + 100) / 6);
  });

  it('is beaten by no criterion', () => {
    const random = randomTable(4, 200, 9);
    const best = oracle(random);
    for (const threshold of [0, 0.5, 0.7, 0.9, 1]) {
      const { gap } = judgeThinking(random, confidence(threshold));
      expect(gap.accuracy).toBeGreaterThanOrEqual(0);
      expect(gap.accuracy).toBeLessThanOrEqual(best.accuracy);
    }
  });
});

describe('thinking', () => {
  it('is too long or too short where the last exit and the one left at disagree about the right answer', () => {
    const report = judgeThinking(table, criterion, { level: 0.9 });
    expect(report).toMatchObject({
      count: 6,
      overthinking: wilson(1, 6, { level: 0.9 }),
      premature: wilson(1, 6, { level: 0.9 }),
    });
    // 4 of 6 right for (2 100 + 200 + 3 300) / 6, the oracle 5 for 1000 / 6.
    expect(report.gap.accuracy).toBeCloseTo(1 / 6, 12);
    expect(report.gap.macs).toBeCloseTo(300 / 6, 12);
    expect(report.byDifficulty).toBeUndefined();
  });

  it('is told by class, of empty ones too', () => {
    const twoClasses = tableOf([0, 1], [said(1, 0.1), said(1, 0.1)], [said(0, 0), said(0, 0)]);
    expect(judgeThinking(twoClasses, criterion).byClass).toMatchObject([
      { name: 'a', count: 1, overthinking: { value: 0 }, premature: { value: 1 } },
      { name: 'b', count: 1, overthinking: { value: 1 }, premature: { value: 0 } },
      { name: 'c', count: 0, overthinking: null, premature: null },
      { name: 'd', count: 0 },
    ]);
  });

  it('is told by thirds of difficulty, which equal ones do not part', () => {
    const withDifficulty = (...difficulty: number[]) => ({
      ...table,
      dataset: { ...table.dataset, difficulty: Float32Array.from(difficulty) },
    });
    const { byDifficulty } = judgeThinking(withDifficulty(0, 1, 0.5, 0.25, 0.75, 0.125), criterion);
    expect(byDifficulty).toMatchObject([
      { upTo: 0.125, count: 2, premature: { value: 0 } },
      { upTo: 0.5, count: 2, overthinking: { value: 0.5 } },
      { upTo: 1, count: 2, premature: { value: 0.5 } },
    ]);
    const tied = judgeThinking(withDifficulty(0, 0, 0, 0, 0, 1), criterion).byDifficulty!;
    expect(tied.map(({ count }) => count)).toEqual([5, 0, 1]);
    expect(tied[1]).toMatchObject({ premature: null });
  });

  it('needs samples and two exits', () => {
    expect(() => judgeThinking(tableOf([0], [said(0, 0)]), entropy())).toThrow('expected 2 exits or more, got 1');
    expect(() => judgeThinking(tableOf([], [], []), criterion)).toThrow('judgeThinking: expected samples, got none');
  });
});
