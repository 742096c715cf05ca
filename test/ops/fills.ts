import type { NormalAttributes, UniformAttributes } from '../../src/kernels/random-fill.ts';
import { philox } from '../kernels/philox.ts';
import { randomIndices } from '../op-table.ts';
import type { OpRow } from '../op-table.ts';
import { build } from './shapes.ts';

const seeded = (attributes: object, seed: number) => ({
  inputs: { seed: randomIndices([1], seed, 2 ** 32) },
  attributes,
});

/** By place: what two words make of themselves. */
const filled = (shape: readonly number[], seed: number, stream: number, of: (words: readonly number[]) => number) => {
  let place = 0;
  return build(shape, () => of(philox([place++, stream], seed).map((word) => Math.floor(word / 256) * 2 ** -24)));
};

export const randomUniformRow: OpRow = {
  cases: [
    ...[0, 1, 65, 1000].map((length, seed) => seeded({ shape: [length] }, seed)),
    seeded({ shape: [5, 13], low: -3, high: 2.5, stream: 7 }, 9),
  ],
  reference({ seed }, attributes) {
    const { shape, low = 0, high = 1, stream = 0 } = attributes as UniformAttributes;
    return filled(shape, seed!.data[0]!, stream, ([unit]) => low + (high - low) * unit!);
  },
  // From 0 to 1 to the bit.
  ulps: ({ attributes }) => ('low' in attributes! ? 2 : 0),
};

export const randomNormalRow: OpRow = {
  cases: [seeded({ shape: [1000] }, 1), seeded({ shape: [5, 13], mean: 3, deviation: 0.5, stream: 7 }, 2)],
  reference({ seed }, attributes) {
    const { shape, mean = 0, deviation = 1, stream = 0 } = attributes as NormalAttributes;
    return filled(shape, seed!.data[0]!, stream, ([radius, angle]) =>
      mean + deviation * Math.sqrt(-2 * Math.log(radius! + 2 ** -24)) * Math.cos((2 * angle! - 1) * Math.PI));
  },
  // WGSL bounds the error of cos by 2^-11, times the root, of which the greatest here is 3.7; log is better than that.
  ulps: () => 2 ** 13,
};
