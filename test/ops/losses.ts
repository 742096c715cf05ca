import type { CrossEntropyAttributes } from '../../src/kernels/cross-entropy-grad.ts';
import { host, random, randomIndices } from '../op-table.ts';
import type { Host, OpCase, OpRow } from '../op-table.ts';

const shapes = [[1, 1], [1, 10], [3, 2], [63, 10], [64, 3], [65, 150], [2, 1000]] as const;
const variants: readonly { readonly attributes?: CrossEntropyAttributes; readonly weighted?: boolean }[] = [
  {},
  { attributes: { smoothing: 0.1 } },
  { attributes: { smoothing: 1 } },
  { weighted: true },
  { attributes: { ignore: 1 } },
  { attributes: { smoothing: 0.2, ignore: 0 }, weighted: true },
];

/** Weights of classes; the first class has none at all. */
const weightsOf = (classes: number): Host => {
  const { shape, data } = random([classes], 70, 0.2, 3);
  return host(shape, data.map((weight, index) => (index ? weight : 0)));
};

const cases = (extra: (rows: number) => Record<string, Host>): OpCase[] =>
  shapes.flatMap(([rows, classes], index) => variants.map(({ attributes = {}, weighted }) => ({
    inputs: {
      logits: random([rows, classes], index, -5, 5),
      // Labels one beyond the classes are ignored.
      labels: randomIndices([rows], index + 50, classes + 1),
      ...(weighted && { classWeights: weightsOf(classes) }),
      ...extra(rows),
    },
    attributes,
    samples: rows,
    batched: ['logits', 'labels', ...Object.keys(extra(rows))],
  })));

interface Class {
  /** Of the target, smoothed and weighted. */
  readonly share: number;
  readonly logProbability: number;
}

/** The classes of a row; none if its label is ignored. */
function classesOf(inputs: Readonly<Record<string, Host>>, row: number, attributes: CrossEntropyAttributes): Class[] {
  const { smoothing = 0, ignore } = attributes;
  const { logits, labels, classWeights } = inputs;
  const classes = logits!.shape[1]!;
  const label = labels!.data[row]!;
  if (label >= classes || label === ignore) return [];
  const z = [...logits!.data.subarray(row * classes, (row + 1) * classes)];
  const greatest = Math.max(...z);
  const logTotal = Math.log(z.reduce((sum, value) => sum + Math.exp(value - greatest), 0)) + greatest;
  return z.map((value, index) => ({
    share: (classWeights?.data[index] ?? 1) * (Number(index === label) * (1 - smoothing) + smoothing / classes),
    logProbability: value - logTotal,
  }));
}

export const crossEntropyRow: OpRow = {
  cases: cases(() => ({})),
  reference(inputs, attributes) {
    const { shape, data } = inputs['labels']!;
    return host(shape, data.map((_, row) => {
      const classes = classesOf(inputs, row, attributes);
      return classes.reduce((loss, { share, logProbability }) => loss - share * logProbability, 0);
    }));
  },
  ulps: ({ inputs }) => 8 + inputs['logits']!.shape[1]! / 2,
  differentiable: ['logits'],
};

export const meanOfCrossEntropiesRow: OpRow = {
  ...crossEntropyRow,
  reference(inputs, attributes) {
    const { data } = crossEntropyRow.reference(inputs, attributes) as Host;
    return host([], [data.reduce((sum, value) => sum + value, 0) / data.length]);
  },
  ulps: (opCase) => crossEntropyRow.ulps(opCase) + 16,
  mixesRows: true,
};

export const crossEntropyGradRow: OpRow = {
  cases: cases((rows) => ({ dloss: random([rows], rows + 900) })),
  reference(inputs, attributes) {
    const { logits, dloss } = inputs;
    const classes = logits!.shape[1]!;
    return host(logits!.shape, [...dloss!.data].flatMap((grad, row) => {
      const list = classesOf(inputs, row, attributes);
      const total = list.reduce((sum, { share }) => sum + share, 0);
      if (list.length === 0) return new Array<number>(classes).fill(0);
      return list.map(({ share, logProbability }) => grad * (total * Math.exp(logProbability) - share));
    }));
  },
  ulps: ({ inputs }) => 8 + inputs['logits']!.shape[1]! / 2,
};

export const labelWeightsRow: OpRow = {
  cases: [{}, { ignore: 2 }].map((attributes) => ({
    inputs: { labels: randomIndices([70], 7, 6), classWeights: weightsOf(5) },
    attributes,
    samples: 70,
    batched: ['labels'],
  })),
  reference({ labels, classWeights }, { ignore }: CrossEntropyAttributes) {
    return host(labels!.shape, labels!.data.map((label) => (label === ignore ? 0 : (classWeights!.data[label] ?? 0))));
  },
  ulps: () => 0,
};
