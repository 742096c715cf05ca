import { describe, expect, it } from 'vitest';
import { compile } from '../../src/graph/program.ts';
import { constant } from '../../src/kernels/define.ts';
import { exitCheck } from '../../src/kernels/exit-check.ts';
import { compactRows } from '../../src/kernels/compact-rows.ts';
import { confidence, entropy } from '../../src/earlyexit/criteria.ts';
import type { Criterion } from '../../src/earlyexit/criteria.ts';
import { exitSettings } from '../../src/earlyexit/criterion-steps.ts';
import type { ExitPlace } from '../../src/earlyexit/criterion-steps.ts';
import { readRecord, RECORD_BYTES } from '../../src/earlyexit/records.ts';
import { Random } from '../../src/random.ts';
import type { Value } from '../../src/kernels/define.ts';
import { Rows } from '../../src/tensor/spec.ts';
import { Tensor } from '../../src/tensor/tensor.ts';
import { openTestDevice } from '../open-test-device.ts';
import { logitsFor, oracle } from './scores-oracle.ts';

const device = await openTestDevice();

interface Checked {
  records: ArrayBuffer;
  /** 1 for a row that goes on. */
  stays: number[];
}

const settingsOf = (classes: number, criterion?: Criterion, place: Partial<ExitPlace> = {}): Tensor =>
  Tensor.from(device, exitSettings(criterion, { exit: 1, first: true, classes, ...place }).settings);

const noTable = (): Value => constant({ dtype: 'f32', shape: [1] }, Float32Array.of(0));

/** Runs the exit check on `rows` rows of logits, compiled for two rows more. */
async function check(logits: Float32Array, classes: number, criterion?: Criterion, always = false): Promise<Checked> {
  const count = logits.length / classes;
  const rows = new Rows(count + 2);
  using settings = settingsOf(classes, criterion, { always });
  using records = Tensor.zeros(device, { dtype: 'u32', shape: [(RECORD_BYTES / 4) * rows.max] });
  const iota = Uint32Array.from({ length: rows.max }, (_, row) => row);
  using program = await compile(device, { logits: { dtype: 'f32', shape: [rows.max, classes], rows } }, (inputs) => {
    const origin = constant({ dtype: 'u32', shape: [rows.max], rows }, iota);
    exitCheck({ logits: inputs.logits, settings, classThresholds: noTable(), origin, records });
    return {};
  });
  await program.call({ logits });
  const bytes = ((await records.read()) as Uint32Array).buffer as ArrayBuffer;
  return { records: bytes, stays: Array.from({ length: count }, (_, row) => Number(!readRecord(bytes, row).left)) };
}

const never = entropy(0);

describe('exit check', () => {
  it.each([1, 2, 3, 10, 63, 64, 65, 127, 255, 256, 257, 1000, 4097])('scores of %i classes match the oracle', async (classes) => {
    const rows = 5;
    const logits = logitsFor(rows, classes, classes);
    const { records } = await check(logits, classes, { ...never, temperatures: [1.7, 1] }, true);
    for (let row = 0; row < rows; row++) {
      const want = oracle(logits.slice(row * classes, (row + 1) * classes), 1.7);
      const got = readRecord(records, row);
      expect(got.label).toBe(want.label);
      expect(got.finite).toBe(true);
      expect(got.confidence).toBeCloseTo(want.confidence, 5);
      expect(got.margin).toBeCloseTo(want.margin, 5);
      expect(Math.abs(got.entropy - want.entropy)).toBeLessThan(2e-5);
      expect(got.exit).toBe(1);
    }
  });

  it('decides strictly, by each criterion', async () => {
    const classes = 10;
    const logits = logitsFor(40, classes, 7);
    const scores = await check(logits, classes, never, true);
    for (const kind of ['entropy', 'confidence', 'margin'] as const) {
      // The threshold is the very score of row 3: that row must not leave.
      const threshold = readRecord(scores.records, 3)[kind];
      const { stays } = await check(logits, classes, { kind, thresholds: [threshold] });
      for (let row = 0; row < 40; row++) {
        const score = readRecord(scores.records, row)[kind];
        const leaves = kind === 'entropy' ? score < threshold : score > threshold;
        expect(stays[row], `${kind} ${score} against ${threshold}`).toBe(Number(!leaves));
      }
      expect(new Set(stays)).toEqual(new Set([0, 1]));
    }
  });

  it.each([10, 300])('rows that are not finite never leave early, are flagged, and disturb nobody (%i classes)', async (classes) => {
    const clean = logitsFor(4, classes, 11);
    const poisoned = clean.slice();
    poisoned[classes + 2] = NaN;
    poisoned[2 * classes] = Infinity;
    poisoned[3 * classes + classes - 1] = -Infinity;
    const easy = entropy(100);
    const before = await check(clean, classes, easy);
    const after = await check(poisoned, classes, easy);
    expect(after.stays).toEqual([0, 1, 1, 1]);
    expect(new Uint8Array(after.records, 0, RECORD_BYTES)).toEqual(new Uint8Array(before.records, 0, RECORD_BYTES));
    const last = await check(poisoned, classes, easy, true);
    for (const row of [1, 2, 3]) {
      const scores = readRecord(last.records, row);
      expect(scores).toMatchObject({ finite: false, confidence: NaN, margin: NaN, entropy: NaN });
      expect(scores.label).toBeLessThan(classes);
    }
    expect(readRecord(last.records, 0).finite).toBe(true);
  });

  it('survives extreme but finite logits', async () => {
    const logits = Float32Array.of(3e38, -3e38, 0, -3e38, -3e38, -3e38, 0, 0, 0, 88, -88, 1e-40);
    const { records } = await check(logits, 3, never, true);
    expect(readRecord(records, 0)).toMatchObject({ label: 0, confidence: 1, margin: 1, entropy: 0, finite: true });
    for (const row of [1, 2]) {
      const { label, confidence, margin, entropy } = readRecord(records, row);
      expect([label, margin]).toEqual([0, 0]);
      expect(confidence).toBeCloseTo(1 / 3, 6);
      expect(entropy).toBeCloseTo(Math.log(3), 6);
    }
    expect(readRecord(records, 3)).toMatchObject({ label: 0, confidence: 1, entropy: 0 });
  });

  it.each([10, 300])('a row has the same bits alone, in a batch, and in another place (%i classes)', async (classes) => {
    const logits = logitsFor(9, classes, 5);
    const batch = await check(logits, classes, never, true);
    for (const row of [0, 4, 8]) {
      const alone = await check(logits.slice(row * classes, (row + 1) * classes), classes, never, true);
      const there = new Uint8Array(batch.records, row * RECORD_BYTES, RECORD_BYTES);
      expect(new Uint8Array(alone.records, 0, RECORD_BYTES)).toEqual(there);
    }
  });
});

describe('compaction', () => {
  const pattern = (rows: number, kind: string, random: Random): number[] =>
    Array.from({ length: rows }, (_, row) =>
      kind === 'none' ? 0 : kind === 'all' ? 1 : kind === 'one' ? Number(row === rows >> 1) : random.below(2));

  it.each([2, 63, 64, 65, 255, 256, 257, 1000, 4097, 65_536])('is stable for %i rows, none, one, some and all staying', async (max) => {
    const rows = new Rows(max);
    const next = new Rows(max, 'next');
    using records = Tensor.zeros(device, { dtype: 'u32', shape: [(RECORD_BYTES / 4) * max] });
    using settings = settingsOf(2, confidence(0.75));
    const input = {
      logits: { dtype: 'f32', shape: [max, 2], rows },
      origin: { dtype: 'u32', shape: [max], rows },
      x: { dtype: 'f32', shape: [max, 3], rows },
    } as const;
    using program = await compile(device, input, ({ logits, origin, x }) => {
      const { order, nextOrigin } = exitCheck({ logits, settings, classThresholds: noTable(), origin, records }, { next });
      return { nextOrigin, x: compactRows({ x, order }) };
    });
    const random = new Random(max);
    for (const kind of ['some', 'none', 'one', 'all']) {
      for (const live of new Set([max, Math.ceil(max / 2)])) {
        for (const regroupFrom of kind === 'some' ? [1, live + 1] : [1]) {
          const place = { exit: 1, first: true, classes: 2, regroupFrom };
          settings.write(exitSettings(confidence(0.75), place).settings);
          const stays = pattern(live, kind, random);
          const logits = Float32Array.from(stays.flatMap((staying) => [0, staying ? 0 : 9]));
          // Each row once, from the back.
          const origin = Uint32Array.from({ length: live }, (_, row) => live - 1 - row);
          const x = Float32Array.from({ length: live * 3 }, (_, index) => index);
          const outputs = program.run({ logits, origin, x });
          const counted = new Uint32Array(await device.read({ buffer: program.live(next).buffer, offset: 0, size: 4 }))[0]!;
          const wanted = [...origin.keys()].filter((row) => stays[row] === 1 || (regroupFrom > 1 && stays.includes(1)));
          expect(counted, `${kind} of ${live}`).toBe(wanted.length);
          program.live(next).decidedOnGpu(counted);
          expect(await outputs.nextOrigin.read()).toEqual(Uint32Array.from(wanted, (row) => origin[row]!));
          expect(await outputs.x.read()).toEqual(Float32Array.from(wanted.flatMap((row) => [row * 3, row * 3 + 1, row * 3 + 2])));
        }
      }
    }
  });

  it.each([10, 300])('of a single row the live count says whether it stays, also if it has left before (%i classes)', async (classes) => {
    const rows = new Rows(1);
    const [second, third] = [new Rows(1, 'second'), new Rows(1, 'third')];
    using records = Tensor.zeros(device, { dtype: 'u32', shape: [RECORD_BYTES / 4] });
    using settings = settingsOf(classes, confidence(0.75));
    using program = await compile(device, { logits: { dtype: 'f32', shape: [1, classes], rows } }, ({ logits }) => {
      let [value, now] = [logits, rows];
      for (const next of [second, third]) {
        const origin = constant({ dtype: 'u32', shape: [1], rows: now }, Uint32Array.of(0));
        const { order } = exitCheck({ logits: value, settings, classThresholds: noTable(), origin, records }, { next });
        [value, now] = [compactRows({ x: value, order }), next];
      }
      return {};
    });
    const counts = (): Promise<number[]> =>
      Promise.all([second, third].map(async (each) => new Uint32Array(await device.read({ buffer: program.live(each).buffer, offset: 0, size: 4 }))[0]!));
    const unsure = new Float32Array(classes);
    const sure = unsure.with(3, 50);
    for (const [logits, wanted] of [[unsure, [1, 1]], [sure, [0, 0]], [unsure, [1, 1]]] as const) {
      program.run({ logits });
      expect(await counts()).toEqual(wanted);
    }
  });
});
