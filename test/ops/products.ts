import { sizeOf } from '../../src/tensor/spec.ts';
import { host, random } from '../op-table.ts';
import type { Host, OpCase, OpRow } from '../op-table.ts';
import { activations } from './activations.ts';
import { broadcastIndex, broadcastShape } from './broadcast.ts';

interface Transposes {
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
}

/** m, k, n */
const sizes = [
  [1, 1, 1], [3, 5, 2], [8, 9, 8], [63, 65, 64], [64, 3, 65], [65, 64, 10], [2, 1000, 3], [1, 70, 300],
  [1, 12, 132],
] as const;
const transposes: readonly Transposes[] = [
  {},
  { transposeA: true },
  { transposeB: true },
  { transposeA: true, transposeB: true },
];

type Factors = Record<'a' | 'b', Host>;

/** a and b for a product of [m, k] and [k, n], transposed as asked for. */
export const factors = (m: number, k: number, n: number, { transposeA, transposeB }: Transposes): Factors => ({
  a: random(transposeA ? [k, m] : [m, k], m + n),
  b: random(transposeB ? [n, k] : [k, n], m + n + 1),
});

/** What is before the matrices of a and of b, and which of them carry samples. */
const before: readonly (readonly [a: readonly number[], b: readonly number[], ...batched: ('a' | 'b')[]])[] = [
  [[3], []],
  [[], [3]],
  [[2, 3], [1]],
  [[2, 1, 3], [1, 4, 1]],
  [[2, 3, 1, 2], [2, 1, 3, 2]],
  [[0], []],
  [[3], [], 'a'],
  [[3, 2], [], 'a'],
  [[3, 2], [2], 'a'],
  [[3, 2, 4], [3, 2, 1], 'a', 'b'],
  [[1, 4], [3, 1], 'b'],
  [[1], [6], 'b'],
];

const broadcasting = before.map(([left, right, ...batched], seed): OpCase => {
  const attributes = transposes[(3 * seed) % 4]!;
  const { a, b } = factors(4, 5, 9, attributes);
  const inputs = { a: random([...left, ...a.shape], 90 + seed), b: random([...right, ...b.shape], 91 + seed) };
  return { inputs, attributes, ...(batched.length > 0 && { samples: 3, batched }) };
});

const matmulCases: readonly OpCase[] = [
  { inputs: factors(5, 0, 4, {}) },
  ...sizes.flatMap(([m, k, n]) =>
    transposes.map((attributes) => ({ inputs: factors(m, k, n, attributes), attributes })),
  ),
  ...sizes.map(([m, k, n]) => ({ inputs: factors(m, k, n, {}), samples: m, batched: ['a'] })),
  ...sizes.map(([m, k, n]) => {
    const attributes = { transposeB: true };
    return { inputs: factors(2 * m, k, n, attributes), attributes, samples: m, batched: ['a'] };
  }),
  // With a batch before.
  ...transposes.flatMap((attributes) => {
    const { transposeA, transposeB } = attributes;
    const a = random(transposeA ? [3, 5, 4] : [3, 4, 5], 70);
    const b = random(transposeB ? [3, 9, 5] : [3, 5, 9], 71);
    return [{ inputs: { a, b }, attributes }, { inputs: { a, b }, attributes, samples: 3, batched: ['a', 'b'] }];
  }),
  ...broadcasting,
];

/** The product of matrices, what is before them broadcasting. */
export function product(a: Host, b: Host, { transposeA, transposeB }: Transposes): Host {
  const [aSizes, bSizes] = [a.shape.slice(-2), b.shape.slice(-2)];
  const [m, k] = (transposeA ? [aSizes[1], aSizes[0]] : aSizes) as [number, number];
  const n = bSizes[transposeB ? 0 : 1]!;
  const [left, right] = [a.shape.slice(0, -2), b.shape.slice(0, -2)];
  const lengths = broadcastShape(left, right);
  const batch = sizeOf(lengths);
  const y = new Float64Array(batch * m * n);
  for (let z = 0; z < batch; z++) {
    const [leftAt, rightAt] = [broadcastIndex(z, lengths, left) * m * k, broadcastIndex(z, lengths, right) * k * n];
    for (let row = 0; row < m; row++) {
      for (let column = 0; column < n; column++) {
        let total = 0;
        for (let i = 0; i < k; i++) {
          const ofA = a.data[leftAt + (transposeA ? i * m + row : row * k + i)]!;
          total += ofA * b.data[rightAt + (transposeB ? column * k + i : i * n + column)]!;
        }
        y[(z * m + row) * n + column] = total;
      }
    }
  }
  return host([...lengths, m, n], y);
}

export const matmulRow: OpRow = {
  cases: matmulCases,
  reference: ({ a, b }, attributes: Transposes) => product(a!, b!, attributes),
  // The bound of the web platform tests for WebNN's matmul.
  ulps: ({ inputs, attributes = {} }) => 2 * inputs['a']!.shape.at((attributes as Transposes).transposeA ? -2 : -1)!,
  differentiable: ['a', 'b'],
};

const layer = (x: readonly number[], out: number): Record<string, Host> => ({
  x: random(x, 80 + out),
  weight: random([out, x.at(-1)!], 81 + out),
  bias: random([out], 82 + out),
});

const linearCases: readonly OpCase[] = [
  { inputs: layer([7], 5) },
  { inputs: layer([64], 34), attributes: { activation: 'relu' } },
  { inputs: layer([2, 3, 5], 17), attributes: { activation: 'tanh' } },
  { inputs: layer([1, 64], 10), samples: 1, batched: ['x'] },
  { inputs: layer([63, 20], 65), attributes: { activation: 'relu' }, samples: 63, batched: ['x'] },
  { inputs: layer([10, 3, 12], 9), attributes: { activation: 'sigmoid' }, samples: 5, batched: ['x'] },
];

export const linearRow: OpRow = {
  cases: linearCases,
  reference({ x, weight, bias }, { activation = 'none' }: { activation?: keyof typeof activations }) {
    const [out, features] = weight!.shape as [number, number];
    const rows = x!.data.length / features;
    const y = Float64Array.from({ length: rows * out }, (_, index) => {
      const [row, column] = [Math.floor(index / out), index % out];
      let total = bias!.data[column]!;
      for (let i = 0; i < features; i++) total += x!.data[row * features + i]! * weight!.data[column * features + i]!;
      return activations[activation](total);
    });
    return host([...x!.shape.slice(0, -1), out], y);
  },
  ulps: ({ inputs }) => 2 * inputs['weight']!.shape[1]! + 32,
  differentiable: ['x', 'weight', 'bias'],
};

interface Gemm extends Transposes {
  readonly alpha?: number;
  readonly beta?: number;
}

const gemmCase = (c: readonly number[] | undefined, attributes: Gemm, samples?: number): OpCase => ({
  inputs: { ...factors(4, 5, 3, attributes), ...(c && { c: random(c, 7) }) },
  attributes,
  ...(samples && { samples, batched: ['a'] }),
});

export const gemmRow: OpRow = {
  cases: [
    gemmCase([3], { transposeB: true }),
    gemmCase([4, 1], { transposeA: true, alpha: 0.5 }),
    gemmCase([], { transposeA: true, transposeB: true, alpha: -2, beta: 0.25 }),
    gemmCase([4, 3], { beta: 3 }),
    gemmCase([1, 3], { transposeB: true }, 4),
    gemmCase([3], { transposeB: true }, 2),
  ],
  reference({ a, b, c }, attributes: Gemm) {
    const { alpha = 1, beta = 1 } = attributes;
    const { shape, data } = product(a!, b!, attributes);
    return host(shape, data.map((value, index) => {
      return alpha * value + beta * c!.data[broadcastIndex(index, shape, c!.shape)]!;
    }));
  },
  ulps: () => 14,
  differentiable: ['a', 'b', 'c'],
};
