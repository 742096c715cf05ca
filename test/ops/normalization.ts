import type { BatchNormAttributes } from '../../src/kernels/batch-norm.ts';
import type { LocalResponseNormAttributes } from '../../src/kernels/local-response-norm.ts';
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
