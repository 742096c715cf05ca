import { describe, expect, it } from 'vitest';
import { DriftWatch } from '../../src/earlyexit/scheduling/drift.ts';
import { choosePlan } from '../../src/earlyexit/scheduling/planner.ts';
import { expectedMs } from '../../src/earlyexit/scheduling/cost-model.ts';
import type { DeviceCosts, PolicyKind } from '../../src/earlyexit/scheduling/costs.ts';
import type { Plan } from '../../src/earlyexit/scheduling/planner.ts';
import { ArgumentError } from '../../src/errors.ts';
import { Random } from '../../src/random.ts';

const part = (alive: number, skipped: number) => ({ full: { alive, skipped }, indirect: { alive, skipped } });
const costsAt = (roundTripMs: number, batch = 1): DeviceCosts => ({
  adapter: 'by hand',
  network: 'n',
  batch,
  roundTripMs,
  // A skip that is no bargain: what overlap saves at a short round trip, it wastes.
  stages: [1, 2, 3, 4].map((ms) => ({ body: part(ms, 0.2), exit: part(0.1, 0.05) })),
});
const shares = [0.5, 0.2, 0.1, 0.2];
const all = { exits: [1, 2, 3, 4] };

const leaving = (random: Random, from: readonly number[]) => {
  let left = random.uniform();
  return from.findIndex((share) => (left -= share) < 0) + 1 || from.length;
};

/** What a call takes on a device of this round trip, under the watched plan's policy or another. */
const call = (plan: Plan, roundTripMs: number, exit: number, policy: PolicyKind = plan.policy) => {
  const certain = [1, 2, 3, 4].map((k) => Number(k === exit));
  return { policy, exits: [exit], elapsedMs: expectedMs({ ...plan.costs, roundTripMs }, certain, { ...plan, policy }) };
};

describe('drift', () => {
  // Half of the latest 256 calls must have seen it when the plan is looked at, every 256 calls.
  it.each([
    [0, 256],
    [100, 256],
    [129, 383],
    [255, 257],
  ])('of the round trip, after %i calls, changes the policy within %i', (before, within) => {
    const random = new Random(1);
    const plan = choosePlan(costsAt(0.03), shares, all);
    expect(plan.policy).toBe('readback');
    const watch = new DriftWatch(plan);
    for (let n = 0; n < before; n++) {
      expect(watch.observe(call(plan, 0.03, leaving(random, shares)))).toBeUndefined();
    }
    const answers = Array.from({ length: within }, () => {
      const better = watch.observe(call(watch.plan, 20, leaving(random, shares)));
      if (better) watch.adopt(better);
      return better;
    });
    const [next, ...others] = answers.filter(Boolean);
    expect(others).toEqual([]);
    expect(next).toMatchObject({ policy: 'gated', exits: [1, 2, 3, 4] });
    expect(next!.costs.roundTripMs).toBeCloseTo(20, 3);
    expect(watch.plan).toBe(next);
  });

  it.each(['readback', 'gated', 'overlap'] as const)('is not seen in a stable stream under %s', (policy) => {
    const random = new Random(2);
    const plan = choosePlan(costsAt(2), shares, { ...all, policies: [policy] });
    const watch = new DriftWatch(plan, { policies: [policy], checkpoints: false });
    const free = new DriftWatch(choosePlan(costsAt(2), shares, all), { checkpoints: false });
    for (let n = 0; n < 4096; n++) {
      const exit = leaving(random, shares);
      const noisy = 2 * random.between(0.9, 1.1);
      expect(watch.observe(call(plan, noisy, exit))).toBeUndefined();
      expect(free.observe(call(free.plan, noisy, exit))).toBeUndefined();
    }
    expect(Math.abs(watch.roundTripMs / 2 - 1)).toBeLessThan(0.05);
    watch.shares.forEach((share, index) => expect(Math.abs(share - shares[index]!)).toBeLessThan(0.12));
    expect(watch.shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 9);
  });

  it('is not seen in one hiccup of a second', () => {
    const random = new Random(3);
    const watch = new DriftWatch(choosePlan(costsAt(0.03), shares, all));
    for (let n = 0; n < 1024; n++) {
      const stall = n === 200 ? 1000 : 0;
      const { elapsedMs, ...rest } = call(watch.plan, 0.03, leaving(random, shares));
      expect(watch.observe({ ...rest, elapsedMs: elapsedMs + stall })).toBeUndefined();
    }
    expect(watch.roundTripMs).toBeCloseTo(0.03, 4);
  });

  it('changes nothing for a gain below 10 %', () => {
    const gainAt = (roundTrip: number, gain: number) => {
      const watch = new DriftWatch(choosePlan(costsAt(0.03), shares, all), { gain, weight: Infinity });
      const calls = Array.from({ length: 256 }, (_, n) => call(watch.plan, roundTrip, 1 + (n % 4)));
      return calls.map((each) => watch.observe(each)).find(Boolean);
    };
    // Overlap saves one of two round trips, beside 3.9 ms of work: 7.6 %.
    expect(gainAt(0.35, 0.1)).toBeUndefined();
    expect(gainAt(0.35, 0.01)?.policy).toBe('overlap');
  });

  it('of the exit shares changes the policy', () => {
    const plan = choosePlan(costsAt(3), [1, 0, 0, 0], all);
    expect(plan.policy).toBe('readback');
    const watch = new DriftWatch(plan);
    const next = Array.from({ length: 512 }, () => watch.observe(call(watch.plan, 3, 4))).find(Boolean);
    expect(next?.policy).toBe('gated');
    expect(watch.shares[3]).toBeGreaterThan(0.9);
  });

  it('is measured whatever policy a call ran under', () => {
    const watch = new DriftWatch(choosePlan(costsAt(1), shares, all), { every: 64 });
    for (let n = 0; n < 63; n++) {
      watch.observe(call(watch.plan, 7, 1 + (n % 4), (['readback', 'gated', 'overlap'] as const)[n % 3]));
    }
    expect(watch.roundTripMs).toBeCloseTo(7, 4);
  });

  it('reaches other checkpoints at every eighth look', () => {
    // Nearly everyone left at the last exit when the plan was made, so it has no other.
    const plan = choosePlan(costsAt(0.03), [0.005, 0, 0, 0.995]);
    expect(plan.exits).toEqual([4]);
    const watch = new DriftWatch(choosePlan(costsAt(0.03), [0.005, 0, 0, 0.995], all));
    const answers = Array.from({ length: 2048 }, () => watch.observe(call(watch.plan, 0.03, 1)));
    expect(answers.slice(0, -1).filter(Boolean).every((better) => better!.exits.length === 4)).toBe(true);
    expect(answers.at(-1)!.exits).toEqual([1, 4]);
    watch.adopt(answers.at(-1)!);
    for (let n = 0; n < 256; n++) expect(watch.observe(call(watch.plan, 0.03, 1))).toBeUndefined();
    expect(watch.roundTripMs).toBeCloseTo(0.03, 4);
  });

  it('splits what leaves at a kept exit among the dropped ones it stands in for', () => {
    const plan = choosePlan(costsAt(1), [0.3, 0.1, 0.2, 0.4], { exits: [2, 4] });
    const watch = new DriftWatch(plan, { weight: 10 });
    for (let n = 0; n < 200; n++) watch.observe({ policy: plan.policy, exits: [2], elapsedMs: 5 });
    expect(watch.shares.map((share) => Number(share.toFixed(3)))).toEqual([0.75, 0.25, 0, 0]);
  });

  it('weighs a batch as its rows', () => {
    const plan = choosePlan(costsAt(1, 4), shares, all);
    const [batch, single] = [new DriftWatch(plan), new DriftWatch(plan)];
    batch.observe({ policy: plan.policy, exits: Uint8Array.of(2, 2, 2, 2), elapsedMs: 5 });
    for (let n = 0; n < 4; n++) single.observe({ policy: plan.policy, exits: [2], elapsedMs: 5 });
    batch.shares.forEach((share, index) => expect(share).toBeCloseTo(single.shares[index]!, 12));
    // The plan's shares are worth 200 samples.
    expect(batch.shares[1]).toBeCloseTo(1 - 0.8 * (199 / 200) ** 4, 12);
  });

  it('finds the round trip of a batch, whatever its rows do', () => {
    const plan = choosePlan(costsAt(0.03, 4), shares, { ...all, policies: ['readback'] });
    const watch = new DriftWatch(plan, { every: 8, policies: ['readback'] });
    // A fourth of the rows goes on to the second stage: 0.25 skipped, and a fourth of 1.85 more.
    const elapsedMs = 1.1 + (0.25 + 0.25 * 1.85) + 2 * 6;
    for (let n = 0; n < 8; n++) watch.observe({ policy: 'readback', exits: [1, 1, 2, 1], elapsedMs });
    expect(watch.roundTripMs).toBeCloseTo(6, 5);
  });

  const plan = choosePlan(costsAt(1), shares, { exits: [2, 4] });

  it.each([
    [{ exits: [], elapsedMs: 1 }, 'DriftWatch: expected the exits of 1 to 1 rows, got 0'],
    [{ exits: [2, 2], elapsedMs: 1 }, 'DriftWatch: expected the exits of 1 to 1 rows, got 2'],
    [{ exits: [3], elapsedMs: 1 }, "DriftWatch: expected one of the plan's exits 2, 4, got 3"],
    [{ exits: [2], elapsedMs: NaN }, 'DriftWatch: expected elapsedMs to be finite and >= 0, got NaN'],
  ])('refuses the call %j', (wrong, message) => {
    expect(() => new DriftWatch(plan).observe({ policy: 'gated', ...wrong })).toThrow(new ArgumentError(message));
  });

  it.each([
    [{ every: 0 }, 'DriftWatch: expected every >= 1, an integer, got 0'],
    [{ weight: NaN }, 'DriftWatch: expected a weight of 1 sample or more, got NaN'],
    [{ gain: 1 }, 'DriftWatch: expected a gain in [0, 1), got 1'],
  ])('refuses the option %j', (options, message) => {
    expect(() => new DriftWatch(plan, options)).toThrow(new ArgumentError(message));
  });
});
