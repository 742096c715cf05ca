import { describe, expect, it } from 'vitest';
import { choosePlan } from '../../src/earlyexit/scheduling/planner.ts';
import { estimateChoice, expectedMs, perCallMs } from '../../src/earlyexit/scheduling/cost-model.ts';
import { explainPlan } from '../../src/earlyexit/scheduling/explain.ts';
import { POLICIES } from '../../src/earlyexit/scheduling/costs.ts';
import type { GridKind } from '../../src/graph/program.ts';
import type { Choice, DeviceCosts, PartCost, PolicyKind } from '../../src/earlyexit/scheduling/costs.ts';
import { ArgumentError } from '../../src/errors.ts';
import { Random } from '../../src/random.ts';

const part = (alive: number, skipped: number, indirectAlive = alive, indirectSkipped = skipped): PartCost => ({
  full: { alive, skipped },
  indirect: { alive: indirectAlive, skipped: indirectSkipped },
});

const device = (roundTripMs: number, stages: DeviceCosts['stages'], batch = 1): DeviceCosts => ({
  adapter: 'by hand', network: 'n', batch, roundTripMs, stages,
});

interface Timeline {
  /** When the caller has the answer. */
  readonly answer: number;
  /** When a call made at once after the answer begins on the GPU. */
  readonly next: number;
}

interface Job {
  readonly stage: number;
  readonly done: () => void;
}

/**
 * A host and a GPU on one timeline of events: the GPU takes jobs in order and learns of the exit when the stage that
 * decides it is done; the host acts when something arrives, a round trip after the job that sent it was done.
 */
function simulate(costs: DeviceCosts, { policy, exits, grids }: Choice, exit: number): Timeline {
  const depth = exits.findIndex((kept) => kept >= exit);
  const last = exits.length - 1;
  const events: { at: number; run: () => void }[] = [];
  const jobs: Job[] = [];
  const timeline = { now: 0, busy: false, decided: false, idle: 0, answer: NaN };

  const after = (ms: number, run: () => void) => {
    events.push({ at: timeline.now + ms, run });
    events.sort((a, b) => a.at - b.at);
  };
  const work = (stage: number) => {
    const grid = policy === 'readback' ? 'full' : grids[stage]!;
    const kind = timeline.decided ? 'skipped' : 'alive';
    let ms = costs.stages[exits[stage]! - 1]!.exit[grid][kind];
    for (let piece = exits[stage - 1] ?? 0; piece < exits[stage]!; piece++) ms += costs.stages[piece]!.body[grid][kind];
    return ms;
  };
  const startNextJob = () => {
    const job = timeline.busy ? undefined : jobs.shift();
    if (!job) return;
    timeline.busy = true;
    after(work(job.stage), () => {
      timeline.busy = false;
      timeline.idle = timeline.now;
      timeline.decided ||= job.stage === depth;
      job.done();
      startNextJob();
    });
  };
  const submit = (stage: number, done: () => void) => {
    jobs.push({ stage, done });
    startNextJob();
  };
  const answer = () => (timeline.answer = timeline.now);
  const read = (hear: () => void) => () => after(costs.roundTripMs, hear);

  const readback = (stage: number) => submit(stage, read(() => (stage === depth ? answer() : readback(stage + 1))));
  const overlap = (stage: number) => {
    if (stage <= last) submit(stage, read(() => {
      if (stage === depth) answer();
      else if (stage < depth) overlap(stage + 2);
    }));
  };
  if (policy === 'readback') readback(0);
  else if (policy === 'gated') exits.forEach((_, stage) => submit(stage, stage === last ? read(answer) : () => {}));
  else [0, 1].forEach(overlap);

  for (let event = events.shift(); event; event = events.shift()) {
    timeline.now = event.at;
    event.run();
  }
  return { answer: timeline.answer, next: Math.max(timeline.answer, timeline.idle) };
}

const simulateMean = (costs: DeviceCosts, shares: readonly number[], choice: Choice): Timeline => {
  const runs = shares.map((share, index) => ({ share, ...simulate(costs, choice, index + 1) }));
  const mean = (name: keyof Timeline) => runs.reduce((sum, run) => sum + run.share * run[name], 0);
  return { answer: mean('answer'), next: mean('next') };
};

const normalise = (weights: readonly number[]) => {
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
};

describe('the time a choice takes', () => {
  const random = new Random(5);
  const draw = (most: number) => (random.below(8) === 0 ? 0 : random.between(0, most));
  const randomPart = () => part(draw(4), draw(0.5), draw(4), draw(0.5));
  const cases = Array.from({ length: 200 }, () => {
    const count = 1 + random.below(8);
    const costs = device(draw(10), Array.from({ length: count }, () => ({ body: randomPart(), exit: randomPart() })));
    const shares = normalise(Array.from({ length: count }, (_, index) => draw(1) + Number(index === 0) * 1e-3));
    const exits = costs.stages.map((_, index) => index + 1).filter((exit) => exit === count || random.below(3) > 0);
    const grids = exits.map((): GridKind => (random.below(2) ? 'full' : 'indirect'));
    return { costs, shares, exits, grids };
  });

  it.each(POLICIES)('is, under %s, that of a simulated host and GPU', (policy) => {
    for (const { costs, shares, exits, grids } of cases) {
      const choice = { policy, exits, grids };
      const { answer, next } = simulateMean(costs, shares, choice);
      expect(Math.abs(expectedMs(costs, shares, choice) - answer)).toBeLessThan(1e-9);
      expect(Math.abs(perCallMs(estimateChoice(costs, shares, choice)) - next)).toBeLessThan(1e-9);
    }
  });

  it('is known by hand', () => {
    const stage = (ms: number) => ({ body: part(ms - 1, 0.25), exit: part(1, 0.25) });
    const costs = device(10, [stage(2), stage(3), stage(4)]);
    const choice = { exits: [1, 2, 3], grids: ['full', 'full', 'full'] } as const;
    const time = (policy: PolicyKind, exit: number) =>
      expectedMs(costs, [1, 2, 3].map((k) => Number(k === exit)), { policy, ...choice });
    expect([1, 2, 3].map((exit) => time('readback', exit))).toEqual([12, 25, 39]);
    expect([1, 2, 3].map((exit) => time('gated', exit))).toEqual([13, 15.5, 19]);
    // The third stage waits for the scalar of the first: 2 + 10.
    expect([1, 2, 3].map((exit) => time('overlap', exit))).toEqual([12, 15, 26]);
  });

  describe('of batches', () => {
    const stage = (ms: number) => ({ body: part(ms, 0.1), exit: part(0.5, 0.02) });
    const shares = [0.5, 0.3, 0.2];
    const all: Omit<Choice, 'policy'> = { exits: [1, 2, 3], grids: ['full', 'full', 'full'] };

    /** Every way in which the rows of a batch may leave, weighted by how likely it is. */
    const enumerate = (batch: number, timeOf: (alive: number[]) => number): number => {
      let mean = 0;
      for (let way = 0; way < 3 ** batch; way++) {
        const rows = Array.from({ length: batch }, (_, row) => Math.floor(way / 3 ** row) % 3);
        const likely = rows.reduce((product, row) => product * shares[row]!, 1);
        mean += likely * timeOf([0, 1, 2].map((k) => rows.filter((row) => row >= k).length / batch));
      }
      return mean;
    };
    const works = [2, 3, 4].map((ms) => ({ alive: ms + 0.5, skipped: 0.12 }));
    const costs = (batch: number) => device(2, [stage(2), stage(3), stage(4)], batch);
    const stageMs = (index: number, fraction: number) => {
      const { alive, skipped } = works[index]!;
      return skipped + fraction * (alive - skipped);
    };

    it.each([1, 2, 5])('of %i rows, readback and gated, is that over all ways to leave', (batch) => {
      const readback = enumerate(batch, (alive) =>
        alive.reduce((sum, rows, k) => sum + (rows > 0 ? stageMs(k, rows) + 2 : 0), 0));
      const gated = enumerate(batch, (alive) => alive.reduce((sum, rows, k) => sum + stageMs(k, rows), 2));
      expect(expectedMs(costs(batch), shares, { policy: 'readback', ...all })).toBeCloseTo(readback, 9);
      expect(expectedMs(costs(batch), shares, { policy: 'gated', ...all })).toBeCloseTo(gated, 9);
    });

    it.each([2, 5])('of %i rows, overlap, is near it', (batch) => {
      const overlap = enumerate(batch, (alive) => {
        const [first, second, third] = alive.map((rows, k) => stageMs(k, rows)) as [number, number, number];
        if (alive[1] === 0) return first + 2;
        if (alive[2] === 0) return first + second + 2;
        return Math.max(first + second, first + 2) + third + 2;
      });
      const expected = expectedMs(costs(batch), shares, { policy: 'overlap', ...all });
      expect(Math.abs(expected / overlap - 1)).toBeLessThan(0.03);
    });
  });
});

describe('the plan', () => {
  const profiles: Record<string, DeviceCosts['stages']> = {
    even: [1, 1, 1, 1, 1].map((ms) => ({ body: part(ms, 0.04, ms + 0.06, 0.03), exit: part(0.1, 0.02, 0.12, 0.02) })),
    tiny: [0.01, 0.02, 0.03, 0.04, 0.05].map((ms) => ({
      body: part(ms, 0.01, ms + 0.02, 0.005),
      exit: part(0.04, 0.01, 0.06, 0.01),
    })),
    'heavy tail': [0.2, 0.5, 2, 8, 30].map((ms) => ({
      body: part(ms, 0.04, ms + 0.06, 0.03),
      exit: part(0.3, 0.04, 0.34, 0.03),
    })),
    // Where a kernel with a barrier costs 2 ms even if it returns at once.
    'dear skips': [3, 4, 5, 4, 3].map((ms) => ({ body: part(ms, 2, ms + 0.1, 0.02), exit: part(2.5, 2, 2.6, 0.02) })),
  };
  const histograms: Record<string, number[]> = {
    'all at the first exit': [1, 0, 0, 0, 0],
    'all at the last exit': [0, 0, 0, 0, 1],
    uniform: [0.2, 0.2, 0.2, 0.2, 0.2],
    'early-heavy': [0.6, 0.2, 0.1, 0.06, 0.04],
  };
  const gridsOf = (count: number) => Array.from({ length: 2 ** count }, (_, bits) =>
    Array.from({ length: count }, (_unused, index): GridKind => ((bits >> index) & 1 ? 'full' : 'indirect')));
  const subsets = Array.from({ length: 16 }, (_, bits) =>
    [1, 2, 3, 4, 5].filter((exit) => exit === 5 || (bits >> (exit - 1)) & 1));
  const everyChoice = POLICIES.flatMap((policy) => subsets.flatMap((exits) =>
    gridsOf(exits.length).map((grids): Choice => ({ policy, exits, grids }))));

  describe.each(Object.keys(profiles))('on %s stages', (profile) => {
    it.each(Object.keys(histograms))('with %s is within 10 % of the best choice of all, simulated', (histogram) => {
      for (const roundTrip of [0, 0.1, 1, 5, 15, 100]) {
        const costs = device(roundTrip, profiles[profile]!);
        const shares = histograms[histogram]!;
        const best = Math.min(...everyChoice.map((choice) => simulateMean(costs, shares, choice).next));
        const plan = choosePlan(costs, shares);
        expect(simulateMean(costs, shares, plan).next, `round trip ${roundTrip}`).toBeLessThanOrEqual(1.1 * best);

        const fixed = { exits: [1, 2, 3, 4, 5] };
        const bestFixed = Math.min(...everyChoice.filter(({ exits }) => exits.length === 5)
          .map((choice) => simulateMean(costs, shares, choice).next));
        expect(simulateMean(costs, shares, choosePlan(costs, shares, fixed)).next).toBeLessThanOrEqual(1.1 * bestFixed);
      }
    });
  });

  it('depends on the round trip', () => {
    const policyAt = (roundTrip: number) =>
      choosePlan(device(roundTrip, profiles['even']!), histograms['early-heavy']!, { exits: [1, 2, 3, 4, 5] }).policy;
    expect([0, 1, 100].map(policyAt)).toEqual(['readback', 'overlap', 'gated']);
  });

  it('takes indirect grids where skipping with full ones is dear, and full ones where it is not', () => {
    const gated = { policies: ['gated'], exits: [1, 2, 3, 4, 5] } as const;
    const shares = histograms['early-heavy']!;
    const dear = choosePlan(device(15, profiles['dear skips']!), shares, gated);
    expect(dear.grids).toEqual(['full', 'indirect', 'indirect', 'indirect', 'indirect']);
    const even = choosePlan(device(15, profiles['even']!), [0, 0, 0, 0, 1], gated);
    expect(even.grids).toEqual(['full', 'full', 'full', 'full', 'full']);
  });

  const withSecondHead = (ms: number) => device(0.1, [
    { body: part(1, 0), exit: part(0.1, 0) },
    { body: part(1, 0), exit: part(ms, 0) },
    { body: part(5, 0), exit: part(0.1, 0) },
  ]);

  it('drops a checkpoint whose head costs more than it saves', () => {
    // Half of the samples come to exit 2 and a tenth leave there: 0.5 times 2.1 ms against 0.1 times 5.2 ms.
    const plan = choosePlan(withSecondHead(2), [0.5, 0.1, 0.4]);
    expect(plan.exits).toEqual([1, 3]);
    const text = explainPlan(plan);
    expect(text).toMatch(/exit 1 kept: its check costs \d+\.\d{3} ms a call and saves \d+\.\d{3} ms/);
    expect(text).toMatch(/exit 2 dropped: its check would cost \d+\.\d{3} ms a call and save \d+\.\d{3} ms/);
  });

  it('keeps one that pays', () => {
    expect(choosePlan(withSecondHead(0.2), [0.5, 0.1, 0.4]).exits).toEqual([1, 2, 3]);
  });

  it('says what a checkpoint costs and saves', () => {
    const text = explainPlan(choosePlan(withSecondHead(2), [0.5, 0.1, 0.4], { policies: ['readback'] }));
    // Cost: half of the calls, (2 + 0.1) ms. Saved: a tenth of the calls, 5 + 0.1 + 0.1 ms.
    expect(text).toContain('exit 2 dropped: its check would cost 1.050 ms a call and save 0.520 ms');
    expect(text).toContain('n on by hand, batch 1: readback, exits 1 3');
    expect(text).toContain('round trip 0.100 ms');
    expect(text).toContain('leaving at exits 1 to 3: 50.0 %, 10.0 %, 40.0 %');
    expect(text).toMatch(/without exits {4}7\.200 ms {4}0\.000 ms {2}3/);
  });

  it('counts as saved at a checkpoint also what dropped ones before it leave to it', () => {
    const stages = [1, 1, 1, 1].map((ms) => ({ body: part(ms, 0), exit: part(0.5, 0) }));
    const options = { policies: ['readback'], exits: [2, 4] } as const;
    const text = explainPlan(choosePlan(device(1, stages), [0.25, 0.25, 0.25, 0.25], options));
    // Half of the calls leave at exit 2, else at 4: 2 + 0.5 + 1 ms. Check and read: 1.5 ms.
    expect(text).toContain('exit 2 kept: its check costs 1.500 ms a call and saves 1.750 ms');
    // A fourth of the calls leave at exit 1 and not at 2: 1 + 0.5 + 1 ms.
    expect(text).toContain('exit 1 dropped: its check would cost 1.500 ms a call and save 0.625 ms');
    // Half of the calls come to exit 3, a fourth goes on from it.
    expect(text).toContain('exit 3 dropped: its check would cost 0.750 ms a call and save 0.625 ms');
  });

  it('is the network without exits where none pays', () => {
    const plan = choosePlan(device(5, profiles['even']!), [0, 0, 0, 0, 1]);
    expect(plan).toMatchObject({ policy: 'readback', exits: [5] });
    expect(plan.expectedMs).toBeCloseTo(5 + 0.1 + 5, 9);
    expect(plan.alternatives.map(({ policy }) => policy)).toEqual([...POLICIES, 'readback']);
  });

  it('drops dear heads also beyond the exits of which all subsets are tried', () => {
    const stages = Array.from({ length: 24 }, (_, k) => ({ body: part(1, 0.02), exit: part(k % 2 ? 0.05 : 3, 0.01) }));
    const shares = normalise(stages.map((_, k) => 1 / (k + 1)));
    const plan = choosePlan(device(0.5, stages), shares);
    expect(plan.exits.every((exit) => exit % 2 === 0)).toBe(true);
    expect(plan.expectedMs).toBeLessThan(0.8 * plan.alternatives.at(-1)!.expectedMs);
  });
});

describe('what is no plan', () => {
  const costs = device(1, [1, 2, 3].map((ms) => ({ body: part(ms, 0), exit: part(0.1, 0) })));
  const shares = [0.5, 0.3, 0.2];
  const wrongTime = 'to be finite milliseconds >= 0';
  const wrongPolicies = 'choosePlan: expected policies among readback, gated, overlap, got';
  const wrongExits = 'choosePlan: expected exits that ascend from 1 or more and end with the last, 3, got';
  const choice: Choice = { policy: 'gated', exits: [1, 3], grids: ['full', 'full'] };

  it.each([
    [[0.5, 0.5], 'choosePlan: expected 3 shares, one per exit, got 2'],
    [[1.5, -0.5, 0], 'choosePlan: expected shares >= 0 that sum to 1, got [1.5, -0.5, 0], sum 1'],
    [[NaN, 0.5, 0.5], 'choosePlan: expected shares >= 0 that sum to 1, got [NaN, 0.5, 0.5], sum NaN'],
    [[0.5, 0.25, 0], 'choosePlan: expected shares >= 0 that sum to 1, got [0.5, 0.25, 0], sum 0.75'],
  ])('shares %j', (wrong, message) => {
    expect(() => choosePlan(costs, wrong)).toThrow(new ArgumentError(message));
  });

  it.each([
    [{ ...costs, roundTripMs: -1 }, `choosePlan: expected roundTripMs ${wrongTime}, got -1; measure again`],
    [{ ...costs, stages: [] }, 'choosePlan: expected the costs of at least one stage, got none'],
    [{ ...costs, batch: 0 }, 'choosePlan: expected a batch of 1 or more, got 0'],
    [
      { ...costs, stages: costs.stages.with(1, { body: part(1, 1), exit: part(1, 1, NaN) }) },
      `choosePlan: expected stages[1].exit.indirect.alive ${wrongTime}, got NaN; measure again`,
    ],
    [
      { ...costs, stages: costs.stages.with(2, { body: part(1, Infinity), exit: part(1, 1) }) },
      `choosePlan: expected stages[2].body.full.skipped ${wrongTime}, got Infinity; measure again`,
    ],
  ])('costs, case %#', (wrong, message) => {
    expect(() => choosePlan(wrong, shares)).toThrow(new ArgumentError(message));
  });

  it.each([
    [{ policies: [] }, `${wrongPolicies} []`],
    [{ policies: ['swift' as PolicyKind] }, `${wrongPolicies} [swift]`],
    [{ exits: [1, 2] }, `${wrongExits} [1, 2]`],
    [{ exits: [2, 1, 3] }, `${wrongExits} [2, 1, 3]`],
    [{ exits: [0, 3] }, `${wrongExits} [0, 3]`],
    [{ exits: [] }, `${wrongExits} []`],
  ])('options %j', (options, message) => {
    expect(() => choosePlan(costs, shares, options)).toThrow(new ArgumentError(message));
  });

  it.each([
    [{ grids: ['full'] as const }, 'expectedMs: expected 2 grids, full or indirect, one per kept exit, got [full]'],
    [{ policy: 'auto' as PolicyKind }, 'expectedMs: expected a policy of readback, gated, overlap, got auto'],
  ])('a choice, case %#', (wrong, message) => {
    expect(() => expectedMs(costs, shares, { ...choice, ...wrong })).toThrow(new ArgumentError(message));
  });
});
