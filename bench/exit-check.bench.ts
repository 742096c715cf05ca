import type { Device } from '../src/device/device.ts';
import { exitSettings } from '../src/earlyexit/criterion-steps.ts';
import { readRecord, readScores, RECORD_BYTES } from '../src/earlyexit/records.ts';
import type { Scores } from '../src/earlyexit/records.ts';
import { compile } from '../src/graph/program.ts';
import type { Program } from '../src/graph/program.ts';
import { argMax } from '../src/kernels/arg-reduce.ts';
import { constant } from '../src/kernels/define.ts';
import type { Value } from '../src/kernels/define.ts';
import { exitCheck, SPLIT_CLASSES } from '../src/kernels/exit-check.ts';
import type { ExitVariant } from '../src/kernels/exit-check.ts';
import type { Decision } from '../src/kernels/exit-decision.ts';
import { exitHead } from '../src/kernels/exit-head.ts';
import { ExitPart, exitCheckSplitKernel } from '../src/kernels/generated/exit-check-split.ts';
import { linear } from '../src/kernels/linear.ts';
import { confidence, entropy, margin } from '../src/kernels/softmax-measures.ts';
import { Random } from '../src/random.ts';
import { Rows } from '../src/tensor/spec.ts';
import { Tensor } from '../src/tensor/tensor.ts';
import { bench } from './harness.ts';
import type { Case } from './harness.ts';

const MIB = 2 ** 20;
const CLASSES = [2, 10, 100, 1000, 32_000, 128_256];
const ROWS = [1, 16, 256, 4096];
const MOST_LOGITS = 64 * MIB;
/** A case that takes longer than this is named and left out: on a software adapter some variants take many seconds. */
const MOST_MS = 1000;
/** Of small shapes so many are checked in one submit, that the check is timed and not the way there and back. */
const MOST_CHECKS = 16;
const LOGITS_PER_SUBMIT = 2 ** 18;

/** Numbers that an f16 holds exactly: multiples of 1/64 below 16 in magnitude. */
function logitsFor(length: number): Float32Array {
  const random = new Random(length);
  const steps = (): number => Math.max(-1023, Math.min(1023, Math.round(3 * 64 * random.normal())));
  return Float32Array.from({ length }, () => steps() / 64);
}

function toHalf(value: number): number {
  if (value === 0) return 0;
  const exponent = Math.floor(Math.log2(Math.abs(value)));
  const mantissa = (Math.abs(value) / 2 ** exponent - 1) * 1024;
  return ((value < 0 ? 1 : 0) << 15) | ((exponent + 15) << 10) | mantissa;
}

/** Classes are even here, so that rows follow each other without a gap. */
const pack = (logits: Float32Array): Uint32Array => new Uint32Array(Uint16Array.from(logits, toHalf).buffer);

type Decide = (x: Value, decision: Decision) => void;

/** A program that decides on rows of `x`, run several times in one submit; every row leaves. */
class Check {
  readonly program: Program;
  readonly records: Tensor;
  #settings: Tensor;

  private constructor(program: Program, records: Tensor, settings: Tensor) {
    this.program = program;
    this.records = records;
    this.#settings = settings;
  }

  static async compile(device: Device, x: Tensor, classes: number, decide: Decide): Promise<Check> {
    const [count] = x.shape as [number];
    const rows = new Rows(count);
    const place = { exit: 1, classes, first: true, always: true };
    const settings = Tensor.from(device, exitSettings(undefined, place).settings);
    const records = Tensor.zeros(device, { dtype: 'u32', shape: [(RECORD_BYTES / 4) * count] });
    const iota = Uint32Array.from({ length: count }, (_, row) => row);
    const program = await compile(device, { x: { dtype: x.dtype, shape: x.shape, rows } }, (inputs) => {
      const origin = constant({ dtype: 'u32', shape: [count], rows }, iota);
      const classThresholds = constant({ dtype: 'f32', shape: [1] }, Float32Array.of(0));
      decide(inputs.x, { settings, classThresholds, origin, records });
      return {};
    });
    program.start({ x }).submit();
    return new Check(program as unknown as Program, records, settings);
  }

  /** The scores of the first row, read when all is done. */
  async run(times = 1): Promise<Scores> {
    const { device } = this.program;
    const recording = device.record('bench');
    for (let time = 0; time < times; time++) this.program.encode(recording, 0);
    const pending = recording.read({ buffer: this.records.buffer, offset: this.records.offset, size: 16 });
    recording.submit();
    return readScores(await pending());
  }

  async scores(): Promise<Scores[]> {
    await this.run();
    const { buffer } = (await this.records.read()) as Uint32Array;
    return Array.from({ length: buffer.byteLength / RECORD_BYTES }, (_, row) => readRecord(buffer as ArrayBuffer, row));
  }

  dispose(): void {
    for (const each of [this.program, this.records, this.#settings]) each.dispose();
  }
}

/** @throws Error unless the scores are nearly the same */
function expectSame(what: string, a: readonly Partial<Scores>[], b: readonly Partial<Scores>[]): void {
  a.forEach((one, row) => {
    const other = b[row]!;
    const apart = (['confidence', 'margin', 'entropy', 'label'] as const).map((key) =>
      one[key] === undefined || other[key] === undefined ? 0 : Math.abs(one[key] - other[key]));
    if (apart.every((distance) => distance < 1e-3)) return;
    throw new Error(`${what}: ${JSON.stringify(one)} and ${JSON.stringify(other)} disagree`);
  });
}

/** The cases that do not take too long, by a second run: the first may compile. */
async function affordable(cases: readonly Case[]): Promise<Case[]> {
  const kept: Case[] = [];
  for (const each of cases) {
    await each.run();
    const start = performance.now();
    await each.run();
    const ms = performance.now() - start;
    if (ms <= MOST_MS) kept.push(each);
    else console.log(`  ${each.name}: takes ${Math.round(ms)} ms, left out`);
  }
  return kept;
}

/** Bytes that a copy of memory reads and writes in a millisecond. */
function copyCase(device: Device, told: (bytesPerMs: number) => void): Case {
  const size = 64 * MIB;
  const [from, to] = [0, 1].map(() => Tensor.zeros(device, { dtype: 'u32', shape: [size / 4] })) as [Tensor, Tensor];
  return {
    name: `copy of ${size / MIB} MiB`,
    async run() {
      const recording = device.record('copy');
      const target = { buffer: to.buffer, offset: to.offset, size };
      recording.copy({ buffer: from.buffer, offset: from.offset, size }, target);
      const pending = recording.read({ ...target, size: 16 });
      recording.submit();
      await pending();
    },
    facts(ms) {
      told((2 * size) / ms);
      from.dispose();
      to.dispose();
      return { 'GB/s': rounded((2 * size) / ms / 1e6) };
    },
  };
}

const rounded = (value: number): number => Number(value.toPrecision(3));

/** What an exit check reads and writes, each byte once; caches are none of its business. */
function bytesOf(rows: number, classes: number, variant: ExitVariant, half: boolean): number {
  const row = (half ? 2 : 4) * classes + RECORD_BYTES + 8;
  // Written by the first pass, read by the second: what each invocation of a part found.
  const found = ExitPart.size * exitCheckSplitKernel.workgroupSize[0] * Math.ceil(classes / SPLIT_CLASSES);
  return rows * (row + (variant === 'split' ? 2 * found : 0));
}

/** The variants on one shape. */
async function* variants(
  device: Device,
  rows: number,
  classes: number,
  bytesPerMs: () => number,
): AsyncGenerator<Case[]> {
  const values = logitsFor(rows * classes);
  const logits = Tensor.from(device, values, [rows, classes]);
  const halves = Tensor.from(device, pack(values), [rows, classes / 2]);
  const kinds: { variant: ExitVariant; half?: true }[] = [{ variant: 'row' }, { variant: 'workgroup' }];
  if (device.features.has('subgroups')) kinds.push({ variant: 'subgroup' });
  if (classes >= 1000) kinds.push({ variant: 'split' });
  kinds.push({ variant: classes < 256 ? 'row' : 'workgroup', half: true });
  const checks: Check[] = [];
  const cases: Case[] = [];
  for (const { variant, half = false } of kinds) {
    const attributes = { variant, ...(half && { half: { classes } }) };
    const check = await Check.compile(device, half ? halves : logits, classes, (x, decision) =>
      exitCheck({ logits: x, ...decision }, attributes));
    checks.push(check);
    const times = Math.max(1, Math.min(MOST_CHECKS, Math.floor(LOGITS_PER_SUBMIT / (rows * classes))));
    const bytes = bytesOf(rows, classes, variant, half);
    const name = `${classes} classes x ${rows}, ${variant}${half ? ', half' : ''}`;
    expectSame(name, await checks[0]!.scores(), await check.scores());
    const facts = (ms: number) => ({
      checks: times,
      msPerCheck: rounded(ms / times),
      MB: rounded(bytes / 1e6),
      'share of copy': rounded((bytes * times) / ms / bytesPerMs()),
    });
    cases.push({ name, run: () => check.run(times), items: rows * times, facts });
  }
  yield await affordable(cases);
  for (const each of [...checks, logits, halves]) each.dispose();
}

/** One row: fused, composed of single operations, or read back and judged on the host. */
async function* alternatives(device: Device, classes: number): AsyncGenerator<Case[]> {
  const x = Tensor.from(device, logitsFor(classes), [1, classes]);
  const batched = { dtype: 'f32', shape: [1, classes], rows: new Rows(1) } as const;
  const fused = await Check.compile(device, x, classes, (logits, decision) =>
    exitCheck({ logits, ...decision }));
  const composed = await compile(device, { x: batched }, ({ x: logits }) => ({
    entropy: entropy({ logits }),
    confidence: confidence({ logits }),
    margin: margin({ logits }),
    label: argMax({ x: logits }, { axis: 1 }),
  }));
  const plain = await compile(device, { x: batched }, (inputs) => ({ x: inputs.x }));
  const runComposed = async () => {
    const { entropy, confidence } = await composed.call({ x });
    return { entropy: entropy[0]!, confidence: confidence[0]! };
  };
  const runHost = async () => onHost((await plain.call({ x })).x as Float32Array);
  for (const other of [await runComposed(), await runHost()]) {
    expectSame(`${classes} classes`, [await fused.run()], [other]);
  }
  const facts = ({ dispatches }: { dispatches: number }) => ({ dispatches });
  yield [
    { name: `${classes} classes, fused`, run: () => fused.run(), facts: facts(fused.program) },
    { name: `${classes} classes, composed`, run: runComposed, facts: facts(composed) },
    { name: `${classes} classes, logits read back, host decides`, run: runHost, facts: facts(plain) },
  ];
  for (const each of [fused, composed, plain, x]) each.dispose();
}

/** Reads entropy and confidence off the logits on the host. */
function onHost(logits: Float32Array): { entropy: number; confidence: number } {
  let greatest = -Infinity;
  for (const value of logits) greatest = Math.max(greatest, value);
  let total = 0;
  let weighted = 0;
  for (const value of logits) {
    const weight = Math.exp(value - greatest);
    total += weight;
    weighted += (value - greatest) * weight;
  }
  return { entropy: Math.log(total) - weighted / total, confidence: 1 / total };
}

/** The last linear layer and its check: in one kernel, or one after the other. */
async function* heads(device: Device, rows: number, features: number, classes: number): AsyncGenerator<Case[]> {
  const scaled = (length: number, scale: number): Float32Array => logitsFor(length).map((value) => value * scale);
  const x = Tensor.from(device, scaled(rows * features, 0.3), [rows, features]);
  const weight = Tensor.from(device, scaled(classes * features, 1 / Math.sqrt(features)), [classes, features]);
  const bias = Tensor.from(device, scaled(classes, 0.3), [classes]);
  const fused = await Check.compile(device, x, classes, (value, decision) =>
    exitHead({ x: value, weight, bias, ...decision }));
  const apart = await Check.compile(device, x, classes, (value, decision) =>
    exitCheck({ logits: linear({ x: value, weight, bias }), ...decision }));
  const name = `${features} features, ${classes} classes x ${rows}`;
  expectSame(name, await fused.scores(), await apart.scores());
  yield await affordable([
    { name: `${name}, linear and check`, run: () => apart.run(), items: rows },
    { name: `${name}, exit head`, run: () => fused.run(), items: rows },
  ]);
  for (const each of [fused, apart, x, weight, bias]) each.dispose();
}

await bench(
  'exit-check',
  'What does an exit check cost, by classes, rows and variant, against a copy of its bytes and other ways to decide?',
  async function* (device) {
    for (const classes of [10, 1000, 32_000]) yield* alternatives(device, classes);
    for (const [features, classes] of [[84, 10], [640, 10], [512, 1000]] as const) {
      for (const rows of [1, 64]) yield* heads(device, rows, features, classes);
    }
    let bytesPerMs = 0;
    yield [copyCase(device, (measured) => (bytesPerMs = measured))];
    for (const classes of CLASSES) {
      for (const rows of ROWS.filter((count) => 4 * classes * count <= MOST_LOGITS)) {
        yield* variants(device, rows, classes, () => bytesPerMs);
      }
    }
  },
  { secondsPerCase: 0.4 },
);
