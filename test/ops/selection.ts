import { Random } from '../../src/random.ts';
import type { Dtype32 } from '../../src/tensor/spec.ts';
import { host } from '../op-table.ts';
import type { Host, OpCase, OpRow } from '../op-table.ts';

/** Few different numbers, so that many are equal; with both zeros, denormals and what is not finite. */
const numbers: Readonly<Record<Dtype32, readonly number[]>> = {
  f32: [0, -0, 1, -1, 1e-40, -1e-40, 3e38, -3e38, Infinity, -Infinity, 2.5, 1],
  i32: [0, -1, 1, 2 ** 31 - 1, -(2 ** 31), 7, 7],
  u32: [0, 1, 2 ** 31, 2 ** 32 - 1, 2 ** 31 - 1, 7, 7],
};

/** Numbers with many equals among them, and now and then NaN. */
export function withEquals(shape: readonly number[], seed: number, dtype: Dtype32 = 'f32', nan = false): Host {
  const source = new Random(seed);
  const length = shape.reduce((size, each) => size * each, 1);
  const data = Array.from({ length }, () => {
    if (nan && source.below(10) === 0) return NaN;
    const number = numbers[dtype][source.below(numbers[dtype].length)]!;
    return dtype === 'f32' ? Math.fround(number) : number;
  });
  return host(shape, data, dtype);
}

/** For each place beside the axis: where its elements are in the data, and where in a result with k along the axis. */
export function linesOf(shape: readonly number[], axis: number, k: number) {
  const at = (axis + shape.length) % shape.length;
  const length = shape[at]!;
  const stride = shape.slice(at + 1).reduce((size, each) => size * each, 1);
  const count = shape.reduce((size, each) => size * each, 1) / length;
  const places = (line: number, along: number) =>
    Array.from({ length: along }, (_, i) => (Math.floor(line / stride) * along + i) * stride + (line % stride));
  return Array.from({ length: count }, (_, line) => ({ from: places(line, length), to: places(line, k) }));
}

/** Positions in the order of their elements: descending for a sign of 1, ascending for -1; equals as they are. */
export function ordered(values: readonly number[], sign: 1 | -1, nanFirst: boolean): number[] {
  const compare = (a: number, b: number): number => {
    const nans = Number(Number.isNaN(a)) - Number(Number.isNaN(b));
    if (nans || Number.isNaN(a)) return nanFirst ? -nans : nans;
    return sign * (Number(b > a) - Number(b < a));
  };
  return [...values.keys()].sort((p, q) => compare(values[p]!, values[q]!) || p - q);
}

interface Along {
  readonly shape: readonly number[];
  readonly axis: number;
  readonly samples?: number;
  readonly dtype?: Dtype32;
  readonly nan?: boolean;
  readonly last?: boolean;
}

const shapes: readonly Along[] = [
  { shape: [1], axis: 0 },
  { shape: [3, 63], axis: 1 },
  { shape: [64, 5], axis: 0, last: true },
  { shape: [2, 65, 3], axis: 1, nan: true },
  { shape: [7, 256], axis: -1, samples: 7, nan: true, last: true },
  { shape: [4, 1000, 2], axis: 1, samples: 4, dtype: 'i32' },
  // Three steps of the tree.
  { shape: [66_000], axis: 0, last: true, dtype: 'u32' },
];

const row = (sign: 1 | -1): OpRow => ({
  cases: shapes.map(({ shape, axis, samples, dtype, nan, last }, seed): OpCase => ({
    inputs: { x: withEquals(shape, seed, dtype, nan) },
    attributes: { axis, ...(last && { last }), keepDims: seed % 2 === 0 },
    ...(samples && { samples, batched: ['x'] }),
  })),
  reference({ x }, { axis, last }: { axis: number; last?: boolean }) {
    return host([], linesOf(x!.shape, axis, 1).map(({ from }) => {
      const values = from.map((place) => x!.data[place]!);
      const first = ordered(values, sign, true)[0]!;
      // To includes(), NaN equals NaN and -0 equals 0.
      return last ? values.findLastIndex((value) => [value].includes(values[first]!)) : first;
    }), 'u32');
  },
  ulps: () => 0,
});

export const argMaxRow = row(1);
export const argMinRow = row(-1);
