import type { Device } from '../src/device/device.ts';
import { exitSettings } from '../src/earlyexit/criterion-steps.ts';
import { entropy } from '../src/earlyexit/criteria.ts';
import { Model } from '../src/earlyexit/model.ts';
import { bLeNet } from '../src/earlyexit/models/b-lenet.ts';
import { readRecord, RECORD_BYTES } from '../src/earlyexit/records.ts';
import { measureLimits } from '../src/graph/limits.ts';
import type { Limits } from '../src/graph/limits.ts';
import { compile } from '../src/graph/program.ts';
import type { Program } from '../src/graph/program.ts';
import { roofline } from '../src/graph/roofline.ts';
import type { Work } from '../src/graph/work.ts';
import { workOf } from '../src/graph/work.ts';
import { add } from '../src/kernels/binary.ts';
import { constant } from '../src/kernels/define.ts';
import type { Value } from '../src/kernels/define.ts';
import { exitCheck } from '../src/kernels/exit-check.ts';
import { Random } from '../src/random.ts';
import { Rows, sizeOf } from '../src/tensor/spec.ts';
import { Tensor } from '../src/tensor/tensor.ts';
import { deepNetwork } from './deep-network.ts';
import { bench } from './harness.ts';
import type { Case } from './harness.ts';

const BATCHES = [1, 4, 16, 64, 256, 1024, 4096];
const CLASSES = [10, 128, 1024, 16_384, 131_072];
const ROWS = [1, 64];
const STAGES = [2, 4, 8, 16, 32, 64, 128];
const NODES = [10, 100, 1000, 10_000];

const rounded = (value: number): number => Number(value.toPrecision(3));

const noise = (length: number): Float32Array => {
  const random = new Random(length);
  return Float32Array.from({ length }, () => random.normal());
};

/** The time that the device's limits ask for over the time taken: what is far from 1 is not bound by them. */
const share = (work: Work, ms: number, limits: Limits): number => rounded(roofline({ ...work, ms }, limits).share);

/** B-LeNet, every sample to the last exit, in one submit. */
async function* batches(device: Device, limits: Limits): AsyncGenerator<Case[]> {
  const network = bLeNet();
  using model = Model.initialize(device, network, { seed: 1 });
  for (const batch of BATCHES) {
    using classifier = await model.compile({ batch, policy: 'gated', criterion: entropy(0) });
    const x = noise(batch * sizeOf(network.input));
    const work = { flops: 2 * batch * network.macs.toExit.at(-1)!, bytes: 0 };
    yield [{
      name: `b-lenet, batch ${batch}`,
      items: batch,
      async run() {
        const predictions = await classifier.classifyBatch(x);
        expect(`exits of batch ${batch}`, predictions.every(({ exit }) => exit === 2));
      },
      facts: (ms) => ({ 'us per sample': rounded((1000 * ms) / batch), 'share of FLOPs': share(work, ms, limits) }),
    }];
  }
}

/** An exit check, its records read back. */
async function* classes(device: Device, limits: Limits): AsyncGenerator<Case[]> {
  for (const rows of ROWS) {
    for (const count of CLASSES) {
      const values = noise(rows * count);
      using logits = Tensor.from(device, values, [rows, count]);
      using records = Tensor.zeros(device, { dtype: 'u32', shape: [(RECORD_BYTES / 4) * rows] });
      const place = { exit: 1, classes: count, first: true, always: true };
      using settings = Tensor.from(device, exitSettings(undefined, place).settings);
      const samples = new Rows(rows);
      const spec = { dtype: 'f32', shape: [rows, count], rows: samples } as const;
      const iota = Uint32Array.from({ length: rows }, (_, row) => row);
      using program = await compile(device, { logits: spec }, (inputs) => {
        const origin = constant({ dtype: 'u32', shape: [rows], rows: samples }, iota);
        const classThresholds = constant({ dtype: 'f32', shape: [1] }, Float32Array.of(0));
        exitCheck({ logits: inputs.logits, settings, classThresholds, origin, records });
        return {};
      });
      program.start({ logits }).submit();
      const label = greatest(values.subarray(0, count));
      yield [{
        name: `exit check, ${count} classes x ${rows}`,
        items: rows,
        async run() {
          const recording = device.record('exit check');
          program.encode(recording, 0);
          const pending = recording.read({ buffer: records.buffer, offset: 0, size: RECORD_BYTES * rows });
          recording.submit();
          expect(`label among ${count}`, readRecord(await pending(), 0).label === label);
        },
        facts: (ms) => ({ 'share of copy': share(workIn(program), ms, limits) }),
      }];
    }
  }
}

const greatest = (values: Float32Array): number =>
  values.reduce((best, value, index) => (value > values[best]! ? index : best), 0);

function workIn(program: Program<'logits'>): Work {
  const work = [...workOf(program).values()];
  return { flops: 0, bytes: work.reduce((sum, { bytes }) => sum + bytes, 0) };
}

/** One sample that leaves at the first or at the last of many exits. */
async function* stages(device: Device): AsyncGenerator<Case[]> {
  for (const count of STAGES) {
    const network = deepNetwork(count);
    using model = Model.initialize(device, network, { seed: 1 });
    const x = noise(sizeOf(network.input));
    const cases: Case[] = [];
    const made: Disposable[] = [];
    for (const policy of ['readback', 'gated'] as const) {
      for (const at of [1, count]) {
        // Entropies lie between 0 and that of classes that are all alike.
        const thresholds = new Array<number>(count - 1).fill(at === 1 ? Math.log(network.classes) : 0);
        const classifier = await model.compile({ policy, criterion: entropy(...thresholds) });
        made.push(classifier);
        cases.push({
          name: `${count} stages, ${policy}, leaves at ${at === 1 ? 'the first' : 'the last'} exit`,
          run: async () => expect(`exit of ${count}`, (await classifier.classify(x)).exit === at),
          // Gated, all stages are launched, whoever has left.
          facts: (ms) => ({ 'us per stage launched': rounded((1000 * ms) / (policy === 'gated' ? count : at)) }),
        });
      }
    }
    yield cases;
    for (const each of made) each[Symbol.dispose]();
  }
}

/** A chain of additions of 16 numbers: what a node costs to trace and compile, and to replay. */
async function* graphs(device: Device): AsyncGenerator<Case[]> {
  const x = Float32Array.from({ length: 16 }, (_, index) => index);
  for (const count of NODES) {
    const make = () =>
      compile(device, { x: { dtype: 'f32', shape: [16] } }, (inputs) => {
        let y: Value = inputs.x;
        for (let node = 0; node < count; node++) y = add({ a: y, b: inputs.x });
        return { y };
      });
    using program = await make();
    const each = (ms: number) => ({ dispatches: program.dispatches, 'us per node': rounded((1000 * ms) / count) });
    yield [
      {
        name: `${count} nodes, traced, compiled and run once`,
        async run() {
          using program = await make();
          await program.call({ x });
        },
        // Bind groups go when they are collected: those of seven programs of 10,000 nodes are more than lavapipe can hold.
        after: () => count >= 1000 && globalThis.gc!(),
        facts: each,
      },
      {
        name: `${count} nodes, replayed and read`,
        async run() {
          const { y } = await program.call({ x });
          expect(`sum of ${count} additions`, y.every((value, index) => value === (count + 1) * index));
        },
        facts: each,
      },
    ];
  }
}

function expect(what: string, holds: boolean): void {
  if (!holds) throw new Error(`${what}: not what was expected; no figure counts`);
}

await bench(
  'scaling',
  'How does time grow with the batch, the classes, the stages and the nodes of a graph?',
  async function* (device) {
    const limits = await measureLimits(device);
    yield* batches(device, limits);
    yield* classes(device, limits);
    yield* stages(device);
    yield* graphs(device);
  },
  { secondsPerCase: 0.4, leastCalls: 1 },
);
