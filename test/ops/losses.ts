import { host, random, randomIndices } from '../op-table.ts';
import type { Host, OpCase, OpRow } from '../op-table.ts';

const log = (logits: Host, row: number): { total: number; greatest: number } => {
  const classes = logits.shape[1]!;
  const z = logits.data.subarray(row * classes, (row + 1) * classes);
  const greatest = Math.max(...z);
  return { greatest, total: z.reduce((sum, value) => sum + Math.exp(value - greatest), 0) };
};

const shapes = [[1, 1], [1, 10], [3, 2], [63, 10], [64, 3], [65, 150], [2, 1000]] as const;
const cases = (extra: (rows: number) => Record<string, Host>): OpCase[] =>
  shapes.map(([rows, classes], index) => ({
    // Labels one beyond the classes are ignored.
    inputs: { logits: random([rows, classes], index, -5, 5), labels: randomIndices([rows], index + 50, classes + 1), ...extra(rows) },
    samples: rows,
    batched: ['logits', 'labels', ...Object.keys(extra(rows))],
  }));

export const crossEntropyRow: OpRow = {
  cases: cases(() => ({})),
  reference({ logits, labels }) {
    const classes = logits!.shape[1]!;
    return host(labels!.shape, labels!.data.map((label, row) => {
      if (label >= classes) return 0;
      const { greatest, total } = log(logits!, row);
      return Math.log(total) + greatest - logits!.data[row * classes + label]!;
    }));
  },
  ulps: ({ inputs }) => 8 + inputs['logits']!.shape[1]! / 2,
  differentiable: ['logits'],
};

export const crossEntropyGradRow: OpRow = {
  cases: cases((rows) => ({ dloss: random([rows], rows + 900) })),
  reference({ logits, labels, dloss }) {
    const classes = logits!.shape[1]!;
    return host(logits!.shape, logits!.data.map((value, index) => {
      const row = Math.floor(index / classes);
      const label = labels!.data[row]!;
      if (label >= classes) return 0;
      const { greatest, total } = log(logits!, row);
      return dloss!.data[row]! * (Math.exp(value - greatest) / total - Number(index - row * classes === label));
    }));
  },
  ulps: ({ inputs }) => 8 + inputs['logits']!.shape[1]! / 2,
};

