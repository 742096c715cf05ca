import { describe, expect, it } from 'vitest';
import { entropy } from '../../src/earlyexit/criteria.ts';
import type { Criterion } from '../../src/earlyexit/criteria.ts';
import { answers } from '../../src/earlyexit/judgement/answers.ts';
import { pickSamples } from '../../src/earlyexit/judgement/sampling.ts';
import { sweep } from '../../src/earlyexit/judgement/sweep.ts';
import { recordScores, restoreScores } from '../../src/earlyexit/judgement/recording.ts';
import type { RecordedScores } from '../../src/earlyexit/judgement/recording.ts';
import { replay } from '../../src/earlyexit/judgement/thresholds.ts';
import { notFinite, randomTable, said, tableOf } from './score-tables.ts';

const heads = [10, 10, 10];

describe('sweep', () => {
  const [table, validation] = [randomTable(3, 300, 1), randomTable(3, 300, 2)];

  it('judges each point on data it was not chosen on', () => {
    const report = sweep(table, validation, entropy(0.3), { heads, points: 5, draws: 50 });
    expect(report.curve.length).toBeGreaterThan(2);
    expect(report.curve.length).toBeLessThanOrEqual(5);
    for (const { criterion, accuracy, macs } of report.curve) {
      const left = answers(table, criterion);
      expect([accuracy.value, macs]).toEqual([left.accuracy, left.macs]);
    }
    expect(report.full.macs).toBe(280);
    expect(report.oracle.accuracy).toBeGreaterThanOrEqual(report.accuracy.value);
    expect(report.accuracy.value - report.full.accuracy.value).toBeCloseTo(report.gain.value);
    expect(report.exits.reduce((sum, { share }) => sum + share.value, 0)).toBeCloseTo(1);
  });

  it('has milliseconds for each point where times were measured', () => {
    const times = { adapter: 'a', policy: 'readback' as const, toExit: [[1, 3], [4], [8]], full: [6, 8] };
    const { milliseconds, curve } = sweep(table, validation, entropy(0.3), { heads, points: 4, times, draws: 10 });
    const mean = (criterion: Criterion): number =>
      replay(table, criterion).reduce((sum, exit) => sum + [2, 4, 8][exit]!, 0) / 300;
    expect(milliseconds).toMatchObject({ adapter: 'a', policy: 'readback', full: 7, mean: mean(entropy(0.3)) });
    expect(milliseconds!.curve).toEqual(curve.map(({ criterion }) => mean(criterion)));
    expect(() => sweep(table, validation, entropy(0.3), { heads, times: { ...times, toExit: [[1]] } })).toThrow(
      'sweep: expected the times of 3 exits, got those of 1',
    );
  });

  it('refuses one exit and no samples', () => {
    expect(() => sweep(tableOf([0], [said(0, 0)]), validation, entropy(0), { heads: [10] })).toThrow('2 exits or more');
    const empty = tableOf([], [], [], []);
    expect(() => sweep(empty, validation, entropy(0), { heads })).toThrow('expected samples, got none');
  });

  it('takes three samples, constant scores and classes without samples', () => {
    const row = [said(0, 0.2), said(0, 0.2), notFinite];
    const small = tableOf([0, 1, 0], row, row);
    const { curve, thinking, accuracy } = sweep(small, small, entropy(0.1), { heads: [10, 10], draws: 10 });
    expect(curve.map(({ macs }) => macs)).toEqual([400 / 3]);
    expect(accuracy.value).toBeCloseTo(1 / 3);
    expect(thinking.byClass.map(({ count }) => count)).toEqual([2, 1, 0, 0]);
    expect(thinking.byClass[2]).toMatchObject({ overthinking: null, premature: null });
  });
});

describe('a part of a score table', () => {
  it('has the rows of its samples, and the data no images', () => {
    const table = randomTable(2, 20, 1);
    const part = pickSamples(table, Uint32Array.of(3, 3, 0), 'part');
    expect(part.exits[1]).toEqual([3, 3, 0].map((sample) => table.exits[1]![sample]));
    expect([...part.dataset.labels]).toEqual([3, 3, 0].map((sample) => table.dataset.labels[sample]));
    expect(part.dataset).toMatchObject({ name: 'part', images: new Uint8Array() });
  });
});

describe('a record of scores', () => {
  const table = randomTable(3, 40, 5);
  const record = { table, network: 'by-hand', heads };
  const recorded = recordScores(record);

  it('replays as the table does, whatever order its rows are in', () => {
    const order = Array.from(recorded.columns.sample.keys()).reverse();
    const turned = Object.fromEntries(
      Object.entries(recorded.columns).map(([name, column]) => [name, order.map((row) => column[row])]),
    );
    for (const columns of [recorded.columns, turned as unknown as RecordedScores['columns']]) {
      const restored = restoreScores({ ...recorded, columns });
      expect(restored.table.exits).toEqual(table.exits);
      expect(replay(restored.table, entropy(0.3))).toEqual(replay(table, entropy(0.3)));
      expect(recordScores(restored)).toEqual(recorded);
    }
  });

  it('keeps the difficulty of samples and halting scores', () => {
    const difficulty = Float32Array.from(table.dataset.labels, (_, sample) => sample / 40);
    const exits = table.exits.map((list) => list.map((one) => ({ ...one, halting: 0.5 })));
    const full = { ...table, halting: true, dataset: { ...table.dataset, difficulty }, exits };
    const restored = restoreScores(recordScores({ ...record, table: full }));
    expect(restored.table).toMatchObject({ halting: true, dataset: { difficulty }, exits });
  });

  it('refuses what is not whole', () => {
    const { columns, metadata } = recorded;
    const broken = (changes: object) => () => restoreScores({ metadata, columns: { ...columns, ...changes } }, 'file');
    const short = broken({ label: columns.label.subarray(1) });
    expect(short).toThrow('file: expected 120 rows, of 40 samples and 3 exits, got 119');
    expect(broken({ exit: columns.exit.map(() => 1) })).toThrow('got sample 0 at exit 1 in row 1 for the second time');
    expect(broken({ exit: columns.exit.map(() => 9) })).toThrow('got sample 0 at exit 9 in row 0');
    expect(broken({ label: columns.label.map(() => 4) })).toThrow('expected labels below 4, got 4');
    expect(() => restoreScores({ columns, metadata: '{}' }, 'file')).toThrow('file.formatVersion: expected an integer');
    const newer = metadata.replace('"formatVersion":1', '"formatVersion":2');
    expect(() => restoreScores({ columns, metadata: newer }, 'file')).toThrow('a newer exitgpu reads it');
  });
});
