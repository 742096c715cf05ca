import { distinct, host, random } from '../op-table.ts';
import type { Host, OpRow } from '../op-table.ts';

const shapes = [[1, 1], [3, 2], [63, 10], [64, 3], [65, 150], [2, 1000]] as const;
/** Around the numbers of classes from which more invocations share a row, in vectors and not. */
const widths = [[3, 255], [5, 256], [17, 257], [20, 260], [2, 4097], [1, 32_000], [1, 32_771]] as const;

/** The logarithms of each row's softmax. */
function logSoftmax({ shape, data }: Host, temperature = 1): number[][] {
  const [rows, classes] = [shape[0]!, shape[1]!];
  return Array.from({ length: rows }, (_, row) => {
    const z = [...data.subarray(row * classes, (row + 1) * classes)].map((value) => value / temperature);
    const greatest = Math.max(...z);
    const logTotal = Math.log(z.reduce((sum, value) => sum + Math.exp(value - greatest), 0)) + greatest;
    return z.map((value) => value - logTotal);
  });
}

const descending = (logs: readonly number[]): Float64Array => Float64Array.from(logs, Math.exp).sort().reverse();

const measureRow = (of: (logProbabilities: readonly number[]) => number): OpRow => ({
  // Far enough apart that a finite difference does not change which class is the greatest.
  cases: [...shapes, ...widths].map(([rows, classes], index) => ({
    inputs: { logits: distinct([rows, classes], index, Math.max(0.002, 4 / (rows * classes))) },
    samples: rows,
    batched: ['logits'],
  })),
  reference: ({ logits }) => host([logits!.shape[0]!], logSoftmax(logits!).map(of)),
  ulps: ({ inputs }) => 16 + inputs['logits']!.shape[1]!,
  differentiable: ['logits'],
});

export const confidenceRow = measureRow((logs) => descending(logs)[0]!);
export const marginRow = measureRow((logs) => descending(logs)[0]! - (descending(logs)[1] ?? 0));
export const entropyRow = measureRow((logs) => -logs.reduce((sum, log) => sum + Math.exp(log) * log, 0));

export const klDivergenceRow: OpRow = {
  cases: shapes.flatMap(([rows, classes], index) => [{}, { temperature: 3 }].map((attributes) => ({
    inputs: { logits: random([rows, classes], index, -4, 4), target: random([rows, classes], index + 30, -4, 4) },
    attributes,
    samples: rows,
    batched: ['logits', 'target'],
  }))),
  reference({ logits, target }, { temperature }: { temperature?: number }) {
    const [ours, theirs] = [logSoftmax(logits!, temperature), logSoftmax(target!, temperature)];
    return host([ours.length], ours.map((row, at) =>
      row.reduce((sum, log, index) => sum + Math.exp(theirs[at]![index]!) * (theirs[at]![index]! - log), 0)));
  },
  ulps: ({ inputs }) => 32 + inputs['logits']!.shape[1]!,
  differentiable: ['logits'],
};
