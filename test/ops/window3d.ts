import type { AveragePool3dAttributes, Conv3dAttributes } from '../../src/kernels/window3d.ts';
import { distinct, host, random } from '../op-table.ts';
import type { Host, OpCase, OpRow } from '../op-table.ts';
import { outputLength } from './window2d.ts';

type Three = readonly [number, number, number];
type Five = readonly [number, number, number, number, number];

const tripleOf = (value: number | Three = 1): Three => (typeof value === 'number' ? [value, value, value] : value);

/** What is summed up for an element: where the elements of its window stand in a volume, and at which tap. */
interface Element {
  readonly at: number;
  readonly tap: number;
}

/** The windows of a volume, and how many of their taps lie within the padded volume. */
function windows(
  size: Three,
  kernel: Three,
  { stride = 1, dilation, padding = 0, ceil = false }: Omit<AveragePool3dAttributes, 'kernel'>,
) {
  const [steps, spread] = [tripleOf(stride), tripleOf(dilation)];
  const given = typeof padding === 'number' ? tripleOf(padding) : (padding as readonly number[]);
  const sides = given.length === 3 ? [...given, ...given] : given;
  const output = [0, 1, 2].map((axis) => {
    const rest = { ceil, dilation: spread[axis]! };
    return outputLength(size[axis]!, kernel[axis]!, steps[axis]!, sides[axis]!, sides[axis + 3]!, rest);
  }) as unknown as Three;
  const count = (shape: Three): number => shape[0] * shape[1] * shape[2];
  const placeOf = (index: number, [, height, width]: Three): Three => [
    Math.floor(index / (height * width)),
    Math.floor(index / width) % height,
    index % width,
  ];
  const each = Array.from({ length: count(output) }, (_, index) => {
    const start = placeOf(index, output);
    const elements: Element[] = [];
    let positions = 0;
    for (let tap = 0; tap < count(kernel); tap++) {
      const offset = placeOf(tap, kernel);
      const at = start.map((place, axis) => place * steps[axis]! - sides[axis]! + offset[axis]! * spread[axis]!);
      if (at.every((place, axis) => place < size[axis]! + sides[axis + 3]!)) positions++;
      if (!at.every((place, axis) => place >= 0 && place < size[axis]!)) continue;
      elements.push({ at: (at[0]! * size[1] + at[1]!) * size[2] + at[2]!, tap });
    }
    return { elements, positions };
  });
  return { output, each, volume: count(size), taps: count(kernel) };
}

const convolutions: readonly (readonly [x: Five, weight: Five, Conv3dAttributes])[] = [
  [[3, 4, 3, 4, 5], [6, 2, 2, 3, 2], { groups: 2, padding: [1, 1, 0, 0, 2, 1], activation: 'relu' }],
  [[2, 2, 5, 6, 5], [3, 2, 2, 2, 2], { stride: [2, 2, 1], dilation: [2, 1, 3] }],
];

export const conv3dRow: OpRow = {
  cases: convolutions.map(
    ([x, weight, attributes], index): OpCase => ({
      inputs: { x: random(x, index), weight: random(weight, index + 2), bias: random([weight[0]], index + 4) },
      attributes,
      samples: x[0],
      batched: ['x'],
    }),
  ),
  reference({ x, weight, bias }, attributes) {
    const { groups = 1, activation, ...how } = attributes as Conv3dAttributes;
    const [samples, channels, ...size] = x!.shape as Five;
    const [out, ofGroup, ...kernel] = weight!.shape as Five;
    const { output, each, volume, taps } = windows(size as unknown as Three, kernel as unknown as Three, how);
    const y: number[] = [];
    for (let n = 0; n < samples; n++) {
      for (let o = 0; o < out; o++) {
        for (const { elements } of each) {
          let total = bias!.data[o]!;
          for (let i = 0; i < ofGroup; i++) {
            const c = Math.floor(o / (out / groups)) * ofGroup + i;
            for (const { at, tap } of elements) {
              total += weight!.data[(o * ofGroup + i) * taps + tap]! * x!.data[(n * channels + c) * volume + at]!;
            }
          }
          y.push(activation === 'relu' ? Math.max(total, 0) : total);
        }
      }
    }
    return host([samples, out, ...output], y);
  },
  ulps: ({ inputs: { weight } }) => 2 * (weight!.data.length / weight!.shape[0]!) + 32,
  differentiable: ['x', 'weight', 'bias'],
};

const pools: readonly AveragePool3dAttributes[] = [
  { kernel: 2, stride: [2, 1, 2], padding: [1, 0, 1], ceil: true },
  { kernel: [2, 3, 2], stride: 1, dilation: [2, 1, 3], padding: [0, 1, 2, 1, 0, 1] },
];

const cases = (make: (shape: readonly number[], seed: number) => Host, more: object = {}): OpCase[] =>
  pools.map((attributes, index) => ({
    inputs: { x: make([3, 2, 4, 5, 6], index) },
    attributes: { ...attributes, ...more },
    samples: 3,
    batched: ['x'],
  }));

function pool(
  { shape, data }: Host,
  attributes: AveragePool3dAttributes,
  reduce: (elements: number[], positions: number) => number,
): Host {
  const [samples, channels, ...size] = shape as Five;
  const kernel = tripleOf(attributes.kernel);
  const { output, each, volume } = windows(size as unknown as Three, kernel, { stride: kernel, ...attributes });
  const y = Array.from({ length: samples * channels }, (_, index) =>
    each.map(({ elements, positions }) => reduce(elements.map(({ at }) => data[index * volume + at]!), positions)),
  );
  return host([samples, channels, ...output], y.flat());
}

export const maxPool3dRow: OpRow = {
  cases: cases(distinct),
  reference: ({ x }, attributes) =>
    pool(x!, attributes as AveragePool3dAttributes, (elements) => Math.max(...elements)),
  ulps: () => 0,
  differentiable: ['x'],
};

export const averagePool3dRow: OpRow = {
  cases: [...cases(random), ...cases(random, { countPadding: true })],
  reference({ x }, attributes) {
    const { countPadding } = attributes as AveragePool3dAttributes;
    return pool(x!, attributes as AveragePool3dAttributes, (elements, positions) => {
      return elements.reduce((sum, value) => sum + value, 0) / (countPadding ? positions : elements.length);
    });
  },
  // As in two dimensions.
  ulps: () => 32,
  differentiable: ['x'],
};
