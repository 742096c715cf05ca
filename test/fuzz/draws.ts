import type { Random } from '../../src/random.ts';
import { sizeOf } from '../../src/tensor/spec.ts';
import type { Host, OpCase } from '../op-table.ts';

/** Lengths at which kernels change their ways, and those between. */
const LENGTHS = [1, 1, 2, 3, 4, 5, 7, 8, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 255, 256, 257, 1000];
/** Elements that the oracle is asked for. */
const MOST = 20_000;

export const one = <T>(random: Random, items: readonly T[]): T => items[random.below(items.length)]!;

/** From `low` to `high`, both included. */
export const from = (random: Random, low: number, high: number): number => low + random.below(high - low + 1);

export const seedOf = (random: Random): number => random.below(2 ** 31);

/** Of `low` to `high` axes, with few enough elements. */
export function drawShape(random: Random, low = 0, high = 6, most = MOST): number[] {
  const shape: number[] = [];
  const rank = from(random, low, high);
  while (shape.length < rank) {
    const room = most / sizeOf(shape);
    shape.push(one(random, LENGTHS.filter((length) => length <= room)));
  }
  return random.shuffle(shape);
}

/**
 * The same case with samples along the leading axis of the inputs named, one entry or several for each, or as it is
 * where they have no such axis in common.
 */
export function drawSamples(random: Random, opCase: OpCase, batched = Object.keys(opCase.inputs)): OpCase {
  const leads = batched.map((name) => opCase.inputs[name]!.shape[0]);
  const [lead] = leads;
  if (!lead || leads.some((length) => length !== lead) || random.below(2) === 0) return opCase;
  const divisors = Array.from({ length: lead }, (_, index) => index + 1).filter((count) => lead % count === 0);
  return { ...opCase, batched, samples: one(random, divisors) };
}

/** Two shapes that broadcast, and what they come to. */
export function drawBroadcast(random: Random, most = MOST): readonly [a: number[], b: number[]] {
  const shape = drawShape(random, 0, 6, most);
  const reduced = (): number[] =>
    shape.map((length) => (random.below(4) === 0 ? 1 : length)).slice(random.below(3) === 0 ? from(random, 0, shape.length) : 0);
  return random.below(2) === 0 ? [shape, reduced()] : [reduced(), shape];
}

/** An axis, sometimes counted from the last. */
export function drawAxis(random: Random, { shape }: Host, first = 0): number {
  const axis = from(random, first, shape.length - 1);
  return random.below(3) === 0 ? axis - shape.length : axis;
}
