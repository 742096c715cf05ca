import { host, random } from '../op-table.ts';
import type { Host, OpCase, OpRow } from '../op-table.ts';

const pairs: readonly (readonly [a: readonly number[], b: readonly number[]])[] = [
  [[1], [1]],
  [[3], [3]],
  [[65], [1]],
  [[], [63]],
  [[0, 3], [3]],
  [[1000], [1000]],
  [[64, 65], [65]],
  [[4, 1, 3], [5, 1]],
  [[2, 1, 3, 1, 2, 1], [1, 2, 1, 3, 1, 2]],
];

const cases = (low: number, high: number): OpCase[] => {
  const make = (shape: readonly number[], seed: number): Host => random(shape, seed, low, high);
  return [
    ...pairs.map(([a, b], seed) => ({ inputs: { a: make(a, seed), b: make(b, seed + 100) } })),
    { inputs: { a: make([3, 70], 30), b: make([3, 70], 31) }, samples: 3, batched: ['a', 'b'] },
    { inputs: { a: make([6, 5], 32), b: make([5], 33) }, samples: 3, batched: ['a'] },
    { inputs: { a: make([1, 4, 1], 34), b: make([5, 1, 3], 35) }, samples: 5, batched: ['b'] },
    { inputs: { a: make([2, 3, 4], 36), b: make([2, 3, 1], 37) }, samples: 2, batched: ['a', 'b'] },
  ];
};

/** The elements of `source` that stand where those of the broadcast `shape` are. */
function repeated({ shape: from, data }: Host, shape: readonly number[]): Float64Array {
  const size = shape.reduce((product, length) => product * length, 1);
  return Float64Array.from({ length: size }, (_, index) => {
    let [rest, at, stride] = [index, 0, 1];
    for (let back = 1; back <= from.length; back++) {
      const length = from[from.length - back]!;
      const coordinate = rest % shape[shape.length - back]!;
      rest = Math.floor(rest / shape[shape.length - back]!);
      at += length === 1 ? 0 : coordinate * stride;
      stride *= length;
    }
    return data[at]!;
  });
}

function together(a: Host, b: Host): number[] {
  const rank = Math.max(a.shape.length, b.shape.length);
  const at = ({ shape }: Host, axis: number): number => shape[axis - rank + shape.length] ?? 1;
  return Array.from({ length: rank }, (_, axis) => (at(a, axis) === 1 ? at(b, axis) : at(a, axis)));
}

function row(of: (a: number, b: number) => number, ulps: number, [low, high] = [-2, 2]): OpRow {
  return {
    cases: cases(low!, high!),
    reference({ a, b }) {
      const shape = together(a!, b!);
      const right = repeated(b!, shape);
      return host(shape, repeated(a!, shape).map((value, index) => of(value, right[index]!)));
    },
    ulps: () => ulps,
    differentiable: ['a', 'b'],
  };
}

const withoutGradient = (one: OpRow): OpRow => ({ ...one, differentiable: undefined });

export const binaryRows = {
  add: row((a, b) => a + b, 1),
  sub: row((a, b) => a - b, 1),
  mul: row((a, b) => a * b, 1),
  div: row((a, b) => a / b, 4, [0.5, 2]),
  maximum: row(Math.max, 0),
  minimum: row(Math.min, 0),
  less: withoutGradient(row((a, b) => Number(a < b), 0)),
  notLess: withoutGradient(row((a, b) => Number(a >= b), 0)),
  reluGrad: withoutGradient(row((a, b) => (a > 0 ? b : 0), 0)),
  sigmoidGrad: withoutGradient(row((a, b) => b * a * (1 - a), 4)),
  tanhGrad: withoutGradient(row((a, b) => b * (1 - a * a), 4)),
} satisfies Record<string, OpRow>;
