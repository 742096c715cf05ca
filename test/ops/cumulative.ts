import { host, random } from '../op-table.ts';
import type { Host, OpCase, OpRow } from '../op-table.ts';
import { linesOf } from './selection.ts';

interface Attributes {
  readonly axis: number;
  readonly exclusive?: boolean;
  readonly reverse?: boolean;
}

const along = (x: Host, attributes: Attributes, samples?: number): OpCase => ({
  inputs: { x },
  attributes,
  ...(samples && { samples, batched: ['x'] }),
});

const around1 = (shape: readonly number[]): Host => random(shape, shape.length + shape[0]!, 0.5, 1.5);
/** So near to 1 that the product of many stays in range. */
const factors = (shape: readonly number[]): Host => random(shape, shape.length + shape[0]!, 0.98, 1.02);

/** With results that wrap around. */
export const integers = (shape: readonly number[], dtype: 'i32' | 'u32'): Host => {
  const { data } = random(shape, 5, 0, 2 ** 31);
  return host(shape, data.map((value, index) => Math.floor(dtype === 'i32' && index % 3 ? -value : value)), dtype);
};

/** What integers of a dtype are when they have wrapped around. */
const wrapped = {
  f32: (value: number) => value,
  f16: (value: number) => value,
  i32: (value: number) => value | 0,
  u32: (value: number) => value >>> 0,
};

type Operate = (total: number, value: number) => number;

const row = (ofNumbers: Operate, ofIntegers: Operate, none: number): OpRow => ({
  cases: [],
  reference({ x }, { axis, exclusive, reverse }: Attributes) {
    const { shape, data, dtype } = x!;
    const y = new Float64Array(data.length);
    for (const { from } of linesOf(shape, axis, shape.at(axis)!)) {
      let total = none;
      for (const place of reverse ? from.toReversed() : from) {
        const before = total;
        total = wrapped[dtype]((dtype === 'f32' ? ofNumbers : ofIntegers)(total, data[place]!));
        y[place] = exclusive ? before : total;
      }
    }
    return host(shape, y, dtype);
  },
  ulps({ inputs: { x }, attributes }) {
    return x!.dtype === 'f32' ? x!.shape.at((attributes as Attributes).axis)! : 0;
  },
});

const plus = (a: number, b: number): number => a + b;

export const cumulativeSumRow: OpRow = {
  ...row(plus, plus, 0),
  cases: [
    ...[0, 1, 3, 63, 64, 65, 1000].map((length, index) =>
      along(around1([length]), { axis: 0, exclusive: index % 2 === 1, reverse: index % 4 > 1 })),
    // Chunks of chunks.
    along(around1([66_000]), { axis: -1 }),
    along(around1([2, 600, 3]), { axis: 1, reverse: true }, 2),
    along(around1([6, 5]), { axis: 1, exclusive: true }, 3),
  ],
  differentiable: ['x'],
};

export const cumulativeProductRow: OpRow = {
  ...row((a, b) => a * b, Math.imul, 1),
  cases: [
    along(factors([300]), { axis: 0 }),
    along(factors([3, 4, 2]), { axis: 1, exclusive: true, reverse: true }, 3),
    along(integers([2, 300], 'i32'), { axis: 1 }),
  ],
};
