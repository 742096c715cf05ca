import { describe, expect, it } from 'vitest';
import { entropy } from '../../src/earlyexit/criteria.ts';
import { diagnose } from '../../src/earlyexit/judgement/diagnosis.ts';
import type { Ailment, CaseHistory } from '../../src/earlyexit/judgement/diagnosis.ts';
import type { ScoreTable } from '../../src/earlyexit/judgement/scores.ts';
import { notFinite, said, tableOf } from './score-tables.ts';

const COUNT = 200;
const labels = Array.from({ length: COUNT }, (_, sample) => sample % 4);

/** A row of scores: right unless `wrong` says so, with `nats` of entropy. */
const row = (nats: (sample: number) => number, wrong: (sample: number) => boolean = () => false) =>
  labels.map((label, sample) => said(wrong(sample) ? (label + 1) % 4 : label, nats(sample)));

/** Nine of ten samples are easy: exit 1 is sure of them and right. Of the others it is unsure, and half are right. */
const hard = (sample: number): boolean => sample % 10 === 9;
const early = row((sample) => (hard(sample) ? 0.9 : 0.01), (sample) => sample % 20 === 19);
const late = row(() => 0.01);
const healthy: CaseHistory = {
  scores: tableOf(labels, early, late),
  criterion: entropy(0.5),
  heads: [10, 10],
  bootstrapping: { draws: 100 },
};

const times = (early: number, full: number) => ({
  early: Array.from({ length: 100 }, (_, call) => early + (call % 7) / 100),
  full: Array.from({ length: 100 }, (_, call) => full + (call % 5) / 100),
});
const shifted = (scores: ScoreTable) => [{ name: 'fog', scores }];
const stable = { exit: 1, span: { accuracy: 0, share: 0 }, slope: null, unstable: false } as const;
const complete: CaseHistory = {
  ...healthy,
  plain: tableOf(labels, late),
  stability: [{ ...stable, threshold: { value: 0.5, low: 0.4, high: 0.6, standardError: 0.05 } }],
  latency: [{ policy: 'readback', times: times(1, 3) }],
  shifted: shifted(healthy.scores),
};

const found = (history: CaseHistory): Ailment[] =>
  diagnose(history).filter((one) => one.found).map(({ kind }) => kind);

describe('diagnosis', () => {
  it('finds nothing in a sound network, and says with what numbers', () => {
    const examinations = diagnose(complete);
    expect(examinations).toHaveLength(8);
    for (const examination of examinations) {
      expect(examination).toMatchObject({ found: false, says: expect.any(String), next: expect.any(String) });
      if (examination.found !== null) expect(examination.evidence.length).toBeGreaterThan(0);
    }
  });

  it('makes every interval of a share at the level asked for', () => {
    const widths = (level: number): number[] =>
      diagnose({ ...complete, bootstrapping: { draws: 10, level } }).flatMap((one) =>
        one.found === null ? [] : one.evidence.filter(({ unit }) => unit === 'share'))
        .map(({ value: { low, high } }) => high - low);
    const wide = widths(0.99);
    expect(wide.filter((width) => width > 0).length).toBeGreaterThan(5);
    widths(0.5).forEach((narrow, place) => {
      if (wide[place]! > 0) expect(narrow).toBeLessThan(wide[place]!);
    });
  });

  it('says what it has not looked at, and what for', () => {
    const skipped = diagnose(healthy).filter(({ found }) => found === null);
    expect(skipped.map(({ kind }) => kind)).toEqual([
      'unstable thresholds', 'no time saved', 'worse tail latency', 'collapse under shift',
    ]);
    for (const one of skipped) expect(one).toMatchObject({ needs: expect.any(String) });
  });

  it('finds premature exits', () => {
    const hasty = { ...complete, criterion: entropy(1) };
    expect(found(hasty)).toEqual(['premature exits']);
    const [first] = diagnose(hasty);
    // 1 in 20 is lost to leaving.
    expect(first).toMatchObject({ evidence: Array(2).fill({ value: { value: expect.closeTo(0.05) } }).concat({}, {}) });
  });

  it('finds exits that are surer than they are right', () => {
    // The even ones leave, and are right; of the others one in five is wrong, and hardly less sure.
    const sure = row((sample) => (sample % 2 ? 0.01 : 0.001), (sample) => sample % 10 === 9);
    const boasting = { ...healthy, scores: tableOf(labels, sure, late), criterion: entropy(0.005) };
    expect(found(boasting)).toEqual(['shallow over-confidence']);
  });

  it('finds a last exit that the early ones have cost accuracy', () => {
    const worse = tableOf(labels, early, row(() => 0.1, (sample) => sample % 5 === 0));
    expect(found({ ...complete, scores: worse, shifted: [] })).toEqual(['degraded last exit']);
    // Without a network to compare with, only an early exit that is better gives it away.
    expect(found({ ...healthy, scores: worse })).toEqual(['degraded last exit']);
    expect(found({ ...healthy, plain: tableOf(labels, late) })).toEqual([]);
  });

  it('finds unstable thresholds', () => {
    const [threshold] = complete.stability!;
    expect(found({ ...complete, stability: [{ ...threshold!, unstable: true }] })).toEqual(['unstable thresholds']);
  });

  it('finds exits that cost more than they save, and names those to keep', () => {
    const dear = { ...healthy, heads: [10, 10], criterion: entropy(0) };
    expect(found(dear)).toEqual(['exits that cost more than they save']);
    expect(diagnose(dear)[4]).toMatchObject({ next: expect.stringContaining('exits: [2]') });
  });

  it('finds no time saved, and the policy that would', () => {
    const slow = { policy: 'readback', times: times(3.2, 3) } as const;
    const fast = { policy: 'gated', times: times(1, 3) } as const;
    const [, , , , , time, tail] = diagnose({ ...complete, latency: [slow, fast] });
    expect(time).toMatchObject({ found: true, next: expect.stringContaining('--policy gated') });
    expect(tail).toMatchObject({ found: true, next: expect.stringContaining('--policy gated') });
    expect(diagnose({ ...complete, latency: [slow] })[5]).toMatchObject({ next: expect.stringContaining('no policy') });
  });

  it('finds collapse under shift, in each of its ways', () => {
    const wrong = (sample: number) => sample % 4 === 0;
    const both = tableOf(labels, row(() => 0.01, wrong), row(() => 0.01, wrong));
    const exits = tableOf(labels, row(() => 0.01, wrong), late);
    const none = tableOf(labels, row(() => 1), late);
    for (const [scores, says] of [
      [both, 'Under shift samples still leave early and are often wrong (fog).'],
      [exits, expect.stringContaining('the exits lose answers that the last exit gets right (fog)')],
      [none, 'Under shift hardly any sample leaves early any more (fog).'],
    ] as const) {
      expect(found({ ...complete, shifted: shifted(scores) })).toEqual(['collapse under shift']);
      expect(diagnose({ ...complete, shifted: shifted(scores) }).at(-1)).toMatchObject({ says });
    }
  });

  it('takes constant scores and none that is finite for what they are', () => {
    const constant = row(() => 0.5);
    expect(found({ ...healthy, scores: tableOf(labels, constant, constant) })).toEqual([
      'exits that cost more than they save',
    ]);
    const broken = labels.map(() => notFinite);
    expect(diagnose({ ...healthy, scores: tableOf(labels, broken, broken) })[1]).toEqual({
      kind: 'shallow over-confidence', found: null, needs: 'early exits with finite scores',
    });
  });

  it('refuses what it cannot judge', () => {
    const one = [said(0, 0)];
    expect(() => diagnose({ ...healthy, scores: tableOf([0], one) })).toThrow('expected 2 exits or more, got 1');
    expect(() => diagnose({ ...healthy, scores: tableOf([0], one, one) })).toThrow('expected 30 samples or more');
    expect(() => diagnose({ ...healthy, scores: tableOf([], [], []) })).toThrow('expected samples, got none');
    const others = tableOf([3], [said(0, 0)]);
    expect(() => diagnose({ ...healthy, plain: others })).toThrow('expected scores of the samples of by hand');
  });
});
