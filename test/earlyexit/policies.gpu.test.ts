import { afterAll, describe, expect, it } from 'vitest';
import { confidence, entropy } from '../../src/earlyexit/criteria.ts';
import type { Criterion } from '../../src/earlyexit/criteria.ts';
import type { Classifier, ClassifierOptions, Prediction } from '../../src/earlyexit/classifier.ts';
import { Model } from '../../src/earlyexit/model.ts';
import { networkIdentity } from '../../src/earlyexit/network.ts';
import type { Network } from '../../src/earlyexit/network.ts';
import { choosePlan } from '../../src/earlyexit/scheduling/planner.ts';
import { POLICIES } from '../../src/earlyexit/scheduling/costs.ts';
import type { Plan } from '../../src/earlyexit/scheduling/planner.ts';
import type { PolicyKind } from '../../src/earlyexit/scheduling/costs.ts';
import type { GridKind } from '../../src/graph/program.ts';
import { Random } from '../../src/random.ts';
import { CountingDevice } from '../counting-device.ts';
import { openTestDevice } from '../open-test-device.ts';
import { linearNetwork, randomCriterion, randomNetwork, randomRows } from './random-networks.ts';

const device = await openTestDevice();
const scored = { scores: true } as const;

interface PlanDetails {
  readonly exits?: readonly number[];
  readonly regroupFrom?: readonly number[];
}

/** A plan made by hand: what each policy does, whatever would pay here. */
function planFor(
  network: Network,
  batch: number,
  policy: PolicyKind,
  grid: GridKind,
  details: PlanDetails = {},
): Plan {
  const part = { full: { alive: 1, skipped: 1 }, indirect: { alive: 1, skipped: 1 } };
  const { stages } = network;
  const parts = stages.map(() => ({ body: part, exit: part }));
  const costs = { adapter: 'by hand', network: networkIdentity(network), batch, roundTripMs: 1, stages: parts };
  const shares = stages.map(() => 1 / stages.length);
  const exits = details.exits ?? stages.map((_, index) => index + 1);
  const plan = choosePlan(costs, shares, { exits });
  const { regroupFrom = plan.regroupFrom } = details;
  return { ...plan, policy, grids: exits.map(() => grid), regroupFrom };
}

const ways = (network: Network, batch: number, details: PlanDetails = {}): Plan[] => [
  planFor(network, batch, 'gated', 'full', details),
  planFor(network, batch, 'gated', 'indirect', details),
  planFor(network, batch, 'overlap', 'full', details),
  planFor(network, batch, 'overlap', 'indirect', details),
];

const rowOf = (rows: Float32Array, index: number, size: number): Float32Array =>
  rows.subarray(index * size, (index + 1) * size);

// SwiftShader takes ten times as long.
const NETWORKS = device.name.includes('SwiftShader') ? 15 : 50;

describe('policies give the same bits', () => {
  const seen = new Map<string, number>();
  const note = (what: string): void => void seen.set(what, (seen.get(what) ?? 0) + 1);

  it.each(Array.from({ length: NETWORKS }, (_, seed) => seed))('random network %i', async (seed) => {
    const random = new Random(1000 + seed);
    const network = randomNetwork(random, `random ${seed}`);
    using model = Model.initialize(device, network, { seed });
    const criterion = randomCriterion(random, network);
    const all = network.stages.map((_, index) => index + 1);
    const exits = random.below(4) === 0 ? all.filter((exit) => exit === all.length || random.below(2) === 1) : all;
    const ensemble = random.below(4) === 0;
    const batch = 2 + random.below(69);
    const count = batch + random.below(batch);
    const rows = randomRows(random, network, count);
    // The last row is the first once more.
    rows.set(rowOf(rows, 0, model.sampleSize), (count - 1) * model.sampleSize);
    const shared = { criterion, ensemble };

    using reference = await model.compile({ ...shared, exits, batch });
    const wanted = await reference.classifyBatch(rows, scored);
    expect(wanted.at(-1)).toEqual(wanted[0]);
    // Rows that left and were not regrouped go on with the others, unheard.
    const regroupFrom = exits.map(() => 1 + random.below(random.below(2) * batch + 1));
    for (const policy of ways(network, batch, { exits, regroupFrom })) {
      using classifier = await model.compile({ ...shared, batch, policy });
      expect(await classifier.classifyBatch(rows, scored), `${policy.policy} ${policy.grids[0]}`).toEqual(wanted);
    }

    const order = random.split('order');
    const permutation = Array.from({ length: count }, () => order.below(count));
    const permuted = new Float32Array(rows.length);
    permutation.forEach((from, to) => permuted.set(rowOf(rows, from, model.sampleSize), to * model.sampleSize));
    expect(await reference.classifyBatch(permuted, scored)).toEqual(permutation.map((from) => wanted[from]));

    const alone: (ClassifierOptions['policy'])[] = ['readback', ...ways(network, 1, { exits })];
    for (const policy of alone) {
      using single = await model.compile({ ...shared, ...(policy === 'readback' && { exits }), policy: policy! });
      for (let row = 0; row < Math.min(4, count); row++) {
        const got = await single.classify(rowOf(rows, row, model.sampleSize), scored);
        expect(got, `row ${row}, ${typeof policy === 'object' ? policy.policy : policy}`).toEqual(wanted[row]);
      }
    }
    const taken = new Set(wanted.map(({ exit }) => exit));
    note(taken.size > 1 ? 'mixed' : 'uniform');
    for (const exit of taken) note(exit === exits.at(-1) ? 'last' : `early ${exit}`);
  });

  it('on networks where rows part', () => {
    expect(seen.get('mixed')).toBeGreaterThan(NETWORKS / 2);
    expect(seen.get('last')).toBeGreaterThan(NETWORKS / 2);
    for (const exit of [1, 2, 3]) expect(seen.get(`early ${exit}`), `exit ${exit}`).toBeGreaterThan(NETWORKS / 12);
  });
});

const network = linearNetwork(3);
const model = Model.initialize(device, network, { seed: 9 });
afterAll(() => model.dispose());
const criterion = confidence(0.75, 0.7);
const never = entropy(0);
const always = entropy(Math.log(3));
/** All leave at `exit`. */
const leavingAt = (exit: number): Criterion => entropy(...[1, 2].map((other) => (other === exit ? Math.log(3) : 0)));
const rows = randomRows(new Random(4), network, 4097);
const row = rows.subarray(0, 4);

describe('sizes', () => {
  let wanted: Prediction[] | undefined;
  const reference = async (): Promise<Prediction[]> => {
    using grouped = await model.compile({ criterion, batch: 50 });
    return (wanted ??= await grouped.classifyBatch(rows, scored));
  };

  it.each([1, 63, 64, 65, 255, 256, 257, 1000, 4097])('%i rows in one batch, under each policy', async (batch) => {
    const exact = (await reference()).slice(0, batch);
    if (batch > 1) expect(new Set(exact.map(({ exit }) => exit))).toEqual(new Set([1, 2, 3]));
    for (const policy of ['readback' as const, ...ways(network, batch)]) {
      using classifier = await model.compile({ criterion, batch, policy });
      expect(await classifier.classifyBatch(rows.subarray(0, batch * 4), scored)).toEqual(exact);
    }
  });

  it('no rows at all are no answers, and cost nothing', async () => {
    for (const policy of POLICIES) {
      using classifier = await model.compile({ criterion, batch: 16, policy });
      using counting = new CountingDevice();
      expect(await classifier.classifyBatch(new Float32Array(0))).toEqual([]);
      expect(counting.counts).toMatchObject({ submits: 0, maps: [] });
    }
  });

  it('of a batch of 64, few rows are as good as many', async () => {
    const exact = await reference();
    for (const policy of ways(network, 64)) {
      using classifier = await model.compile({ criterion, batch: 64, policy });
      for (const count of [64, 1, 2, 63, 3]) {
        expect(await classifier.classifyBatch(rows.subarray(0, count * 4), scored)).toEqual(exact.slice(0, count));
      }
    }
  });

  it('100 repeats of a gated batch give the same bits', async () => {
    for (const grid of ['full', 'indirect'] as const) {
      using classifier = await model.compile({ criterion, batch: 128, policy: planFor(network, 128, 'gated', grid) });
      const first = await classifier.classifyBatch(rows.subarray(0, 128 * 4), scored);
      expect(first).toEqual((await reference()).slice(0, 128));
      for (let repeat = 0; repeat < 99; repeat++) {
        expect(await classifier.classifyBatch(rows.subarray(0, 128 * 4), scored)).toEqual(first);
      }
    }
  });
});

it('policies give the same bits where a workgroup shares a row', async () => {
  const wide = linearNetwork(3, { classes: 300 });
  using many = Model.initialize(device, wide, { seed: 3 });
  const samples = rows.subarray(0, 30 * 4);
  const middle = async (exit: number): Promise<number> => {
    using cut = await many.compile({ exits: [exit], batch: 30 });
    return (await cut.classifyBatch(samples, scored)).map((row) => row.confidence!).sort((a, b) => a - b)[15]!;
  };
  const shared = { criterion: confidence(await middle(1), await middle(2)), batch: 20 };
  using reference = await many.compile(shared);
  const wanted = await reference.classifyBatch(samples, scored);
  expect(new Set(wanted.map(({ exit }) => exit)).size).toBe(3);
  for (const policy of ways(wide, 20)) {
    using classifier = await many.compile({ ...shared, policy });
    expect(await classifier.classifyBatch(samples, scored)).toEqual(wanted);
  }
});

describe('what a call costs, counted below the library', () => {
  const compiled = async (policy: PolicyKind, exit: number, options: ClassifierOptions = {}): Promise<Classifier> =>
    model.compile({ criterion: leavingAt(exit), policy, ...options });

  it.each([1, 2, 3])('readback to exit %i: a submit and a map of 4 bytes each, 16 with scores', async (exit) => {
    using classifier = await compiled('readback', exit);
    using cut = await model.compile({ criterion: never, exits: [1, 2, 3].slice(0, exit) });
    using counting = new CountingDevice();
    for (const [options, bytes] of [[{}, 4], [scored, 16]] as const) {
      counting.reset();
      expect((await classifier.classify(row, options)).exit).toBe(exit);
      const { dispatches, ...counts } = counting.counts;
      expect(counts).toEqual({
        submits: exit, maps: Array(exit).fill(bytes), bytesCopied: exit * bytes, buffersMade: 0, bindGroupsMade: 0,
      });
      // Nothing behind the exit was encoded.
      expect(dispatches).toBe(cut.dispatches);
    }
  });

  it.each([1, 2, 3])('gated to exit %i: one submit and one map', async (exit) => {
    for (const batch of [1, 32]) {
      using classifier = await compiled('gated', exit, { batch });
      using counting = new CountingDevice();
      const predictions = await classifier.classifyBatch(rows.subarray(0, batch * 4), scored);
      expect(new Set(predictions.map((prediction) => prediction.exit))).toEqual(new Set([exit]));
      const { dispatches, ...counts } = counting.counts;
      const bytes = 32 * batch;
      expect(counts).toEqual({ submits: 1, maps: [bytes], bytesCopied: bytes, buffersMade: 0, bindGroupsMade: 0 });
      expect(dispatches).toBe(classifier.dispatches);
    }
  });

  it.each([1, 2, 3])('overlap to exit %i: the maps of readback, and at most one stage in vain', async (exit) => {
    using classifier = await compiled('overlap', exit);
    await classifier.classify(row);
    using counting = new CountingDevice();
    const { trace } = await classifier.classify(row, { trace: true });
    const launched = Math.min(exit + 1, 3);
    const { dispatches, ...counts } = counting.counts;
    expect(counts).toEqual({
      submits: launched, maps: Array(exit).fill(4), bytesCopied: 4 * launched, buffersMade: 0, bindGroupsMade: 0,
    });
    const wasted = launched - exit;
    expect(trace).toMatchObject({ stages: launched, wasted, submits: launched, reads: exit, dispatches });
  });

  it('overlap in a batch: a count for each exit but the last, all records once', async () => {
    for (const exit of [1, 2, 3]) {
      using classifier = await compiled('overlap', exit, { batch: 32 });
      using counting = new CountingDevice();
      const { trace } = await classifier.classifyBatch(rows.subarray(0, 128), { trace: true });
      const counts = Math.min(exit, 2);
      expect(counting.counts.maps).toEqual([...Array(counts).fill(4), 32 * 32]);
      expect(trace!.wasted).toBe(exit === 3 ? 0 : 1);
    }
  });

  it.each(POLICIES)('%s makes nothing in the steady state: memory stays what it is over 200 calls', async (policy) => {
    using classifier = await compiled(policy, 1);
    using batched = await compiled(policy, 2, { batch: 16, criterion });
    const call = async (index: number): Promise<void> => {
      if (index % 4) classifier.setCriterion(leavingAt(index % 4));
      await classifier.classify(row, index % 2 ? scored : {});
      if (index % 4 === 0) await batched.classifyBatch(rows.subarray(0, 256));
    };
    for (let index = 0; index < 8; index++) await call(index);
    const before = device.memory();
    using counting = new CountingDevice();
    for (let index = 0; index < 200; index++) await call(index);
    expect(device.memory()).toEqual(before);
    expect(counting.counts).toMatchObject({ buffersMade: 0, bindGroupsMade: 0 });
  });
});

describe('behind the last row', () => {
  /** What intermediate memory holds after a call that found it filled with a sentinel. */
  async function traces(policy: PolicyKind | Plan, batch: number, rule: Criterion): Promise<number[]> {
    using counting = new CountingDevice();
    using classifier = await model.compile({ criterion: rule, batch, policy });
    await classifier.classifyBatch(rows.subarray(0, batch * 4));
    const buffers = counting.buffers.filter(({ label }) => /plan \d+$/.test(label));
    expect(buffers.length).toBeGreaterThan(0);
    for (const buffer of buffers) device.write(buffer, 0, new Uint8Array(buffer.size).fill(0x5a));
    await classifier.classifyBatch(rows.subarray(0, batch * 4));
    const bytes = buffers.map((buffer) => device.read({ buffer, offset: 0, size: buffer.size }));
    return (await Promise.all(bytes)).flatMap((each) => [...new Uint32Array(each)]);
  }

  const differing = (words: number[], others: number[]): number[] =>
    words.filter((word, index) => word !== others[index]);

  it.each([1, 16])('no kernel of a gated batch of %i writes anything', async (batch) => {
    for (const exit of [1, 2]) {
      const stopped = await traces('readback', batch, leavingAt(exit));
      for (const [grid, most] of [['full', 1], ['indirect', 0]] as const) {
        const gated = planFor(network, batch, 'gated', grid);
        const written = differing(await traces(gated, batch, leavingAt(exit)), stopped);
        // The last check, if launched, says of nobody that they stay: a word that no kernel behind it reads.
        expect(written, `exit ${exit}, ${grid} grids`).toEqual(Array(Math.min(most, written.length)).fill(0));
        expect(differing(await traces(gated, batch, never), stopped).length).toBeGreaterThan(3 * batch);
      }
    }
  });

  it.each([1, 16, 65])('the GPU counts no invocation at work, in batches of %i', async (batch) => {
    for (const grid of ['full', 'indirect'] as const) {
      const policy = planFor(network, batch, 'gated', grid);
      using classifier = await model.compile({ criterion: never, batch, policy, count: true });
      // From the deepest to the shallowest: counts of the call before must not live on.
      for (const exit of [3, 1, 2]) {
        classifier.setCriterion(leavingAt(exit));
        const { trace } = await classifier.classifyBatch(rows.subarray(0, batch * 4), { trace: true });
        const atWork = trace!.reached!.map((invocations) => invocations > 0);
        expect(atWork, `exit ${exit}, ${grid} grids`).toEqual([true, exit >= 2, exit >= 3]);
      }
    }
  });

  it('a stage that nobody reaches is counted as wasted', async () => {
    using classifier = await model.compile({ criterion: always, policy: 'gated' });
    expect((await classifier.classify(row, { trace: true })).trace).toMatchObject({ stages: 3, wasted: 2 });
    classifier.setCriterion(never);
    expect((await classifier.classify(row, { trace: true })).trace).toMatchObject({ stages: 3, wasted: 0 });
  });
});
