import type { AveragePool2dAttributes } from '../../src/kernels/pool2d.ts';
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

/** Reduces each window to one number, from its elements and how many positions it has within the padded input. */
function pool(
  { shape, data }: Host,
  attributes: AveragePool2dAttributes,
  reduce: (elements: number[], positions: number) => number,
): Host {
  const { kernel, stride = kernel, padding, ceil, activation = 'none' } = attributes;
  const [samples, channels, height, width] = shape as unknown as Four;
  const [[kernelHeight, kernelWidth], [strideY, strideX]] = [pairOf(kernel), pairOf(stride)];
  const [top, left, bottom, right] = sidesOf(padding);
  const outHeight = outputLength(height, kernelHeight, strideY, top, bottom, { ceil });
  const outWidth = outputLength(width, kernelWidth, strideX, left, right, { ceil });
  const y: number[] = [];
  for (let plane = 0; plane < samples * channels; plane++) {
    for (let outY = 0; outY < outHeight; outY++) {
      for (let outX = 0; outX < outWidth; outX++) {
        const elements: number[] = [];
        let positions = 0;
        for (let inY = outY * strideY - top; inY < outY * strideY - top + kernelHeight; inY++) {
          for (let inX = outX * strideX - left; inX < outX * strideX - left + kernelWidth; inX++) {
            if (inY < height + bottom && inX < width + right) positions++;
            const inside = inY >= 0 && inY < height && inX >= 0 && inX < width;
            if (inside) elements.push(data[(plane * height + inY) * width + inX]!);
          }
        }
        y.push(activations[activation](reduce(elements, positions)));
      }
    }
  }
  return host([samples, channels, outHeight, outWidth], y);
}

const total = (elements: readonly number[]): number => elements.reduce((sum, value) => sum + value, 0);

export const maxPool2dRow: OpRow = {
  cases: cases(distinct),
  reference: ({ x }, attributes) =>
    pool(x!, attributes as AveragePool2dAttributes, (elements) => Math.max(...elements)),
  ulps: () => 0,
  differentiable: ['x'],
};

export const averagePool2dRow: OpRow = {
  cases: cases(random).flatMap((one) => [one, { ...one, attributes: { ...one.attributes, countPadding: true } }]),
  reference({ x }, attributes) {
    const { countPadding } = attributes as AveragePool2dAttributes;
    return pool(x!, attributes as AveragePool2dAttributes, (elements, positions) => {
      return total(elements) / (countPadding ? positions : elements.length);
    });
  },
  // A sum of as many as the kernel has, and a division.
  ulps: () => 32,
  differentiable: ['x'],
};
