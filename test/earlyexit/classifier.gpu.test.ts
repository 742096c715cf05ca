import { afterAll, describe, expect, it } from 'vitest';
import { confidence, entropy, margin } from '../../src/earlyexit/criteria.ts';
import type { Prediction } from '../../src/earlyexit/classifier.ts';
import { Model } from '../../src/earlyexit/model.ts';
import { multiExit } from '../../src/earlyexit/network.ts';
import { scoreExits } from '../../src/earlyexit/judgement/scores.ts';
import { replay } from '../../src/earlyexit/judgement/thresholds.ts';
import { proceduralDigits } from '../../src/data/procedural-digits.ts';
import { conv2d, flatten, linear, maxPool2d } from '../../src/nn/layers.ts';
import { Random } from '../../src/random.ts';
import { openTestDevice } from '../open-test-device.ts';

const device = await openTestDevice();

/** Three exits, untrained: what is tested here is who leaves where, not whether it is right. */
const network = multiExit({
  name: 'three-exits',
  input: [1, 28, 28],
  classes: 10,
  stages: [
    { body: [conv2d(1, 4, { kernel: 5, stride: 2, activation: 'relu' })], exit: [maxPool2d({ kernel: 4 }), flatten(), linear(36, 10)] },
    { body: [conv2d(4, 6, { kernel: 3, padding: 1, activation: 'relu' })], exit: [maxPool2d({ kernel: 4 }), flatten(), linear(54, 10)] },
    { body: [maxPool2d({ kernel: 2 }), flatten(), linear(216, 20, { activation: 'relu' })], exit: [linear(20, 10)] },
  ],
});
const model = Model.initialize(device, network, { seed: 5 });
afterAll(() => model.dispose());
const digits = proceduralDigits({ count: 70, seed: 3 });
const samples = model.normalize(digits.images);
const sample = (index: number): Float32Array => samples.slice(index * 784, (index + 1) * 784);
const scored = { scores: true } as const;

/** A threshold that about half of the rows pass at each exit. */
const table = await scoreExits(model, digits, { batch: 32 });
const middle = (exit: number): number => table.exits[exit - 1]!.map(({ entropy }) => entropy).sort((a, b) => a - b)[35]!;
const halves = entropy(middle(1), middle(2));

describe('classifying', () => {
  it('leaves as the recorded scores say, at all three exits', async () => {
    using classifier = await model.compile({ criterion: halves, batch: 32 });
    const predictions = await classifier.classifyBatch(samples, scored);
    const exits = replay(table, halves);
    predictions.forEach(({ exit, ...scores }, row) => {
      expect(exit).toBe(exits[row]! + 1);
      expect(scores).toEqual(table.exits[exit - 1]![row]);
    });
    expect(new Set(predictions.map(({ exit }) => exit))).toEqual(new Set([1, 2, 3]));
  });

  it.each([1, 2, 7, 64, 128])('in batches of %i as alone, to the bit', async (batch) => {
    using single = await model.compile({ criterion: halves });
    using grouped = await model.compile({ criterion: halves, batch });
    const alone: Prediction[] = [];
    for (let row = 0; row < 70; row++) alone.push(await single.classify(sample(row), scored));
    expect(await grouped.classifyBatch(samples, scored)).toEqual(alone);
  });

  it.each([1, 2, 3])('a network that must leave at exit %i is the network cut off there, to the bit', async (exit) => {
    for (const batch of [1, 16]) {
      using cut = await model.compile({ exits: [exit], batch });
      const forced = [1, 2].map((other) => (other === exit ? Math.log(10) : 0));
      using whole = await model.compile({ criterion: entropy(...forced), batch });
      const limited = samples.subarray(0, 20 * 784);
      const [a, b] = [await cut.classifyBatch(limited, scored), await whole.classifyBatch(limited, scored)];
      expect(b).toEqual(a);
      expect(new Set(b.map((prediction) => prediction.exit))).toEqual(new Set([exit]));
    }
  });

  it('gives permuted results for permuted rows, and equal ones for equal rows', async () => {
    using classifier = await model.compile({ criterion: halves, batch: 32 });
    const straight = await classifier.classifyBatch(samples, scored);
    const order = new Random(1).shuffle([...straight.keys()]);
    order[3] = order[4]!;
    const permuted = new Float32Array(samples.length);
    order.forEach((from, to) => permuted.set(sample(from), to * 784));
    expect(await classifier.classifyBatch(permuted, scored)).toEqual(order.map((from) => straight[from]));
  });

  it('a NaN pixel keeps its row to the last exit, flagged, and touches no other', async () => {
    for (const batch of [1, 16]) {
      using classifier = await model.compile({ criterion: entropy(Math.log(10)), batch });
      const clean = await classifier.classifyBatch(samples.subarray(0, 20 * 784), scored);
      expect(new Set(clean.map(({ exit }) => exit))).toEqual(new Set([1]));
      const poisoned = samples.slice(0, 20 * 784);
      // Every pixel of the row: a maximum or a ReLU may lose a single NaN, which WGSL allows.
      poisoned.fill(NaN, 5 * 784, 6 * 784);
      const got = await classifier.classifyBatch(poisoned, scored);
      expect(got.filter((_, row) => row !== 5)).toEqual(clean.filter((_, row) => row !== 5));
      expect(got[5]).toMatchObject({ exit: 3, finite: false, entropy: NaN });
    }
  });

  it('takes thresholds anew without compiling, and gives each criterion its say', async () => {
    using classifier = await model.compile({ criterion: entropy(0), batch: 8 });
    const exitsUnder = async (criterion: ReturnType<typeof entropy>): Promise<number[]> => {
      classifier.setCriterion(criterion);
      return (await classifier.classifyBatch(samples.subarray(0, 8 * 784))).map(({ exit }) => exit);
    };
    expect(await exitsUnder(entropy(0))).toEqual(Array(8).fill(3));
    expect(await exitsUnder(entropy(Math.log(10), 0))).toEqual(Array(8).fill(1));
    expect(await exitsUnder(confidence(1, 0))).toEqual(Array(8).fill(2));
    expect(await exitsUnder(margin(1))).toEqual(Array(8).fill(3));
    expect(await exitsUnder(confidence(0))).toEqual(Array(8).fill(1));
  });

  it('reads one word per exit asked, four with scores, and encodes nothing behind the exit', async () => {
    for (const exit of [1, 2, 3]) {
      const thresholds = [1, 2].map((other) => (other === exit ? Math.log(10) : 0));
      using classifier = await model.compile({ criterion: entropy(...thresholds) });
      const { trace } = await classifier.classify(sample(0), { trace: true });
      expect(trace).toMatchObject({ submits: exit, reads: exit, bytesRead: 4 * exit });
      expect(trace!.waitMs.length).toBe(exit);
      const withScores = await classifier.classify(sample(0), { trace: true, scores: true });
      expect(withScores.trace).toMatchObject({ reads: exit, bytesRead: 16 * exit });
      if (exit < 3) expect(trace!.dispatches).toBeLessThan(classifier.dispatches);
      else expect(trace!.dispatches).toBe(classifier.dispatches);
    }
  });

  it('reads the count of survivors per exit and all records once', async () => {
    using classifier = await model.compile({ criterion: halves, batch: 70 });
    const { trace } = await classifier.classifyBatch(samples, { trace: true });
    expect(trace).toMatchObject({ submits: 3, reads: 3, bytesRead: 4 + 4 + 70 * 32 });
    classifier.setCriterion(entropy(Math.log(10)));
    const early = await classifier.classifyBatch(samples, { trace: true });
    expect(early.trace).toMatchObject({ submits: 2, reads: 2, bytesRead: 4 + 70 * 32 });
  });

  it('takes bytes, floats and GPU buffers, and any number of samples', async () => {
    using classifier = await model.compile({ criterion: halves, batch: 16 });
    const wanted = await classifier.classifyBatch(samples, scored);
    expect(await classifier.classifyBatch(digits.images, scored)).toEqual(wanted);
    const buffer = device.gpu.createBuffer({ size: samples.byteLength, usage: GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST });
    device.gpu.queue.writeBuffer(buffer, 0, samples as Float32Array<ArrayBuffer>);
    expect(await classifier.classifyBatch(buffer, scored)).toEqual(wanted);
    expect(await classifier.classifyBatch(buffer, { ...scored, samples: 19 })).toEqual(wanted.slice(0, 19));
    buffer.destroy();
    expect(await classifier.classifyBatch(new Float32Array(0))).toEqual([]);
    expect(await classifier.classify(sample(6), scored)).toEqual(wanted[6]);
  });

  it('lets calls overlap', async () => {
    using classifier = await model.compile({ criterion: halves });
    const serial: Prediction[] = [];
    for (let row = 0; row < 12; row++) serial.push(await classifier.classify(sample(row), scored));
    const together = await Promise.all(serial.map((_, row) => classifier.classify(sample(row), scored)));
    expect(together).toEqual(serial);
  });

  it('takes the array as it is when called, and the thresholds too', async () => {
    using classifier = await model.compile({ criterion: halves, batch: 16 });
    const wanted = await classifier.classifyBatch(samples, scored);
    const copy = samples.slice();
    const call = classifier.classifyBatch(copy, scored);
    copy.fill(0);
    classifier.setCriterion(entropy(0));
    expect(await call).toEqual(wanted);
    expect((await classifier.classify(sample(0))).exit).toBe(3);
  });

  it('finishes the calls under way when it is disposed of, and no later ones', async () => {
    const other = Model.initialize(device, network, { seed: 5 });
    const classifier = await other.compile({ criterion: halves, batch: 8 });
    const before = device.memory().buffers;
    const call = classifier.classifyBatch(samples, scored);
    classifier.dispose();
    expect((await call).length).toBe(70);
    expect(device.memory().buffers).toBeLessThan(before);
    const late = await other.compile({ criterion: halves });
    other.dispose();
    await expect(late.classify(sample(0))).rejects.toThrow('tensor parameters: used after dispose()');
    late.dispose();
  });

  it('leaves no buffers behind', async () => {
    const before = device.memory().buffers;
    for (let round = 0; round < 3; round++) {
      using classifier = await model.compile({ criterion: halves, batch: 1 + round });
      await classifier.classifyBatch(samples.subarray(0, 784 * 3));
    }
    const grown = device.memory().buffers - before;
    // Staging buffers stay for the next read.
    expect(grown).toBeLessThanOrEqual(2);
  });
});

describe('bad input', () => {
  it('is refused by name', async () => {
    await expect(model.compile()).rejects.toThrow('three-exits has no stored thresholds');
    await expect(model.compile({ criterion: entropy(NaN) })).rejects.toThrow('entropy: expected thresholds from 0 to 2.3026 nats');
    await expect(model.compile({ criterion: entropy(3) })).rejects.toThrow('got 3');
    await expect(model.compile({ criterion: confidence(1.5) })).rejects.toThrow('confidence: expected thresholds from 0 to 1, got 1.5');
    await expect(model.compile({ criterion: margin(0.1, 0.2, 0.3) })).rejects.toThrow('expected 2 thresholds');
    await expect(model.compile({ criterion: { kind: 'luck', thresholds: [1] } as never })).rejects.toThrow("got 'luck'");
    await expect(model.compile({ criterion: halves, batch: 0 })).rejects.toThrow('expected a batch of 1 or more, got 0');
    await expect(model.compile({ criterion: halves, exits: [2, 1] })).rejects.toThrow('ascending exits from 1 to 3');
    await expect(model.compile({ criterion: halves, exits: [4] })).rejects.toThrow('got [4]');
    using classifier = await model.compile({ criterion: halves });
    await expect(classifier.classify(new Float32Array(783))).rejects.toThrow('expected whole samples of [1, 28, 28], got 783 values');
    await expect(classifier.classify(samples)).rejects.toThrow('got 70 samples; classifyBatch() takes many');
    await expect(classifier.classify([1, 2] as never)).rejects.toThrow('expected a Uint8Array of pixels');
    classifier.dispose();
    await expect(classifier.classify(sample(0))).rejects.toThrow('used after dispose()');
  });
});
