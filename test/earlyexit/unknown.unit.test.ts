import { describe, expect, it } from 'vitest';
import { entropy } from '../../src/earlyexit/criteria.ts';
import { wilson } from '../../src/earlyexit/judgement/intervals.ts';
import { judgeSelection } from '../../src/earlyexit/judgement/selective.ts';
import { judgeUnknown, wrongfulExits } from '../../src/earlyexit/judgement/unknown.ts';
import { notFinite, said, tableOf } from './score-tables.ts';

/** Exit 1 is as sure of known inputs as of unknown ones, exit 2 is not. */
const known = tableOf(
  [0, 1, 2],
  [said(0, 0.3), said(1, 0.3), said(2, 0.3)],
  [said(0, 0.1), said(1, 0.2), said(2, 0.5)],
);
const unknown = tableOf([0, 0], [said(0, 0.3), said(0, 0.3)], [said(0, 0.4), notFinite]);

describe('unknown inputs', () => {
  it('are told from known ones by every measure at every exit', () => {
    const judged = judgeUnknown(known, unknown);
    expect(judged.map(({ exit, measure }) => `${measure} ${exit}`)).toEqual([
      'entropy 1', 'confidence 1', 'margin 1', 'entropy 2', 'confidence 2', 'margin 2',
    ]);
    for (const { exit, auroc, fpr95 } of judged) {
      // Of six pairs at exit 2 the unknown input of 0.4 nats wins one, against that of 0.5.
      expect([auroc, fpr95]).toEqual(exit === 1 ? [0.5, 1] : [5 / 6, 0.5]);
    }
  });

  it('that leave early are counted, scores that are not finite among those that stay', () => {
    const inputs = tableOf(
      [0, 0, 0, 0],
      [said(0, 0.1), said(0, 0.9), notFinite, said(0, 0.9)],
      [said(0, 0.1), said(0, 0.1), notFinite, said(0, 0.9)],
      [said(0, 0), said(0, 0), said(0, 0), said(0, 0)],
    );
    expect(wrongfulExits(inputs, entropy(0.5), { level: 0.9 })).toEqual({
      share: wilson(2, 4, { level: 0.9 }),
      byExit: [wilson(1, 4, { level: 0.9 }), wilson(1, 4, { level: 0.9 })],
    });
  });

  it('need samples, and scores of the same network', () => {
    expect(() => judgeUnknown(known, tableOf([], [], []))).toThrow('judgeUnknown: expected samples, got none');
    expect(() => judgeUnknown(known, tableOf([0], [said(0, 0)]))).toThrow(
      'expected scores of the same network, got 2 exits of 4 classes and 1 exits of 4 classes',
    );
    expect(() => wrongfulExits(tableOf([0], [said(0, 0)]), entropy())).toThrow('expected 2 exits or more, got 1');
  });
});

describe('selection', () => {
  const table = tableOf(
    [0, 0, 0, 0, 0],
    [said(0, 0.1), said(1, 0.2), said(0, 0.3), said(1, 0.4), notFinite],
    [said(0, 0.1), said(0, 0.1), said(0, 0.1), said(0, 0.1), said(0, 0.1)],
  );

  it('is judged by every measure at every exit', () => {
    const [first, , , second] = judgeSelection(table, { coverage: 0.6 });
    // Right: 0.1 and 0.3 nats; wrong: 0.2, 0.4 and one that is not finite. Of six pairs right ones win five.
    expect(first).toMatchObject({ exit: 1, measure: 'entropy', failureAuroc: 5 / 6 });
    expect(first!.risk).toBeCloseTo(1 / 3, 12);
    expect(first!.area).toBeCloseTo((0 + 1 / 2 + 1 / 3 + 1 / 2 + 3 / 5) / 5, 12);
    expect(second).toEqual({ exit: 2, measure: 'entropy', failureAuroc: null, risk: 0, area: 0 });
  });

  it('takes the measures asked for, and needs samples and a coverage', () => {
    expect(judgeSelection(table, { measures: ['margin'] }).map(({ measure }) => measure)).toEqual(['margin', 'margin']);
    expect(() => judgeSelection(table, { coverage: 80 })).toThrow('expected a coverage in (0, 1], got 80');
    expect(() => judgeSelection(tableOf([], []))).toThrow('judgeSelection: expected samples, got none');
  });
});
