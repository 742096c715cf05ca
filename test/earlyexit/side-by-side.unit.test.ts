import { describe, expect, it } from 'vitest';
import { entropy } from '../../src/earlyexit/criteria.ts';
import { answers } from '../../src/earlyexit/judgement/answers.ts';
import { wilson } from '../../src/earlyexit/judgement/intervals.ts';
import { mcnemar } from '../../src/earlyexit/judgement/paired.ts';
import { compareRuns, sideBySide } from '../../src/earlyexit/judgement/side-by-side.ts';
import { sideBySideText } from '../../src/report/side-by-side.ts';
import { randomTable, said, tableOf } from './score-tables.ts';

describe("McNemar's test", () => {
  /** So many samples that only the first gets right, only the second, both, and none. */
  const answersOf = (first: number, second: number, both: number, none: number): [number[], number[]] => {
    const row = (...counts: [number, number][]) => counts.flatMap(([count, right]) => Array<number>(count).fill(right));
    return [
      row([first, 1], [second, 0], [both, 1], [none, 0]),
      row([first, 0], [second, 1], [both, 1], [none, 0]),
    ];
  };

  it.each([
    // 2 (1 + 6) / 2^6
    [1, 5, 0.21875],
    // 2 (1 + 12 + 66) / 2^12
    [10, 2, 158 / 4096],
    [0, 6, 2 / 64],
    // Both tails hold the middle: no more than 1.
    [3, 3, 1],
    [0, 0, 1],
  ])('of %i against %i is that of a fair coin', (first, second, pValue) => {
    for (const [both, none] of [[0, 1], [7, 4]] as const) {
      const test = mcnemar(...answersOf(first, second, both, none));
      expect(test).toMatchObject({ onlyFirst: first, onlySecond: second });
      expect(test.pValue).toBeCloseTo(pValue, 12);
    }
  });

  it('needs the same samples', () => {
    expect(() => mcnemar([1, 0], [1])).toThrow('mcnemar: expected the same samples on both sides, got 2 and 1');
    expect(() => mcnemar([], [])).toThrow('got 0 and 0');
  });
});

describe('runs side by side', () => {
  const heads = [10, 10, 10];
  const table = { ...randomTable(3, 300, 1), fingerprint: 'same' };
  const { labels } = table.dataset;
  const perfect = labels.length;
  const sure = { ...table, exits: table.exits.map(() => Array.from(labels, (label) => said(label, 0))) };
  const first = { name: 'a', table, criterion: entropy(0.3), heads, seed: 7 };
  const better = { name: 'b', table: sure, criterion: entropy(0.1), heads };

  it('are told by rates with intervals, costs and seeds', () => {
    const times = { adapter: 'x', policy: 'gated' as const, toExit: [[1, 3], [4], [8]], full: [6] };
    const { runs } = sideBySide([first, { ...better, times }], { draws: 20 });
    const { at, right, macs } = answers(table, first.criterion);
    const hits = right.filter(Boolean).length;
    expect(runs[0]).toMatchObject({ name: 'a', seed: 7, judgedOn: { fingerprint: 'same', samples: 300 } });
    expect(runs[0]).toMatchObject({ accuracy: wilson(hits, 300), macs: { mean: macs, full: 280 } });
    expect(runs[0]!.shares[1]).toEqual(wilson(at.filter((exit) => exit === 1).length, 300));
    expect(runs[0]).not.toHaveProperty('milliseconds');
    expect(runs[1]).toMatchObject({ accuracy: wilson(perfect, 300), milliseconds: { mean: 2, full: 6 } });
    expect(runs[1]).not.toHaveProperty('seed');
  });

  it('are compared with the first, at a level for all comparisons together', () => {
    const { comparisons } = sideBySide([first, better, { ...first, name: 'c' }], { draws: 50 });
    const wrong = 300 - answers(table, first.criterion).right.filter(Boolean).length;
    expect(comparisons[0]).toMatchObject({ onlyFirst: 0, onlySecond: wrong, significant: true });
    expect(comparisons[0]!.difference.value).toBeCloseTo(wrong / 300);
    expect(comparisons[1]).toMatchObject({ onlyFirst: 0, onlySecond: 0, pValue: 1, significant: false });
    // 0 against 6, p = 1 / 32: enough for one comparison, not for two.
    const six = tableOf(Array(6).fill(0), Array(6).fill(said(0, 0)));
    const none = { ...six, exits: [Array(6).fill(said(1, 0))] };
    const run = (name: string, from: typeof six) => ({ name, table: from, criterion: entropy(), heads: [10] });
    const [one, other] = [run('none', none), run('six', six)];
    expect(sideBySide([one, other], { draws: 5 }).comparisons[0]!.significant).toBe(true);
    expect(sideBySide([one, other, other], { draws: 5 }).comparisons[0]!.significant).toBe(false);
  });

  it('stay in the table where they are of other samples, but are not compared', () => {
    const foreign = { ...better, table: { ...sure, fingerprint: 'another' } };
    const result = sideBySide([first, foreign], { draws: 20 });
    expect(result.runs).toHaveLength(2);
    expect(result.comparisons).toEqual([null]);
    expect(() => compareRuns(first, foreign)).toThrow(
      'compareRuns: expected the same samples on both sides, got by hand (fingerprint same) and by hand (another)',
    );
    expect(sideBySideText(result)).toContain('2 against 1: not compared, as it was judged on other samples');
  });

  it('fit into 80 columns', () => {
    const text = sideBySideText(sideBySide([first, better], { draws: 20 }));
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
    expect(text).toMatch(/2 against 1: \+[0-9.]+ \[\+[0-9.]+, \+[0-9.]+\] points, LARGER than chance makes it:/);
  });
});
