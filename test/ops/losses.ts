import type { CrossEntropyAttributes } from '../../src/kernels/cross-entropy-grad.ts';
import { host, random, randomIndices } from '../op-table.ts';
import type { Host, OpCase, OpRow } from '../op-table.ts';
import { softplus } from './unary.ts';

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

/** Classes on axis 1, a label for each of the other places; one of the labels is none of the classes. */
const nllCase = (shape: readonly number[], attributes: object, dtype: 'i32' | 'u32', samples?: number): OpCase => {
  const [n, classes, ...behind] = shape as [number, number, ...number[]];
  const labels = randomIndices([n, ...behind], 31 + n, classes + 1);
  const label = host(labels.shape, labels.data.map((value) => (dtype === 'i32' ? value - 1 : value)), dtype);
  return {
    inputs: { x: random(shape, n, -5, 0), label, ...(n % 2 && { weight: weightsOf(classes) }) },
    attributes,
    ...(samples && { samples, batched: ['x', 'label'] }),
  };
};

export const nllRow: OpRow = {
  cases: [
    nllCase([1, 1], {}, 'u32'),
    nllCase([64, 3], { ignore: 2 }, 'u32', 32),
    nllCase([65, 10], {}, 'u32', 65),
    nllCase([3, 5, 7], { ignore: -1 }, 'i32', 3),
    nllCase([2, 3, 2, 2, 2, 2, 2], { ignore: 0 }, 'i32'),
  ],
  reference({ x, label, weight }, { ignore }: { ignore?: number }) {
    const classes = x!.shape[1]!;
    const inner = label!.data.length / label!.shape[0]!;
    return host(label!.shape, label!.data.map((of, at) => {
      if (of < 0 || of >= classes || of === ignore) return 0;
      return -(weight?.data[of] ?? 1) * x!.data[(Math.floor(at / inner) * classes + of) * inner + (at % inner)]!;
    }));
  },
  ulps: () => 1,
  differentiable: ['x'],
};

interface ElementAttributes {
  readonly reduction?: 'none' | 'mean' | 'sum';
  readonly delta?: number;
}

const reductions: readonly ElementAttributes[] = [{ reduction: 'none' }, {}, { reduction: 'sum' }];

type OfElement = (x: number, target: number, attributes: ElementAttributes, positiveWeight: number) => number;

/** Each reduction, with samples and without. */
const elementCases = (
  make: (seed: number, shape: readonly number[]) => Record<string, Host>,
  more: object,
): OpCase[] =>
  reductions.flatMap((attributes, index) => [[65, 7], [6, 2, 50]].map((shape, seed) => ({
    inputs: make(index + seed, shape),
    attributes: { ...attributes, ...more },
    ...(seed && { samples: 3, batched: ['x', 'target'] }),
  })));

/** `ulps`: of a single element; no less than 20 where they are summed. */
const elementRow = (of: OfElement, cases: OpCase[], differentiable: string[], ulps: number): OpRow => ({
  cases,
  reference({ x, target, positiveWeight }, attributes: ElementAttributes) {
    const weights = positiveWeight?.data ?? Float64Array.of(1);
    const losses = x!.data.map((value, i) => of(value, target!.data[i]!, attributes, weights[i % weights.length]!));
    if (attributes.reduction === 'none') return host(x!.shape, losses);
    const total = losses.reduce((sum, loss) => sum + loss, 0);
    return host([], [attributes.reduction === 'sum' ? total : total / losses.length]);
  },
  ulps: ({ attributes }) => ((attributes as ElementAttributes).reduction === 'none' ? ulps : Math.max(ulps, 20)),
  differentiable,
  mixesRows: true,
});

const pair = (seed: number, shape: readonly number[]) => ({
  x: random(shape, seed, -3, 3),
  target: random(shape, seed + 20, -3, 3),
});

export const meanSquaredErrorRow = elementRow(
  (x, target) => (x - target) ** 2,
  elementCases(pair, {}),
  ['x', 'target'],
  4,
);

export const huberRow = elementRow((x, target, { delta = 1 }) => {
  const size = Math.abs(x - target);
  return size <= delta ? size ** 2 / 2 : delta * (size - delta / 2);
}, [...elementCases(pair, { delta: 0.7 }), ...elementCases(pair, {}).slice(0, 1)], ['x', 'target'], 4);

const logits = (seed: number, shape: readonly number[]) => ({
  x: random(shape, seed, -5, 5),
  target: random(shape, seed + 20, 0, 1),
  ...(seed % 2 && { positiveWeight: random([shape.at(-1)!], 7, 0.5, 3) }),
});

/** Logits whose losses are as small as 1e-17, where 1 + e^-x is 1. */
const sure: OpCase = {
  inputs: { x: random([50], 8, 30, 40), target: host([50], new Float64Array(50).fill(1)) },
  attributes: { reduction: 'none' },
};

export const binaryCrossEntropyRow = elementRow(
  (x, target, _, weight) => weight * target * softplus(-x) + (1 - target) * softplus(x),
  [...elementCases(logits, {}), sure],
  ['x'],
  // WGSL promises 3 + 2 |x| ulp of exp(x).
  90,
);
