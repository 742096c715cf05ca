import type { BatchNormAttributes } from '../../src/kernels/batch-norm.ts';
import type { LocalResponseNormAttributes } from '../../src/kernels/local-response-norm.ts';
import { sizeOf } from '../../src/tensor/spec.ts';
import { host, random } from '../op-table.ts';
import type { Host, OpCase, OpRow } from '../op-table.ts';
import { activations } from './activations.ts';

/** A plane of 300 and 90 rows of 7 reach beyond one chunk of a sum, the latter with its edge inside a plane. */
const shapes = [[1, 1, 1, 1], [5, 3], [3, 2, 4, 5], [2, 70, 3, 3], [4, 1, 15, 20], [90, 2, 7]] as const;
const variants: readonly BatchNormAttributes[] = [{}, { epsilon: 0.1, activation: 'relu' }];

/** The channel of an element. */
const channelOf = ({ shape }: Host, index: number): number => {
  const plane = shape.slice(2).reduce((size, length) => size * length, 1);
  return Math.floor(index / plane) % shape[1]!;
};

export const batchNormCases = (statistics: boolean): OpCase[] =>
  shapes.flatMap((shape, seed) => variants.map((attributes) => {
    const channels = [shape[1]!];
    return {
      inputs: {
        x: random(shape, seed, -2, 3),
        ...(statistics && { mean: random(channels, seed + 20), variance: random(channels, seed + 40, 0.2, 2) }),
        scale: random(channels, seed + 60, 0.5, 1.5),
        shift: random(channels, seed + 80),
      },
      attributes,
      samples: shape[0]!,
      batched: ['x'],
    };
  }));

function normalized(inputs: Readonly<Record<string, Host>>, attributes: BatchNormAttributes): Host {
  const { epsilon = 1e-5, activation = 'none' } = attributes;
  const { x, mean, variance, scale, shift } = inputs as Record<'x' | 'mean' | 'variance' | 'scale' | 'shift', Host>;
  return host(x.shape, x.data.map((value, index) => {
    const c = channelOf(x, index);
    const standard = (value - mean.data[c]!) / Math.sqrt(variance.data[c]! + epsilon);
    return activations[activation](standard * scale.data[c]! + shift.data[c]!);
  }));
}

export const batchNormRow: OpRow = {
  cases: batchNormCases(true),
  reference: normalized,
  ulps: () => 8,
  differentiable: ['x', 'scale', 'shift'],
};

/** Mean and biased variance of each channel. */
export function channelStatistics(x: Host): { mean: Host; variance: Host } {
  const channels = Array.from({ length: x.shape[1]! }, (_, c) => {
    return [...x.data].filter((_, index) => channelOf(x, index) === c);
  });
  const average = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const means = channels.map(average);
  const variances = channels.map((values, c) => average(values.map((value) => (value - means[c]!) ** 2)));
  return { mean: host([channels.length], means), variance: host([channels.length], variances) };
}

export const batchNormTrainingRow: OpRow = {
  cases: batchNormCases(false),
  reference(inputs, attributes) {
    const statistics = channelStatistics(inputs['x']!);
    return { y: normalized({ ...inputs, ...statistics }, attributes), ...statistics };
  },
  ulps: () => 32,
  differentiable: ['x', 'scale', 'shift'],
  mixesRows: true,
};

const windows: readonly LocalResponseNormAttributes[] = [
  { size: 1 },
  { size: 3, alpha: 1.5e-4, beta: 0.75, k: 2 },
  { size: 5, alpha: 2, beta: 0.5, k: 1 },
  { size: 4, alpha: 1, beta: 1.5, k: 0.5 },
  { size: 9, alpha: 3, beta: 0.75 },
];

export const localResponseNormRow: OpRow = {
  cases: [[2, 7, 3, 2], [65, 3], [6, 2, 1, 5]].flatMap((shape, seed) => windows.map((attributes) => ({
    inputs: { x: random(shape, seed, -2, 2) },
    attributes,
    samples: shape[0]!,
    batched: ['x'],
  }))),
  reference({ x }, attributes) {
    const { size, alpha = 1e-4, beta = 0.75, k = 1 } = attributes as LocalResponseNormAttributes;
    const channels = x!.shape[1]!;
    const plane = x!.shape.slice(2).reduce((total, length) => total * length, 1);
    return host(x!.shape, x!.data.map((value, index) => {
      const channel = channelOf(x!, index);
      let squares = 0;
      // As PyTorch pads: size / 2 channels before, rounded down, and the rest behind.
      for (let c = channel - Math.floor(size / 2); c < channel - Math.floor(size / 2) + size; c++) {
        if (c >= 0 && c < channels) squares += x!.data[index + (c - channel) * plane]! ** 2;
      }
      return value / (k + (alpha * squares) / size) ** beta;
    }));
  },
  ulps: () => 16,
  differentiable: ['x'],
};

/** Runs of `count` elements normalised; scale and bias belong to runs of `inner` elements, in turn. */
function rowsNormalized(
  inputs: Readonly<Record<string, Host>>,
  count: number,
  inner: number,
  rms: boolean,
  epsilon: number,
): Host {
  const { x, scale, bias } = inputs as { x: Host; scale?: Host; bias?: Host };
  const y = new Float64Array(x.data.length);
  for (let start = 0; start < y.length; start += count) {
    const row = x.data.subarray(start, start + count);
    const average = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0) / count;
    const mean = rms ? 0 : average(row);
    const deviation = Math.sqrt(average(row.map((value) => (value - mean) ** 2)) + epsilon);
    row.forEach((value, index) => {
      const channel = Math.floor((start + index) / inner) % (scale ?? bias ?? host([1], [0])).data.length;
      y[start + index] = ((value - mean) / deviation) * (scale?.data[channel] ?? 1) + (bias?.data[channel] ?? 0);
    });
  }
  return host(x.shape, y);
}

type Shape = readonly number[];

const normCase = (shape: Shape, parameter: Shape | undefined, attributes: object, samples?: number): OpCase => ({
  inputs: {
    x: random(shape, shape.length + sizeOf(shape), -1, 3),
    ...(parameter && { scale: random(parameter, 60, 0.5, 1.5), bias: random(parameter, 80) }),
  },
  attributes,
  ...(samples !== undefined && { samples, batched: ['x'] }),
});

const layerCases: readonly OpCase[] = [
  ...[1, 3, 63, 64, 65, 300, 1000].map((length) => normCase([3, length], [length], { epsilon: 0.01 })),
  normCase([2, 4100], [4100], {}),
  normCase([0, 5], [5], {}),
  normCase([2, 3, 4, 5], [4, 5], { axis: 2 }),
  normCase([2, 3, 4, 5], [2, 3, 4, 5], { axis: -4, epsilon: 0.1 }),
  normCase([6, 2, 7], [7], {}, 6),
  normCase([6, 300], [300], {}, 3),
];

const trailingRow = (rms: boolean, cases: readonly OpCase[]): OpRow => ({
  cases,
  reference(inputs, { axis = -1, epsilon = 1e-5 }: { axis?: number; epsilon?: number }) {
    const { shape } = inputs['x']!;
    return rowsNormalized(inputs, sizeOf(shape.slice(axis)), 1, rms, epsilon);
  },
  // Beyond the sums, which go from the first element on, a root, a division and two products.
  ulps: () => 16,
  differentiable: ['x', 'scale', 'bias'],
});

export const layerNormRow = trailingRow(false, layerCases);
export const rmsNormRow = trailingRow(true, layerCases.filter((_, index) => index % 4 === 1));

const groupedRow = (cases: readonly OpCase[]): OpRow => ({
  ...layerNormRow,
  cases,
  reference(inputs, { groups, epsilon = 1e-5 }: { groups?: number; epsilon?: number }) {
    const [, channels, ...plane] = inputs['x']!.shape;
    return rowsNormalized(inputs, (channels! / (groups ?? channels!)) * sizeOf(plane), sizeOf(plane), false, epsilon);
  },
});

export const groupNormRow = groupedRow([
  normCase([2, 6, 3, 2], [6], { groups: 2 }),
  normCase([3, 4, 9, 9], [4], { groups: 1, epsilon: 0.1 }, 3),
  normCase([2, 8], [8], { groups: 4 }, 2),
]);

export const instanceNormRow = groupedRow([
  normCase([2, 3, 4, 5], [3], {}),
  normCase([4, 2, 300], [2], { epsilon: 0.01 }, 2),
]);

export const lpNormalizeRow: OpRow = {
  cases: [
    { inputs: { x: random([3, 4, 5], 1) } },
    { inputs: { x: random([3, 4, 5], 2, 0.5, 2) }, attributes: { axis: 1, p: 1 } },
    { inputs: { x: random([4, 65], 3) }, samples: 4, batched: ['x'] },
  ],
  reference({ x }, { axis = -1, p = 2 }: { axis?: number; p?: number }) {
    const at = (axis + x!.shape.length) % x!.shape.length;
    const [length, stride] = [x!.shape[at]!, sizeOf(x!.shape.slice(at + 1))];
    return host(x!.shape, x!.data.map((value, index) => {
      const first = index - (Math.floor(index / stride) % length) * stride;
      let total = 0;
      for (let i = 0; i < length; i++) total += Math.abs(x!.data[first + i * stride]!) ** p;
      return value / total ** (1 / p);
    }));
  },
  ulps: () => 16,
  differentiable: ['x'],
};
