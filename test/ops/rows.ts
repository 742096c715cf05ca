import { philox } from '../kernels/philox.ts';
import { host, random, randomIndices } from '../op-table.ts';
import type { OpCase, OpRow } from '../op-table.ts';

const sizes = [[1, 1], [2, 3], [3, 63], [64, 64], [5, 65], [7, 1000]] as const;
/** Around the widths from which more invocations share a row. */
const widths = [[3, 255], [3, 256], [3, 257], [20, 260], [2, 4097], [1, 32_768]] as const;

/** Along other axes than the last of two, with samples and without. */
const axes = [
  { shape: [7], attributes: {} },
  { shape: [65, 3], attributes: { axis: 0 } },
  { shape: [3, 300, 2], attributes: { axis: 1 }, samples: 3 },
  { shape: [6, 2, 5], attributes: {}, samples: 3 },
  { shape: [2, 3, 260], attributes: { axis: 2 }, samples: 2 },
  { shape: [2, 3, 2, 2, 3, 4], attributes: { axis: -3 }, samples: 1 },
] as const;

const softmaxCases = (low: number, high: number): OpCase[] => [
  ...[...sizes, ...widths, [300, 4] as const].map(([rows, cols], index) => ({
    inputs: { x: random([rows, cols], index, low, high) },
    samples: rows,
    batched: ['x'],
  })),
  ...axes.map(({ shape, attributes, ...rest }, index) => ({
    inputs: { x: random(shape, index + 40, low, high) },
    attributes,
    ...('samples' in rest && { samples: rest.samples, batched: ['x'] }),
  })),
];

/** What `of` makes of the elements along the axis, less the greatest of them, and of the sum of their exponentials. */
const alongAxis = (of: (shifted: number, total: number) => number): OpRow['reference'] => ({ x }, attributes) => {
  const { axis = -1 } = attributes as { axis?: number };
  const { shape, data } = x!;
  const length = shape.at(axis)!;
  const at = (axis + shape.length) % shape.length;
  const stride = shape.slice(at + 1).reduce((size, each) => size * each, 1);
  const y = new Float64Array(data.length);
  for (let line = 0; line < data.length / length; line++) {
    const start = Math.floor(line / stride) * stride * length + (line % stride);
    const places = Array.from({ length }, (_, index) => start + index * stride);
    const greatest = Math.max(...places.map((place) => data[place]!));
    const total = places.reduce((sum, place) => sum + Math.exp(data[place]! - greatest), 0);
    for (const place of places) y[place] = of(data[place]! - greatest, total);
  }
  return host(shape, y);
};

export const softmaxRow: OpRow = {
  cases: softmaxCases(-8, 8),
  reference: alongAxis((shifted, total) => Math.exp(shifted) / total),
  // The bound of the web platform tests for WebNN's softmax.
  ulps: ({ inputs, attributes = {} }) => 3 * inputs['x']!.shape.at((attributes as { axis?: number }).axis ?? -1)! + 3,
  differentiable: ['x'],
};

/** So far apart that the softmax of most is 0 in f32. */
export const logSoftmaxRow: OpRow = {
  ...softmaxRow,
  cases: softmaxCases(-200, 200).filter((_, index) => index % 2 === 0),
  reference: alongAxis((shifted, total) => shifted - Math.log(total)),
};

export const reshapeRow: OpRow = {
  cases: [
    { inputs: { x: random([4, 6], 1) }, attributes: { shape: [2, -1] } },
    { inputs: { x: random([3, 2, 5], 2) }, attributes: { shape: [-1, 10] }, samples: 3, batched: ['x'] },
    { inputs: { x: random([6, 5], 3) }, attributes: { shape: [-1] }, samples: 3, batched: ['x'] },
  ],
  reference: ({ x }) => host([x!.data.length], x!.data),
  ulps: () => 0,
  differentiable: ['x'],
};

export const dropoutRow: OpRow = {
  cases: [0, 0.3, 0.5, 0.99].map((rate, index) => ({
    inputs: { x: random([5, 13], index, 1, 2), seed: randomIndices([1], index, 2 ** 32) },
    attributes: { rate, stream: index },
    samples: 5,
    batched: ['x'],
  })),
  reference({ x, seed }, attributes) {
    const { rate, stream } = attributes as { rate: number; stream: number };
    return host(x!.shape, x!.data.map((value, index) =>
      philox([index, stream], seed!.data[0]!)[0] < Math.round(rate * 2 ** 32) ? 0 : value / (1 - rate)));
  },
  ulps: () => 2,
  differentiable: ['x'],
  // The mask of an element depends on its place in the batch.
  mixesRows: true,
};
