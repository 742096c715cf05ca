import { afterAll, describe, expect, it } from 'vitest';
import { confidence, entropy } from '../../src/earlyexit/criteria.ts';
import type { Criterion } from '../../src/earlyexit/criteria.ts';
import type { ClassifyOptions, Prediction } from '../../src/earlyexit/classifier.ts';
import { Model } from '../../src/earlyexit/model.ts';
import { POLICIES } from '../../src/earlyexit/scheduling/costs.ts';
import type { PolicyKind } from '../../src/earlyexit/scheduling/costs.ts';
import { DisposedError, QueueFullError } from '../../src/errors.ts';
import { Random } from '../../src/random.ts';
import { CountingDevice, wrapMethod } from '../counting-device.ts';
import { openTestDevice } from '../open-test-device.ts';
import { linearNetwork, randomRows } from './random-networks.ts';

const device = await openTestDevice();

const EXITS = 4;
const network = linearNetwork(EXITS);
const model = Model.initialize(device, network, { seed: 2 });
afterAll(() => model.dispose());

const criterion = confidence(0.8, 0.7, 0.6);
const never = entropy(0);
const always = entropy(Math.log(3));
const scored = { scores: true } as const;
const COUNT = 64;
const rows = randomRows(new Random(6), network, COUNT);
const sample = (index: number): Float32Array => rows.subarray(index * 4, index * 4 + 4);
const some = (count: number): Float32Array => rows.subarray(0, count * 4);

/** What each row gets when nobody hurries: computed one at a time by a classifier that ends at `exit`. */
async function answersAt(exit: number): Promise<Prediction[]> {
  using cut = await model.compile({ exits: [exit] });
  return cut.classifyBatch(rows, scored);
}
const cutOff = [await answersAt(1), await answersAt(2), await answersAt(3), await answersAt(4)];
using single = await model.compile({ criterion });
const serial = await single.classifyBatch(rows, scored);

it('has rows that leave at each exit', () => {
  for (const exit of [1, 2, 3, 4]) {
    expect(serial.filter((row) => row.exit === exit).length, `exit ${exit}`).toBeGreaterThan(3);
  }
});

describe('calls that overlap', () => {
  it.each([1, 2, 4])('64 of them give what they give one by one, %i at a time', async (concurrency) => {
    for (const policy of POLICIES) {
      using alone = await model.compile({ criterion, concurrency, policy });
      using batched = await model.compile({ criterion, concurrency, policy, batch: 16 });
      const calls = Array.from({ length: COUNT }, (_, index) => {
        const size = 1 + ((index * 5) % 40);
        return index % 2 ? alone.classify(sample(index), scored) : batched.classifyBatch(some(size), scored);
      });
      const answers = await Promise.all(calls);
      answers.forEach((answer, index) => {
        const wanted = index % 2 ? serial[index] : serial.slice(0, 1 + ((index * 5) % 40));
        expect(answer, `${policy}, call ${index}`).toEqual(wanted);
      });
    }
  });

  it('each keep the criterion under which they were made, run or wait', async () => {
    for (const policy of POLICIES) {
      using classifier = await model.compile({ criterion, concurrency: 2, policy });
      const rules: Criterion[] = [never, criterion, always];
      const wanted = [cutOff[3]!, serial, cutOff[0]!];
      const calls = Array.from({ length: 30 }, (_, index) => {
        classifier.setCriterion(rules[index % 3]!);
        return classifier.classify(sample(index), scored);
      });
      expect(await Promise.all(calls)).toEqual(calls.map((_, index) => wanted[index % 3]![index]));
    }
  });

  it('are refused beyond the queue, and only those', async () => {
    using classifier = await model.compile({ criterion, concurrency: 1, queue: 3 });
    const calls = Array.from({ length: 8 }, (_, index) => classifier.classify(sample(index), scored));
    const settled = await Promise.allSettled(calls);
    expect(settled.map(({ status }) => status)).toEqual([...Array(4).fill('fulfilled'), ...Array(4).fill('rejected')]);
    for (const call of calls.slice(4)) {
      await expect(call).rejects.toThrow(QueueFullError);
      await expect(call).rejects.toThrow(/^linear-4: expected at most 3 calls waiting/);
    }
    expect(await Promise.all(calls.slice(0, 4))).toEqual(serial.slice(0, 4));
    expect(await classifier.classify(sample(7), scored)).toEqual(serial[7]);
  });

  it('are finished when the classifier is disposed of, those that wait as well', async () => {
    for (const policy of POLICIES) {
      const before = device.memory();
      const classifier = await model.compile({ criterion, concurrency: 2, policy });
      const calls = Array.from({ length: 10 }, (_, index) => classifier.classify(sample(index), scored));
      classifier.dispose();
      await expect(classifier.classify(sample(0))).rejects.toThrow(DisposedError);
      expect(await Promise.all(calls)).toEqual(serial.slice(0, 10));
      const { buffers, stagingBytes } = device.memory();
      expect(device.memory().bytes - stagingBytes, policy).toBe(before.bytes - before.stagingBytes);
      // One staging buffer for each of the two that ran together, and one for a stage ahead of each.
      expect(buffers - before.buffers).toBeLessThanOrEqual(4);
    }
  });
});

describe('a signal', () => {
  const reason = new Error('changed my mind');

  it('aborts before, while waiting, and while running: with its reason, and nobody else', async () => {
    for (const policy of POLICIES) {
      using classifier = await model.compile({ criterion: never, concurrency: 1, policy });
      await classifier.classify(sample(0));
      await expect(classifier.classify(sample(0), { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
      const [running, waiting] = [new AbortController(), new AbortController()];
      const calls = [
        classifier.classify(sample(0), { ...scored, signal: running.signal }),
        classifier.classify(sample(1), { ...scored, signal: waiting.signal }),
        classifier.classify(sample(2), scored),
      ];
      running.abort(reason);
      waiting.abort(reason);
      expect(await Promise.allSettled(calls)).toEqual([
        { status: 'rejected', reason },
        { status: 'rejected', reason },
        { status: 'fulfilled', value: cutOff[3]![2] },
      ]);
    }
  });

  it('gives up at the end of the stage under way, and what it leaves behind serves the next call', async () => {
    for (const policy of ['readback', 'overlap'] as const) {
      using classifier = await model.compile({ criterion: never, policy });
      await classifier.classify(sample(0), scored);
      using counting = new CountingDevice();
      for (let repeat = 0; repeat < 20; repeat++) {
        counting.reset();
        const controller = new AbortController();
        const call = classifier.classify(sample(0), { ...scored, signal: controller.signal });
        await Promise.resolve();
        controller.abort(reason);
        await expect(call).rejects.toBe(reason);
        expect(counting.counts.submits).toBe(policy === 'readback' ? 1 : 2);
        expect(counting.counts.maps.length).toBe(1);
        expect(counting.counts.buffersMade).toBe(0);
      }
      expect(await classifier.classify(sample(3), scored)).toEqual(cutOff[3]![3]);
    }
  });

  // A clock is asked at every step of a call: from there the signal can be made to come at any of them.
  it.each(POLICIES)('may come at any step of a call under %s: memory stays what it is', async (policy) => {
    let asked = 0;
    let controller = new AbortController();
    let abortAt = Infinity;
    const now = (): number => {
      if (++asked === abortAt) controller.abort(reason);
      return 0;
    };
    using classifier = await model.compile({ criterion: never, policy, now });
    using batched = await model.compile({ criterion: never, policy, now, batch: 8 });
    const deadlineMs = 1000;
    const call = async (deadline: boolean): Promise<void> => {
      const options: ClassifyOptions = { signal: controller.signal, ...(deadline && { deadlineMs }) };
      await classifier.classify(sample(0), options);
      await batched.classifyBatch(some(16), options);
    };
    for (const deadline of [false, true]) {
      await call(deadline);
      asked = 0;
      await call(deadline);
      const steps = asked;
      expect(steps).toBeGreaterThan(3);
      const before = device.memory();
      const outcomes = new Set<unknown>();
      for (let step = 1; step <= steps; step++) {
        [asked, abortAt, controller] = [0, step, new AbortController()];
        outcomes.add(await call(deadline).then(() => 'answered', (error: unknown) => error));
      }
      abortAt = Infinity;
      controller = new AbortController();
      await call(deadline);
      expect(outcomes.has(reason)).toBe(true);
      expect([...outcomes].filter((outcome) => outcome !== reason && outcome !== 'answered')).toEqual([]);
      expect(device.memory(), deadline ? 'with a deadline' : 'without a deadline').toEqual(before);
    }
  });
});

describe('a deadline', () => {
  /** A clock that stands still until so many maps have begun, and is then beyond any deadline. */
  const clock = { counting: new CountingDevice(), reads: Infinity };
  afterAll(() => clock.counting[Symbol.dispose]());
  const now = (): number => (clock.counting.counts.maps.length >= clock.reads ? 1e9 : 0);
  const at = (reads: number): void => {
    clock.counting.reset();
    clock.reads = reads;
  };
  const late = ({ ...answer }: Prediction): Prediction => ({ ...answer, timedOut: true });
  /** Who has left by exit `exit`, and what is known there of those who have not. */
  const known = (exit: number, row: number): Prediction =>
    serial[row]!.exit <= exit ? serial[row]! : late(cutOff[exit - 1]![row]!);

  it.each(POLICIES)('that passes while exit k is read: the answer of exit k, under %s', async (policy) => {
    using classifier = await model.compile({ criterion, policy, now });
    for (const exit of [1, 2, 3, 4]) {
      for (let row = 0; row < 16; row++) {
        at(exit);
        const options = { ...scored, deadlineMs: 5, trace: true };
        const { trace, ...answer } = await classifier.classify(sample(row), options);
        expect(answer, `exit ${exit}, row ${row}`).toEqual(known(exit, row));
        expect(trace!.reads).toBeLessThanOrEqual(exit);
        expect(trace!.stages).toBeLessThanOrEqual(exit + (policy === 'overlap' ? 1 : 0));
      }
    }
  });

  it.each(POLICIES)('in batches: the best that is known of each row, under %s', async (policy) => {
    using classifier = await model.compile({ criterion, policy, now, batch: COUNT });
    for (const exit of [1, 2, 3, 4]) {
      at(exit);
      const answers = await classifier.classifyBatch(rows, { ...scored, deadlineMs: 5 });
      expect(answers, `exit ${exit}`).toEqual(answers.map((_, row) => known(exit, row)));
      expect(answers.some(({ timedOut }) => timedOut)).toBe(exit < EXITS);
    }
  });

  it.each(POLICIES)('in batches costs no round trip of its own, under %s', async (policy) => {
    using classifier = await model.compile({ criterion: never, policy, now, batch: COUNT });
    for (const exit of [1, 2, 3]) {
      at(exit);
      const { trace } = await classifier.classifyBatch(rows, { deadlineMs: 5, trace: true });
      expect(trace!.reads, `exit ${exit}`).toBe(exit);
    }
  });

  it('that has passed before its turn still gives the answer of exit 1, in every part of a batch', async () => {
    let time = 0;
    using classifier = await model.compile({ criterion, now: () => time, batch: 8, concurrency: 1 });
    const calls = [COUNT, 3].map((count) => classifier.classifyBatch(some(count), { ...scored, deadlineMs: 5 }));
    time = 5;
    const [first, second] = await Promise.all(calls);
    expect(first).toEqual(first!.map((_, row) => known(1, row)));
    expect(second).toEqual(first!.slice(0, 3));
  });

  it('of infinity, or one that does not pass, is none', async () => {
    at(Infinity);
    for (const policy of POLICIES) {
      using classifier = await model.compile({ criterion, policy, now });
      using batched = await model.compile({ criterion, policy, now, batch: 16 });
      for (const deadlineMs of [5, Infinity]) {
        expect(await batched.classifyBatch(rows, { ...scored, deadlineMs })).toEqual(serial);
        for (const row of [0, 1, 2, 3]) {
          expect(await classifier.classify(sample(row), { ...scored, deadlineMs })).toEqual(serial[row]);
        }
      }
    }
  });

  it('without scores gives label and exit all the same', async () => {
    using classifier = await model.compile({ criterion: never, now });
    at(2);
    const { label, finite } = cutOff[1]![0]!;
    expect(await classifier.classify(sample(0), { deadlineMs: 5 })).toEqual({ label, exit: 2, finite, timedOut: true });
  });

  it('further away never gives a shallower answer', async () => {
    using classifier = await model.compile({ criterion, now, batch: COUNT });
    let before = serial.map(() => 0);
    for (const exit of [1, 2, 3, 4]) {
      at(exit);
      const exits = (await classifier.classifyBatch(rows, { deadlineMs: 5 })).map((answer) => answer.exit);
      expect(exits.every((each, row) => each >= before[row]!)).toBe(true);
      before = exits;
    }
    expect(before).toEqual(serial.map(({ exit }) => exit));
  });
});

describe('fuzz', () => {
  it('calls, aborts, deadlines and stalls in any mix: every promise settles, and what resolves is right', async () => {
    const random = new Random(77);
    const reason = new Error('enough');
    const pause = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms));
    const restore = wrapMethod(GPUBuffer.prototype, 'mapAsync', async (map) => {
      if (random.below(3) === 0) await pause(random.below(3));
      await map();
      if (random.below(3) === 0) await pause(random.below(3));
    });
    try {
      const outcomes: Record<string, number> = {};
      for (let round = 0; round < 12; round++) {
        const policy = POLICIES[round % 3] as PolicyKind;
        const batch = [1, 1, 8, 16][round % 4]!;
        using classifier = await model.compile({ criterion, policy, batch, concurrency: 1 + (round % 4), queue: 12 });
        const calls = Array.from({ length: 25 }, async (_, index) => {
          await pause(random.below(12));
          const controller = new AbortController();
          const options: ClassifyOptions = {
            ...scored,
            ...(random.below(3) === 0 && { deadlineMs: random.between(0.01, 8) }),
            ...(random.below(3) === 0 && { signal: controller.signal }),
          };
          if (options.signal) void pause(random.below(10)).then(() => controller.abort(reason));
          const size = batch === 1 ? 1 : 1 + random.below(30);
          try {
            const answers = await classifier.classifyBatch(rows.subarray(index * 4, (index + size) * 4), options);
            expect(answers.length).toBe(size);
            answers.forEach(({ timedOut, ...answer }, offset) => {
              const wanted = serial[index + offset]!;
              if (!timedOut) return expect(answer).toEqual(wanted);
              expect(options.deadlineMs).toBeDefined();
              expect(answer.exit).toBeLessThan(wanted.exit);
              expect(answer).toEqual(cutOff[answer.exit - 1]![index + offset]);
            });
            return answers.some(({ timedOut }) => timedOut) ? 'late' : 'whole';
          } catch (error) {
            if (error === reason && options.signal?.aborted) return 'aborted';
            if (error instanceof QueueFullError) return 'refused';
            throw error;
          }
        });
        for (const outcome of await Promise.all(calls)) outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
        expect((await classifier.classifyBatch(some(20), scored))).toEqual(serial.slice(0, 20));
      }
      for (const outcome of ['whole', 'late', 'aborted']) expect(outcomes[outcome], outcome).toBeGreaterThan(10);
    } finally {
      restore();
    }
  });
});
