import type { AveragePool2dAttributes, LpPool2dAttributes } from '../../src/kernels/pool2d.ts';
import { distinct, host, random } from '../op-table.ts';
import type { Host, OpCase, OpRow } from '../op-table.ts';
import { activations } from './activations.ts';
import { outputLength, pairOf, sidesOf } from './window2d.ts';

type Four = readonly [number, number, number, number];

const shapes: readonly (readonly [x: Four, attributes: AveragePool2dAttributes])[] = [
  [[1, 1, 1, 1], { kernel: 1 }],
  [[3, 5, 9, 9], { kernel: 2, ceil: true }],
  [[2, 3, 9, 9], { kernel: 2 }],
  [[2, 8, 7, 7], { kernel: 3, stride: 2 }],
  [[2, 1, 8, 8], { kernel: 3, stride: 2, ceil: true }],
  [[65, 1, 4, 5], { kernel: 3, stride: 1, padding: 1 }],
  [[2, 3, 11, 6], { kernel: 5, stride: 2, padding: 2, ceil: true }],
  [[1, 2, 7, 10], { kernel: [2, 3], stride: [3, 1], padding: [1, 2] }],
  // The window that ceil adds would begin in the padding, and is left out.
  [[1, 2, 5, 6], { kernel: 2, stride: 3, padding: 1, ceil: true }],
  [[2, 2, 6, 7], { kernel: 4, stride: 3, padding: [1, 0, 2, 3], ceil: true }],
  [[2, 2, 10, 10], { kernel: 2, stride: 4 }],
  [[2, 2, 9, 8], { kernel: [3, 2], stride: [2, 1], dilation: [2, 3], padding: 'same' }],
  // What ceil adds has taps beyond the padding too, and the first window of the first row has but one on the input.
  [[2, 1, 6, 10], { kernel: 3, stride: 3, dilation: 3, padding: [6, 1], ceil: true }],
];

const cases = (make: (shape: readonly number[], seed: number) => Host): OpCase[] => [
  ...shapes.map(([shape, attributes], index) => ({
    inputs: { x: make(shape, index) },
    attributes,
    samples: shape[0],
    batched: ['x'],
  })),
  {
    inputs: { x: make([2, 3, 5, 5], 20) },
    attributes: { kernel: 2, ceil: true, activation: 'relu' },
    samples: 2,
    batched: ['x'],
  },
  { inputs: { x: make([6, 2, 5, 5], 21) }, attributes: { kernel: 3, stride: 2 }, samples: 3, batched: ['x'] },
  { inputs: { x: make([2, 2, 5, 5], 22) }, attributes: { kernel: 3, stride: 2, ceil: true } },
];

/**
 * Reduces each window to one number, from its elements, how many positions it has within the padded input, and where
 * the elements stand in their plane.
 */
function pool(
  { shape, data }: Host,
  attributes: AveragePool2dAttributes,
  reduce: (elements: number[], positions: number, places: number[]) => number,
): Host {
  const { kernel, stride = kernel, dilation, ceil, activation = 'none' } = attributes;
  const [samples, channels, height, width] = shape as unknown as Four;
  const [[kernelHeight, kernelWidth], [strideY, strideX]] = [pairOf(kernel), pairOf(stride)];
  const [top, left, bottom, right] = sidesOf({ ...attributes, stride }, [height, width], [kernelHeight, kernelWidth]);
  const [dilationY, dilationX] = pairOf(dilation);
  const outHeight = outputLength(height, kernelHeight, strideY, top, bottom, { ceil, dilation: dilationY });
  const outWidth = outputLength(width, kernelWidth, strideX, left, right, { ceil, dilation: dilationX });
  const y: number[] = [];
  for (let plane = 0; plane < samples * channels; plane++) {
    for (let outY = 0; outY < outHeight; outY++) {
      for (let outX = 0; outX < outWidth; outX++) {
        const elements: number[] = [];
        const places: number[] = [];
        let positions = 0;
        for (let ky = 0; ky < kernelHeight; ky++) {
          for (let kx = 0; kx < kernelWidth; kx++) {
            const [inY, inX] = [outY * strideY - top + ky * dilationY, outX * strideX - left + kx * dilationX];
            if (inY < height + bottom && inX < width + right) positions++;
            if (inY < 0 || inY >= height || inX < 0 || inX >= width) continue;
            elements.push(data[(plane * height + inY) * width + inX]!);
            places.push(inY * width + inX);
          }
        }
        y.push(activations[activation](reduce(elements, positions, places)));
      }
    }
  }
  return host([samples, channels, outHeight, outWidth], y);
}

const total = (elements: readonly number[]): number => elements.reduce((sum, value) => sum + value, 0);

/** The last few, without activation. */
const plain = (all: OpCase[]): OpCase[] => all.filter(({ attributes }) => !('activation' in attributes!)).slice(-4);

export const maxPool2dRow: OpRow = {
  cases: cases(distinct),
  reference: ({ x }, attributes) =>
    pool(x!, attributes as AveragePool2dAttributes, (elements) => Math.max(...elements)),
  ulps: () => 0,
  differentiable: ['x'],
};

export const maxPool2dIndicesRow: OpRow = {
  cases: plain(cases(distinct)),
  reference: ({ x }, attributes) => ({
    y: pool(x!, attributes as AveragePool2dAttributes, (elements) => Math.max(...elements)),
    indices: {
      ...pool(x!, attributes as AveragePool2dAttributes, (elements, _, places) => {
        return places[elements.indexOf(Math.max(...elements))]!;
      }),
      dtype: 'u32',
    },
  }),
  ulps: () => 0,
  differentiable: ['x'],
};

/** Away from 0, where the gradient of p = 1 is a step. */
const awayFromZero = (shape: readonly number[], seed: number): Host => {
  const { data, ...rest } = random(shape, seed, -2, 2);
  return { ...rest, data: data.map((value) => Math.fround(value + Math.sign(value) / 4)) };
};

export const lpPool2dRow: OpRow = {
  cases: plain(cases(awayFromZero)).map((one, index) => ({
    ...one,
    attributes: { ...one.attributes, p: [1, 2, 3.5][index % 3] },
  })),
  reference({ x }, attributes) {
    const { p = 2 } = attributes as LpPool2dAttributes;
    return pool(x!, attributes as AveragePool2dAttributes, (elements) => {
      return total(elements.map((value) => Math.abs(value) ** p)) ** (1 / p);
    });
  },
  // Powers by way of logarithms are what costs.
  ulps: () => 64,
  differentiable: ['x'],
};

export const averagePool2dRow: OpRow = {
  cases: cases(random).flatMap((one) => [one, { ...one, attributes: { ...one.attributes, countPadding: true } }]),
  reference({ x }, attributes) {
    const { countPadding } = attributes as AveragePool2dAttributes;
    return pool(x!, attributes as AveragePool2dAttributes, (elements, positions) => {
      return total(elements) / ((countPadding ? positions : elements.length) || 1);
    });
  },
  // A sum of as many as the kernel has, and a division.
  ulps: () => 32,
  differentiable: ['x'],
};
