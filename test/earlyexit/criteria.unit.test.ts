import { describe, expect, it } from 'vitest';
import {
  and, change, confidence, entropy, gate, margin, maxDepth, minDepth, normalizedEntropy, or, patience, perClass,
  resolveCriterion,
} from '../../src/earlyexit/criteria.ts';
import type { Criterion } from '../../src/earlyexit/criteria.ts';
import { exitSettings } from '../../src/earlyexit/criterion-steps.ts';
import { ArgumentError } from '../../src/errors.ts';

/** What a classifier of 4 exits and 3 classes makes of a criterion. */
function take(criterion: unknown): Criterion {
  const resolved = resolveCriterion(criterion as Criterion, 4, 3);
  exitSettings(resolved, { exit: 1, classes: 3, first: true });
  return resolved;
}

const refuses = (criterion: unknown, message: string): void =>
  expect(() => take(criterion), JSON.stringify(criterion)).toThrow(new ArgumentError(message));

const table = [0.5, 0.6, 0.7];

describe('a criterion that is taken', () => {
  it('has a threshold, a table or a gate for each exit but the last', () => {
    expect(take(entropy(0.2))).toEqual({ kind: 'entropy', thresholds: [0.2, 0.2, 0.2] });
    expect(take(margin(0.1, 0.2, 0.3))).toEqual({ kind: 'margin', thresholds: [0.1, 0.2, 0.3] });
    expect(take(perClass('confidence', [table]))).toEqual({
      kind: 'confidence', thresholds: [], classThresholds: [table, table, table],
    });
    expect(take(gate({ bias: 1 }))).toEqual({ kind: 'gate', gates: Array(3).fill({ bias: 1 }), threshold: 0.5 });
    expect(take({ ...confidence(0.9), temperatures: [1, 2, 3, 4] })).toEqual({
      kind: 'confidence', thresholds: [0.9, 0.9, 0.9], temperatures: [1, 2, 3, 4],
    });
  });

  it('may be as far as a threshold goes, and as deep as the network', () => {
    for (const criterion of [
      entropy(0), entropy(Math.log(3)), normalizedEntropy(1), confidence(0, 1, 0.5), change(1), margin(1),
      patience(1), patience(4), minDepth(4, confidence(0.5)), maxDepth(1, confidence(0.5)), and(confidence(0.5)),
      gate({ bias: -3, exit: 1 }, 0.99),
    ]) {
      expect(() => take(criterion)).not.toThrow();
    }
  });

  it('may combine 16 comparisons and joints: eight comparisons', () => {
    const eight = Array.from({ length: 8 }, () => confidence(0.5));
    expect(() => take(and(...eight))).not.toThrow();
    expect(() => take(or(and(...eight.slice(4)), and(...eight.slice(4))))).not.toThrow();
  });

  it('combines by nesting, in both orders', () => {
    const nested = minDepth(2, or(patience(2), maxDepth(3, confidence(0.9))));
    expect(take(nested)).toEqual({
      kind: 'and',
      of: [
        { kind: 'or', of: [
          { kind: 'patience', exits: 2 },
          { kind: 'or', of: [{ kind: 'confidence', thresholds: [0.9, 0.9, 0.9] }, { kind: 'fromExit', exit: 3 }] },
        ] },
        { kind: 'fromExit', exit: 2 },
      ],
    });
  });
});

describe('a criterion that is refused', () => {
  it('has a threshold that is no number of its range', () => {
    refuses(entropy(NaN), 'entropy: expected thresholds from 0 to 1.0986 nats (log of 3 classes), got NaN');
    refuses(confidence('0.5' as never), "confidence: expected thresholds from 0 to 1, got '0.5'");
    refuses(margin(-0.1), 'margin: expected thresholds from 0 to 1, got -0.1');
    refuses(entropy(1.2), 'entropy: expected thresholds from 0 to 1.0986 nats (log of 3 classes), got 1.2');
    refuses(normalizedEntropy(1.2), 'normalizedEntropy: expected thresholds from 0 to 1, got 1.2');
    refuses(change(Infinity), 'change: expected thresholds from 0 to 1, got Infinity');
    refuses(confidence(undefined as never), 'confidence: expected thresholds from 0 to 1, got undefined');
  });

  it('has the wrong count of thresholds', () => {
    refuses(confidence(), 'confidence: expected 3 thresholds, one per exit but the last, or one for all; got 0');
    refuses(
      confidence(0.1, 0.2),
      'confidence: expected 3 thresholds, one per exit but the last, or one for all; got 2',
    );
    refuses(
      confidence(0.1, 0.2, 0.3, 0.4),
      'confidence: expected 3 thresholds, one per exit but the last, or one for all; got 4',
    );
  });

  it('has tables that do not fit', () => {
    refuses(perClass('confidence', [[0.5, 0.5]]), 'confidence: expected 3 thresholds in a table, one per class, got 2');
    refuses(
      perClass('confidence', [table, table]),
      'confidence: expected 3 tables of thresholds, one per exit but the last, or one for all; got 2',
    );
    refuses(
      perClass('entropy', [[0.5, NaN, 0.5]]),
      'entropy: expected thresholds from 0 to 1.0986 nats (log of 3 classes), got NaN',
    );
    refuses(perClass('patience' as never, [table]), 'patience: expected exits in a row from 1 to 4, got undefined');
    refuses(
      or(perClass('confidence', [table]), perClass('margin', [table])),
      'criterion: expected at most one table of thresholds by class in a combination, got 2',
    );
  });

  it('asks for exits that are not there', () => {
    refuses(patience(0), 'patience: expected exits in a row from 1 to 4, got 0');
    refuses(patience(5), 'patience: expected exits in a row from 1 to 4, got 5');
    refuses(patience(1.5), 'patience: expected exits in a row from 1 to 4, got 1.5');
    refuses(minDepth(0, confidence(0.5)), 'minDepth and maxDepth: expected an exit from 1 to 4, got 0');
    refuses(maxDepth(NaN, confidence(0.5)), 'minDepth and maxDepth: expected an exit from 1 to 4, got NaN');
  });

  it('has a gate that is none', () => {
    const numbers = 'gate: expected finite numbers bias, confidence, margin, entropy, exit, all but bias optional; got';
    refuses(gate({ bias: NaN }), `${numbers} bias NaN`);
    refuses(gate({ confidence: 1 } as never), `${numbers} bias undefined`);
    refuses(gate({ bias: 0, margin: '1' as never }), `${numbers} margin '1'`);
    refuses(gate({ bias: 0, marjin: 1 } as never), `${numbers} marjin 1`);
    refuses(
      gate([{ bias: 0 }, { bias: 1 }]),
      'gate: expected 3 gates, one per exit but the last, or one for all; got 2',
    );
    refuses(gate({ bias: 0 }, 0), 'gate: expected a threshold between 0 and 1, got 0');
    refuses(gate({ bias: 0 }, NaN), 'gate: expected a threshold between 0 and 1, got NaN');
    refuses(and(gate({ bias: 0 }), gate({ bias: 1 })), 'criterion: expected at most one gate in a combination, got 2');
  });

  it('has temperatures that are none, or not on the whole', () => {
    refuses(
      { ...confidence(0.5), temperatures: [1, 1, 1] },
      'confidence: expected 4 positive temperatures, one per exit, got [1, 1, 1]',
    );
    refuses(
      { ...confidence(0.5), temperatures: [1, 0, 1, 1] },
      'confidence: expected 4 positive temperatures, one per exit, got [1, 0, 1, 1]',
    );
    refuses(
      { ...confidence(0.5), temperatures: [1, 1, 1, Infinity] },
      'confidence: expected 4 positive temperatures, one per exit, got [1, 1, 1, Infinity]',
    );
    refuses(
      and({ ...confidence(0.5), temperatures: [1, 1, 1, 1] }),
      'and: expected temperatures on the whole criterion, got them on a part: { ...and(...), temperatures }',
    );
    refuses(
      or(patience(2), and({ ...confidence(0.5), temperatures: [1, 1, 1, 1] })),
      'and: expected temperatures on the whole criterion, got them on a part: { ...and(...), temperatures }',
    );
  });

  it('is no combination, or too long a one', () => {
    refuses(and(), 'and: expected at least one criterion, got none');
    refuses(or(), 'or: expected at least one criterion, got none');
    refuses({ kind: 'and', of: confidence(0.5) }, 'and: expected at least one criterion, got none');
    refuses(
      and(...Array.from({ length: 9 }, () => confidence(0.5))),
      'criterion: expected a combination of at most 16 comparisons and joints, got 17',
    );
  });

  it('is nothing that is known', () => {
    refuses(
      { kind: 'luck', thresholds: [1] },
      "criterion: expected one of entropy, normalizedEntropy, confidence, margin, change, halting, patience, gate, " +
        "and, or, fromExit; got 'luck'",
    );
    refuses(
      and(confidence(0.5), undefined as never),
      "criterion: expected one of entropy, normalizedEntropy, confidence, margin, change, halting, patience, gate, " +
        "and, or, fromExit; got 'undefined'",
    );
  });

  it('is no criterion at all', () => {
    for (const criterion of [undefined, null, 0.5, 'entropy']) {
      expect(() => take(criterion), String(criterion)).toThrow(ArgumentError);
    }
  });

  it('lacks its thresholds or its gates', () => {
    for (const kind of ['entropy', 'gate']) {
      expect(() => take({ kind, threshold: 0.5 }), kind).toThrow(ArgumentError);
    }
  });

  it('has text in place of a number', () => {
    expect(() => take(gate({ bias: 0 }, '0.5' as never))).toThrow(ArgumentError);
    expect(() => take({ ...confidence(0.5), temperatures: [1, 1, 1, '2'] })).toThrow(ArgumentError);
  });
});
