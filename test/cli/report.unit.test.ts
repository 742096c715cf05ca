import { expect, test } from 'vitest';
import { entropy } from '../../src/earlyexit/criteria.ts';
import { sweep } from '../../src/earlyexit/judgement/sweep.ts';
import { tuneTo } from '../../src/earlyexit/judgement/tuning.ts';
import type { EvaluationReport } from '../../src/index.ts';
import { calibrationText } from '../../src/report/calibration.ts';
import { evaluationText, verdict } from '../../src/report/evaluation.ts';
import { bytes, significant } from '../../src/report/format.ts';
import { sweepText } from '../../src/report/sweep.ts';
import { list, table } from '../../src/report/table.ts';
import { tuningText } from '../../src/report/tuning.ts';
import { randomTable } from '../earlyexit/score-tables.ts';

const report: EvaluationReport = {
  adapter: 'mesa llvmpipe llvmpipe (LLVM 19.1.7, 256 bits)',
  dataset: 'procedural(seed 1)/test',
  samples: 1000,
  criterion: { kind: 'entropy', thresholds: [0.042341] },
  accuracy: 0.978,
  accuracyFull: 0.979,
  notFinite: 0,
  policy: 'readback',
  checked: [1, 2],
  exits: [
    { exit: 1, share: 0.823, accuracy: 0.991, accuracyAll: 0.952, macs: 220_150 },
    { exit: 2, share: 0.177, accuracy: 0.912, accuracyAll: 0.979, macs: 1_247_720 },
  ],
  macs: { mean: 402_028.44, full: 1_140_070, speedup: 2.8358 },
  latencyMs: { early: { p50: 0.3, p95: 0.9, p99: 1.1 }, full: { p50: 0.6, p95: 0.7, p99: 0.8 }, samples: 500 },
  reads: 1.18,
  submits: 1.18,
  dispatches: 5.2,
};

const timed = (early: number, full: number): EvaluationReport => ({
  ...report,
  latencyMs: { early: { p50: early, p95: early, p99: early }, full: { p50: full, p95: full, p99: full }, samples: 500 },
});

test('a report says everything in 80 columns', () => {
  const title = 'models/b-lenet.safetensors';
  const text = evaluationText(report, { title, origin: 'chosen on procedural(seed 1)/validation' });
  expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
  expect(text).toBe(`models/b-lenet.safetensors on procedural(seed 1)/test, 1,000 samples

  82.3 % leave early: 2.84x fewer multiply-accumulates, 0.10 points of accuracy
  lost. On this adapter a sample is 2.00x faster at the median, but 1.29x slower
  at p95.

           leave here   accuracy   accuracy on all        MACs
  exit 1       82.3 %    99.10 %           95.20 %     220,150
  exit 2       17.7 %    91.20 %           97.90 %   1,247,720

                with exits     without
  accuracy         97.80 %     97.90 %   0.10 points lost
  MACs, mean       402,028   1,140,070        2.84x fewer
  latency p50     0.300 ms    0.600 ms       2.00x faster
  latency p95     0.900 ms    0.700 ms       1.29x slower
  latency p99      1.10 ms    0.800 ms       1.38x slower

leaves if entropy < 0.04234 nats: chosen on procedural(seed 1)/validation
one sample: 1.18 reads, 1.18 submits, 5.20 dispatches; latency of 500 samples,
one by one, with and without exits in turn
policy: readback
adapter: mesa llvmpipe llvmpipe (LLVM 19.1.7, 256 bits)`);
});

test('the verdict does not hide that exits cost', () => {
  expect(verdict(timed(0.6, 0.3))).toContain('SAVE NO TIME on this adapter: 2.00x slower');
  expect(verdict(timed(0.6, 0.61))).toContain('SAVE NO TIME on this adapter: the median is the same');
  expect(verdict(timed(0.3, 0.6))).toContain('2.00x faster at the median.');
  const [first, last] = report.exits;
  const never = { ...report, exits: [{ ...first!, share: 0, accuracy: null }, { ...last!, share: 1 }] };
  expect(verdict(never)).toContain('No sample leaves early');
  expect(verdict({ ...report, macs: { mean: 2, full: 1, speedup: 0.5 } })).toContain('2.00x MORE');
  expect(verdict({ ...report, accuracy: 0.98 })).toContain('0.10 points of accuracy won');
  expect(evaluationText(never, { title: 't', origin: 'o' })).toMatch(/exit 1 +0.0 % +- /);
});

test('nor do a sweep and a choice of thresholds', () => {
  const scores = randomTable(2, 50, 1);
  const swept = sweep(scores, scores, entropy(0), { heads: [10, 10], draws: 10 });
  expect(sweepText(swept, { title: 't', origin: 'o' }).replaceAll(/\s+/g, ' ')).toContain('200 MACs, 1.05x more;');
  const achieved = { accuracy: swept.accuracy, gain: swept.gain, macs: { mean: 200, full: 190 }, shares: [] };
  const chosen = tuneTo(scores, { shares: [0, 1] });
  const text = tuningText(chosen, achieved, [], { title: 't', classNames: [] });
  expect(text).toMatch(/MACs, mean +200, 1\.05x more than 190/);
});

test('calibration is shown before and after, with what it does not say', () => {
  const errors = { ece: 0.0281, adaptiveEce: 0.0228, brier: 0.1664, nll: 0.3651 };
  const measures = { accuracy: 0.885, ...errors, failureAuroc: 0.92, bins: [] };
  const judged = { samples: 998, leftOut: 2, before: measures };
  const fit = { samples: 1000, leftOut: 0 };
  const text = calibrationText(
    [
      { ...judged, exit: 1, after: { ...measures, ece: 0.02 } },
      { ...judged, exit: 2, after: { ...measures, brier: null, nll: null, failureAuroc: null } },
    ],
    [
      { ...fit, kind: 'temperature', temperature: 0.05, bounded: true },
      { ...fit, kind: 'platt', slope: 1, intercept: 0 },
    ],
    { title: 'm.safetensors', fittedOn: 'digits/validation', judgedOn: 'digits/test' },
  );
  expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
  expect(text).toContain(`
              accuracy      ECE   adaptive    Brier      NLL   failure AUROC
  exit 1       88.50 %   2.81 %     2.28 %   0.1664   0.3651          0.9200
    T 0.05*    88.50 %   2.00 %     2.28 %   0.1664   0.3651          0.9200
  exit 2       88.50 %   2.81 %     2.28 %   0.1664   0.3651          0.9200
    platt      88.50 %   2.81 %     2.28 %        -        -               -
`);
  expect(text).toContain('* at the end of its range: the data do not say how far, and 1 is kept instead');
  expect(text).toContain('left out for a NaN or infinite logit: up to 2 samples of an exit');
});

test('a criterion is told with its temperatures', () => {
  const criterion = { kind: 'confidence', thresholds: [0.9], temperatures: [1.2345, 1] } as const;
  expect(evaluationText({ ...report, criterion }, { title: 't', origin: 'o' })).toContain(
    'leaves if confidence > 0.9 at temperatures 1.23, 1: o',
  );
});

test('columns line up and long values wrap', () => {
  expect(table([['a', '10'], ['long', '5']])).toBe('a      10\nlong    5');
  expect(list([['name', 'one two three']], { width: 14 })).toBe('name  one two\n      three');
});

test('numbers for people', () => {
  expect([0.03123, 4.2, 118.4, 12_345, NaN].map(significant)).toEqual(['0.0312', '4.20', '118', '12,345', '-']);
  expect([0, 512, 32_768, 2 ** 27, 1.5 * 2 ** 30].map(bytes)).toEqual(['0 B', '512 B', '32 KiB', '128 MiB', '1.5 GiB']);
});
