import { philox } from '../kernels/philox.ts';
import { host, random, randomIndices } from '../op-table.ts';
import type { OpRow } from '../op-table.ts';

const sizes = [[1, 1], [2, 3], [3, 63], [64, 64], [5, 65], [7, 1000]] as const;
/** Around the widths from which more invocations share a row. */
const widths = [[3, 255], [3, 256], [3, 257], [20, 260], [2, 4097], [1, 32_768]] as const;

export const softmaxRow: OpRow = {
  cases: [...sizes, ...widths, [300, 4]].map(([rows, cols], index) => ({
    inputs: { x: random([rows!, cols!], index, -8, 8) },
    samples: rows!,
    batched: ['x'],
  })),
  reference({ x }) {
    const cols = x!.shape[1]!;
    const y = new Float64Array(x!.data.length);
    for (let start = 0; start < y.length; start += cols) {
      const row = x!.data.subarray(start, start + cols);
      const greatest = Math.max(...row);
      const weights = row.map((value) => Math.exp(value - greatest));
      const total = weights.reduce((a, b) => a + b, 0);
      weights.forEach((weight, index) => (y[start + index] = weight / total));
    }
    return host(x!.shape, y);
  },
  // The bound of the web platform tests for WebNN's softmax.
  ulps: ({ inputs }) => 3 * inputs['x']!.shape[1]! + 3,
  differentiable: ['x'],
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
