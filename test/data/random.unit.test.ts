import { describe, expect, it } from 'vitest';
import { ArgumentError } from '../../src/errors.ts';
import { Random } from '../../src/random.ts';

const draws = (random: Random, count: number) => Array.from({ length: count }, () => random.nextUint32());

/** Pearson's statistic of observed counts against equal ones. */
function chiSquared(counts: readonly number[]): number {
  const expected = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}

describe('Random', () => {
  it('is xoshiro128**: the reference numbers from the state 1, 2, 3, 4', () => {
    expect(draws(new Random(Uint32Array.of(1, 2, 3, 4)), 10)).toEqual([
      11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597, 4258142804,
    ]);
  });

  it('never changes its streams: saved figures depend on them', () => {
    expect(draws(new Random(1), 3)).toEqual([1501579113, 2048120370, 556365604]);
    expect(draws(new Random(1).split('train'), 3)).toEqual([3183325240, 3205033018, 734491504]);
    expect(new Random(2 ** 40 + 1).nextUint32()).not.toBe(new Random(1).nextUint32());
  });

  it('splits by label and seed alone, not by what was drawn', () => {
    const fresh = new Random(7);
    const used = new Random(7);
    draws(used, 100);
    expect(draws(used.split('a'), 5)).toEqual(draws(fresh.split('a'), 5));
    const labels = ['a', 'b', 'ab', '', 0, 1, 10, 11];
    const first = labels.map((label) => fresh.split(label).nextUint32());
    const nested = fresh.split('a').split('b').nextUint32();
    expect(new Set([...first, nested, fresh.nextUint32()]).size).toBe(labels.length + 2);
  });

  it('gives uniform numbers that float32 holds exactly, evenly spread and uncorrelated', () => {
    const random = new Random(3);
    const counts = new Array<number>(64 * 64).fill(0);
    let previous = random.uniform();
    for (let draw = 0; draw < 400_000; draw++) {
      const value = random.uniform();
      if (value < 0 || value >= 1 || Math.fround(value) !== value) expect.fail(`${value} is no float32 in [0, 1)`);
      counts[Math.floor(previous * 64) * 64 + Math.floor(value * 64)]!++;
      previous = value;
    }
    // 4,095 degrees of freedom: mean 4,095, standard deviation 90.5; five of them either way.
    expect(chiSquared(counts)).toBeGreaterThan(3640);
    expect(chiSquared(counts)).toBeLessThan(4550);
  });

  it('takes each integer below a bound equally often, also where 2^32 is no multiple', () => {
    const random = new Random(4);
    const bound = 3 * 2 ** 30; // draws % bound would give the first third twice as often
    const thirds = [0, 0, 0];
    for (let draw = 0; draw < 30_000; draw++) thirds[Math.floor(random.below(bound) / 2 ** 30)]!++;
    expect(chiSquared(thirds)).toBeLessThan(20);
    expect(random.below(1)).toBe(0);
    expect(() => random.below(0)).toThrow(ArgumentError);
    expect(() => random.below(2.5)).toThrow(ArgumentError);
  });

  it('shuffles to every order equally often', () => {
    const random = new Random(5);
    const orders = new Map<string, number>();
    for (let round = 0; round < 24_000; round++) {
      const order = random.shuffle([0, 1, 2, 3]).join('');
      orders.set(order, (orders.get(order) ?? 0) + 1);
    }
    expect(orders.size).toBe(24);
    expect(chiSquared([...orders.values()])).toBeLessThan(60); // 23 degrees of freedom
  });

  it('draws normal numbers: moments and tails', () => {
    const random = new Random(6);
    const values = Array.from({ length: 200_000 }, () => random.normal());
    const moment = (power: number) => values.reduce((sum, value) => sum + value ** power, 0) / values.length;
    // Five standard errors each.
    expect(Math.abs(moment(1))).toBeLessThan(0.0112);
    expect(Math.abs(moment(2) - 1)).toBeLessThan(0.016);
    expect(Math.abs(moment(3))).toBeLessThan(0.05);
    expect(Math.abs(moment(4) - 3)).toBeLessThan(0.11);
    const beyond = (limit: number) => values.filter((value) => Math.abs(value) > limit).length / values.length;
    expect(Math.abs(beyond(1) - 0.31731)).toBeLessThan(0.0055);
    expect(Math.abs(beyond(2) - 0.0455)).toBeLessThan(0.0025);
    expect(Math.abs(beyond(3) - 0.0027)).toBeLessThan(0.0006);
    expect(beyond(4)).toBeGreaterThan(0);
  });

  it('refuses seeds that are no safe integers, and a state of zeros', () => {
    for (const seed of [-1, 0.5, NaN, Infinity, 2 ** 53]) expect(() => new Random(seed)).toThrow(ArgumentError);
    expect(() => new Random(new Uint32Array(4))).toThrow(/not all zero/);
    expect(() => new Random(Uint32Array.of(1, 2))).toThrow(ArgumentError);
    expect(draws(new Random(0), 2)).not.toEqual([0, 0]);
  });
});
