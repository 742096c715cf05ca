import { describe, expect, it } from 'vitest';
import { open } from '#exitgpu';
import { confidence, entropy } from '../../src/earlyexit/criteria.ts';
import type { Criterion } from '../../src/earlyexit/criteria.ts';
import { exitSettings } from '../../src/earlyexit/criterion-steps.ts';
import { readRecord, RECORD_BYTES } from '../../src/earlyexit/records.ts';
import type { Answer } from '../../src/earlyexit/records.ts';
import { ArgumentError, GpuError, ShapeError } from '../../src/errors.ts';
import { compile } from '../../src/graph/program.ts';
import { compactRows } from '../../src/kernels/compact-rows.ts';
import { constant } from '../../src/kernels/define.ts';
import type { Value } from '../../src/kernels/define.ts';
import { exitCheck } from '../../src/kernels/exit-check.ts';
import type { ExitCheckAttributes, ExitVariant } from '../../src/kernels/exit-check.ts';
import type { Decision, Staying } from '../../src/kernels/exit-decision.ts';
import { exitHead } from '../../src/kernels/exit-head.ts';
import { Random } from '../../src/random.ts';
import { Rows } from '../../src/tensor/spec.ts';
import { Tensor } from '../../src/tensor/tensor.ts';
import { openTestDevice } from '../open-test-device.ts';
import { logitsFor, oracle } from './scores-oracle.ts';

const device = await openTestDevice();

const variants: ExitVariant[] = ['row', 'workgroup', 'split'];
if (device.features.has('subgroups')) variants.push('subgroup');

type Data = Float32Array | Uint32Array;
type Decide = (x: Value, decision: Decision, next: Rows) => { readonly [K in Staying]: Value };

interface Checked {
  readonly records: ArrayBuffer;
  readonly answers: readonly Answer[];
  /** Of the rows that stay, in their order; not listed of a single row. */
  readonly staying: readonly number[];
  readonly left: number;
}

/**
 * Runs an operation that decides on `count` rows of `x`, in a program for two more; of a single row, which takes a way
 * of its own, in a program for one.
 */
async function decide(x: Data, count: number, classes: number, criterion: Criterion, op: Decide): Promise<Checked> {
  const max = count === 1 ? 1 : count + 2;
  const rows = new Rows(max);
  const next = new Rows(max, 'next');
  using settings = Tensor.from(device, exitSettings(criterion, { exit: 1, first: true, classes }).settings);
  using records = Tensor.zeros(device, { dtype: 'u32', shape: [(RECORD_BYTES / 4) * max] });
  const dtype = x instanceof Uint32Array ? 'u32' : 'f32';
  const iota = Uint32Array.from({ length: max }, (_, row) => row);
  using program = await compile(device, { x: { dtype, shape: [max, x.length / count], rows } }, (inputs) => {
    const origin = constant({ dtype: 'u32', shape: [max], rows }, iota);
    const classThresholds = constant({ dtype: 'f32', shape: [1] }, Float32Array.of(0));
    const { nextOrigin } = op(inputs.x, { settings, classThresholds, origin, records }, next);
    return { nextOrigin };
  });
  const { nextOrigin } = program.run({ x });
  const bytes = ((await records.read()) as Uint32Array).buffer as ArrayBuffer;
  const beyond = new Uint32Array(bytes, count * RECORD_BYTES);
  expect(beyond, 'records of rows that are not live').toEqual(new Uint32Array(beyond.length));
  const { buffer } = program.live(next);
  const [left] = new Uint32Array(await device.read({ buffer, offset: 0, size: 4 }));
  program.live(next).decidedOnGpu(left);
  const answers = Array.from({ length: count }, (_, row) => readRecord(bytes, row));
  return { records: bytes, answers, left: left!, staying: count > 1 ? Array.from(await nextOrigin.read()) : [] };
}

const check = (
  data: Data,
  count: number,
  classes: number,
  attributes: ExitCheckAttributes,
  criterion: Criterion = entropy(0),
): Promise<Checked> =>
  decide(data, count, classes, criterion, (logits, decision, next) =>
    exitCheck({ logits, ...decision }, { ...attributes, next }));

/** Scores are sums of up to 128,256 terms: their order may show in the fifth digit of an entropy of 10 nats. */
function expectScores(got: Answer, want: ReturnType<typeof oracle>, what: string): void {
  expect(got.label, `${what}: label`).toBe(want.label);
  expect(got.finite, `${what}: finite`).toBe(true);
  for (const [kind, tolerance] of [['confidence', 1e-5], ['margin', 1e-5], ['entropy', 2e-5]] as const) {
    const scale = Math.max(1, want[kind]);
    expect(Math.abs(got[kind] - want[kind]), `${what}: ${kind}`).toBeLessThan(tolerance * scale);
  }
}

const rowOf = (data: Float32Array, row: number, length: number): Float32Array =>
  data.slice(row * length, (row + 1) * length);
const recordOf = ({ records }: Checked, row: number): Uint8Array =>
  new Uint8Array(records, row * RECORD_BYTES, RECORD_BYTES);

/** Between the two scores in the middle: about half the rows leave, and none by its last bit. */
function thresholdBetween(scores: readonly number[]): number {
  const sorted = scores.toSorted((a, b) => a - b);
  const middle = scores.length >> 1;
  return (sorted[middle]! + sorted[Math.max(0, middle - 1)]!) / 2;
}

function expectStaying({ answers, staying, left }: Checked, what: string): void {
  const rows = [...answers.keys()].filter((row) => !answers[row]!.left);
  expect(left, `${what}: how many stay`).toBe(rows.length);
  if (answers.length > 1) expect(staying, `${what}: who stays`).toEqual(rows);
}

const CLASSES = [1, 2, 3, 10, 63, 64, 65, 255, 256, 257, 1000, 4097, 32_000, 128_256];

describe('variants of the exit check', () => {
  it.each(CLASSES)('agree on %i classes', async (classes) => {
    const count = classes === 10 || classes === 257 ? 65 : 3;
    const logits = logitsFor(count, classes, classes, 2);
    const wanted = Array.from({ length: count }, (_, row) => oracle(rowOf(logits, row, classes)));
    const criterion = entropy(thresholdBetween(wanted.map((scores) => scores.entropy)));
    const byRow = await check(logits, count, classes, { variant: 'row' }, criterion);
    for (const variant of [undefined, ...variants]) {
      const got = await check(logits, count, classes, variant ? { variant } : {}, criterion);
      got.answers.forEach((answer, row) => expectScores(answer, wanted[row]!, `${variant} row ${row}`));
      expect(got.left, `${variant}: how many stay`).toBe(byRow.left);
      expect(got.staying, `${variant}: who stays`).toEqual(byRow.staying);
      expectStaying(got, String(variant));
      for (const row of [0, count - 1]) {
        const alone = await check(rowOf(logits, row, classes), 1, classes, variant ? { variant } : {}, criterion);
        expect(recordOf(alone, 0), `${variant} row ${row}: the same bits alone`).toEqual(recordOf(got, row));
        expectStaying(alone, `${variant} row ${row} alone`);
      }
    }
  });

  it.each(variants)('%s: rows that are not finite never leave early, and disturb nobody', async (variant) => {
    const classes = 300;
    const clean = logitsFor(5, classes, 11);
    const poisoned = clean.slice();
    poisoned[classes + 2] = NaN;
    poisoned[2 * classes] = Infinity;
    poisoned[4 * classes - 1] = -Infinity;
    poisoned.fill(NaN, 4 * classes);
    const before = await check(clean, 5, classes, { variant }, entropy(100));
    const after = await check(poisoned, 5, classes, { variant }, entropy(100));
    expect(before.staying).toEqual([]);
    expect(after.staying).toEqual([1, 2, 3, 4]);
    expect(recordOf(after, 0)).toEqual(recordOf(before, 0));
    for (const answer of after.answers.slice(1)) {
      expect(answer).toMatchObject({ finite: false, confidence: NaN, margin: NaN, entropy: NaN });
      expect(answer.label).toBeLessThan(classes);
    }
  });

  it.each(variants)('%s: extreme logits, and the first of equal ones', async (variant) => {
    const classes = 300;
    const far = new Float32Array(classes).fill(-3e38).with(299, 3e38);
    const lowest = new Float32Array(classes).fill(-3e38);
    const two = new Float32Array(classes).fill(-100).with(130, 7).with(131, 7);
    const { answers } = await check(Float32Array.of(...far, ...lowest, ...two), 3, classes, { variant });
    expect(answers[0]).toMatchObject({ label: 299, confidence: 1, margin: 1, entropy: 0, finite: true });
    expect(answers[1]).toMatchObject({ label: 0, margin: 0, finite: true });
    expect(answers[1]!.entropy).toBeCloseTo(Math.log(classes), 4);
    expect(answers[2]).toMatchObject({ label: 130, confidence: 0.5, margin: 0, finite: true });
  });

  it.each(variants)('%s: the same bits each time', async (variant) => {
    const classes = 20_000;
    const logits = logitsFor(2, classes, 3);
    const first = await check(logits, 2, classes, { variant });
    for (let repeat = 0; repeat < 20; repeat++) expect(await check(logits, 2, classes, { variant })).toEqual(first);
  });

  it.each(variants)('%s: of a single row that has left, those behind hear that there is none', async (variant) => {
    const classes = 300;
    const first = new Rows(1);
    const [second, third] = [new Rows(1, 'second'), new Rows(1, 'third')];
    using settings = Tensor.from(device, exitSettings(confidence(0.75), { exit: 1, first: true, classes }).settings);
    using records = Tensor.zeros(device, { dtype: 'u32', shape: [RECORD_BYTES / 4] });
    const spec = { dtype: 'f32', shape: [1, classes], rows: first } as const;
    using program = await compile(device, { logits: spec }, (inputs) => {
      let [logits, rows] = [inputs.logits, first];
      for (const next of [second, third]) {
        const origin = constant({ dtype: 'u32', shape: [1], rows }, Uint32Array.of(0));
        const classThresholds = constant({ dtype: 'f32', shape: [1] }, Float32Array.of(0));
        const { order } = exitCheck({ logits, settings, classThresholds, origin, records }, { next, variant });
        [logits, rows] = [compactRows({ x: logits, order }), next];
      }
      return {};
    });
    const unsure = new Float32Array(classes);
    for (const [logits, wanted] of [[unsure, 1], [unsure.with(3, 50), 0], [unsure, 1]] as const) {
      program.run({ logits });
      for (const rows of [second, third]) {
        const count = await device.read({ buffer: program.live(rows).buffer, offset: 0, size: 4 });
        expect(new Uint32Array(count), rows.label).toEqual(Uint32Array.of(wanted));
      }
    }
  });

  it('refuses a variant that it does not know', async () => {
    await expect(check(new Float32Array(2), 1, 2, { variant: 'wave' as ExitVariant })).rejects.toThrow(
      new ArgumentError('exit-check: expected variant row, subgroup, workgroup or split, got wave'),
    );
  });

  it('says which feature the device lacks', async ({ skip }) => {
    const gpu = globalThis.navigator?.gpu;
    const adapter = await gpu?.requestAdapter();
    if (!adapter) return skip('only a page gives devices without features');
    using plain = await open({ device: await adapter.requestDevice() });
    const rows = new Rows(1);
    const wanted = compile(plain, { x: { dtype: 'f32', shape: [1, 2], rows } }, ({ x }) => {
      const words = (length: number): Value => constant({ dtype: 'u32', shape: [length] }, new Uint32Array(length));
      const settings = words(exitSettings(undefined, { exit: 1, first: true, classes: 2 }).settings.length);
      const origin = constant({ dtype: 'u32', shape: [1], rows }, Uint32Array.of(0));
      const classThresholds = constant({ dtype: 'f32', shape: [1] }, Float32Array.of(0));
      const decision = { settings, classThresholds, origin, records: words(RECORD_BYTES / 4) };
      exitCheck({ logits: x, ...decision }, { variant: 'subgroup' });
      return {};
    });
    await expect(wanted).rejects.toThrow(GpuError);
    await expect(wanted).rejects.toThrow('program/exit-check: kernel exit-check-subgroup needs the feature subgroups');
  });
});

describe('logits of half precision', () => {
  /** A finite f16: magnitudes from 2^-10 to 2^5. */
  const randomHalf = (random: Random): number =>
    (random.below(2) << 15) | ((5 + random.below(16)) << 10) | random.below(1024);
  const widen = (half: number): number =>
    (half >> 15 ? -1 : 1) * 2 ** (((half >> 10) & 31) - 15) * (1 + (half & 1023) / 1024);

  /** Each row begins with a word of its own; what fills up its last one is a NaN that nobody may look at. */
  function pack(halves: Uint16Array, count: number): Uint32Array {
    const classes = halves.length / count;
    const even = classes + (classes % 2);
    const padded = new Uint16Array(count * even).fill(0x7e00);
    for (let row = 0; row < count; row++) padded.set(halves.subarray(row * classes, (row + 1) * classes), row * even);
    return new Uint32Array(padded.buffer);
  }

  it.each([1, 2, 3, 10, 65, 255, 257, 4097])('give the scores of their numbers (%i classes)', async (classes) => {
    const count = 3;
    const random = new Random(classes);
    const halves = Uint16Array.from({ length: count * classes }, () => randomHalf(random));
    const logits = Float32Array.from(halves, widen);
    const half = { classes };
    for (const variant of [undefined, ...variants]) {
      const attributes = variant ? { half, variant } : { half };
      const got = await check(pack(halves, count), count, classes, attributes);
      got.answers.forEach((answer, row) =>
        expectScores(answer, oracle(rowOf(logits, row, classes)), `${variant} row ${row}`));
      const alone = await check(pack(halves.slice(0, classes), 1), 1, classes, attributes);
      expect(recordOf(alone, 0), `${variant}: the same bits alone`).toEqual(recordOf(got, 0));
    }
    const full = await check(logits, count, classes, { variant: 'row' });
    const packed = await check(pack(halves, count), count, classes, { variant: 'row', half });
    expect(packed.records).toEqual(full.records);
  });

  it.each(variants)('%s: finds those that are not finite by their bits', async (variant) => {
    const classes = 9;
    const halves = new Uint16Array(5 * classes).fill(0x3c00);
    for (const [row, place, bits] of [[1, 0, 0x7c00], [2, 5, 0xfc00], [3, 8, 0x7e00], [4, 1, 0x7c01]] as const) {
      halves[row * classes + place] = bits;
    }
    const { staying } = await check(pack(halves, 5), 5, classes, { half: { classes }, variant }, entropy(100));
    expect(staying).toEqual([1, 2, 3, 4]);
  });

  it('come in rows of whole words', async () => {
    await expect(check(new Uint32Array(4), 1, 9, { half: { classes: 9 } })).rejects.toThrow(
      new ShapeError('exit-check: expected logits u32[rows, 5], pairs of 9 f16, got u32[rows, 4]'),
    );
  });
});

describe('exit head', () => {
  interface Layer {
    readonly weight: Float32Array;
    readonly bias: Float32Array;
  }
  const layer = (features: number, classes: number): Layer => ({
    weight: logitsFor(classes, features, classes + 1, 1 / Math.sqrt(features)),
    bias: logitsFor(1, classes, classes + 2, 1),
  });

  const head = (x: Float32Array, count: number, { weight, bias }: Layer, criterion: Criterion): Promise<Checked> => {
    const [classes, features] = [bias.length, x.length / count];
    return decide(x, count, classes, criterion, (value, decision, next) => {
      const layerValues = {
        weight: constant({ dtype: 'f32', shape: [classes, features] }, weight),
        bias: constant({ dtype: 'f32', shape: [classes] }, bias),
      };
      return exitHead({ x: value, ...layerValues, ...decision }, { next });
    });
  };

  const product = (x: Float32Array, { weight, bias }: Layer): number[] =>
    Array.from(bias, (start, label) =>
      x.reduce((sum, value, index) => sum + value * weight[label * x.length + index]!, start));

  const SHAPES = [[1, 1], [64, 2], [7, 10], [640, 10], [33, 127], [8, 128], [65, 513], [300, 1000]] as const;

  it.each(SHAPES)('of %i features judges %i classes as the oracle', async (features, classes) => {
    const count = 7;
    const given = layer(features, classes);
    const x = logitsFor(count, features, features, 3);
    const wanted = Array.from({ length: count }, (_, row) => oracle(product(rowOf(x, row, features), given)));
    const criterion = confidence(thresholdBetween(wanted.map((scores) => scores.confidence)));
    const got = await head(x, count, given, criterion);
    got.answers.forEach((answer, row) => expectScores(answer, wanted[row]!, `row ${row}`));
    expectStaying(got, 'batch');
    for (const row of [0, count - 1]) {
      const alone = await head(rowOf(x, row, features), 1, given, criterion);
      expect(recordOf(alone, 0), `row ${row}: the same bits alone`).toEqual(recordOf(got, row));
      expectStaying(alone, `row ${row} alone`);
    }
  });

  it('has the same bits each time', async () => {
    const given = layer(65, 513);
    const x = logitsFor(2, 65, 1, 3);
    const first = await head(x, 2, given, entropy(0));
    for (let repeat = 0; repeat < 20; repeat++) expect(await head(x, 2, given, entropy(0))).toEqual(first);
  });

  it('keeps a row that is not finite, and the others as they are', async () => {
    const given = layer(20, 10);
    const x = logitsFor(3, 20, 1);
    const before = await head(x, 3, given, entropy(100));
    const after = await head(x.with(25, NaN), 3, given, entropy(100));
    expect(after.staying).toEqual([1]);
    for (const row of [0, 2]) expect(recordOf(after, row)).toEqual(recordOf(before, row));
  });

  it('says what it expects', async () => {
    const zeros = (...shape: number[]): Value =>
      constant({ dtype: 'f32', shape }, new Float32Array(shape.reduce((a, b) => a * b)));
    for (const [classes, features, biases] of [[3, 4, 2], [3, 5, 3]] as const) {
      const wanted = decide(new Float32Array(4), 1, classes, entropy(0), (x, decision, next) =>
        exitHead({ x, weight: zeros(classes, features), bias: zeros(biases), ...decision }, { next }));
      await expect(wanted).rejects.toThrow(
        'exit-head: expected x f32[rows, features], at most 2048 of them, weight f32[classes, features], ' +
          `at most 1024 of them, and bias f32[classes], got f32[rows, 4] and f32[3, ${features}] and f32[${biases}]`,
      );
    }
  });
});
