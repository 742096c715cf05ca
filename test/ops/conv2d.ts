import type { Conv2dAttributes } from '../../src/kernels/conv2d.ts';
import { host, random } from '../op-table.ts';
import type { Host, OpCase, OpRow } from '../op-table.ts';
import { activations } from './activations.ts';
import { outputLength, pairOf, sidesOf } from './window2d.ts';

type Four = readonly [number, number, number, number];

const inputs = (x: Four, weight: Four, seed: number): Record<'x' | 'weight' | 'bias', Host> => ({
  x: random(x, seed),
  weight: random(weight, seed + 1),
  bias: random([weight[0]], seed + 2),
});

const shapes: readonly (readonly [x: Four, weight: Four, attributes: Conv2dAttributes])[] = [
  [[1, 1, 1, 1], [1, 1, 1, 1], {}],
  [[3, 1, 9, 9], [5, 1, 5, 5], { padding: 3 }],
  [[2, 5, 7, 8], [10, 5, 3, 3], { padding: 1 }],
  [[2, 3, 6, 17], [8, 3, 2, 2], {}],
  [[65, 1, 4, 5], [3, 1, 3, 3], { padding: 2 }],
  [[7, 8, 5, 5], [6, 8, 1, 1], {}],
  [[2, 3, 9, 11], [4, 3, 3, 3], { stride: 2, padding: 1 }],
  [[3, 2, 8, 21], [5, 2, 2, 5], { stride: [1, 2], padding: [0, 3] }],
  [[2, 1, 23, 9], [3, 1, 5, 2], { stride: 3, padding: [2, 1, 0, 1] }],
  [[2, 2, 9, 13], [3, 2, 3, 3], { dilation: 2, padding: 2 }],
  [[2, 2, 12, 20], [3, 2, 3, 3], { dilation: [3, 2], stride: [2, 2] }],
  [[1, 2, 11, 14], [3, 2, 2, 3], { dilation: [2, 3], stride: [3, 2], padding: 1 }],
  [[2, 1, 3, 12], [2, 1, 1, 9], { padding: [1, 4] }],
  [[4, 11, 4, 4], [9, 11, 3, 3], { padding: 1, activation: 'relu' }],
  [[2, 2, 5, 5], [3, 2, 3, 3], { activation: 'tanh' }],
  [[2, 2, 9, 8], [3, 2, 3, 4], { padding: 'same-lower', stride: 2, dilation: [2, 1] }],
  [[3, 6, 5, 6], [12, 3, 3, 3], { groups: 2, padding: 1 }],
  [[2, 9, 6, 5], [21, 3, 3, 2], { groups: 3, stride: 2, activation: 'relu' }],
  // Depthwise, and two from two.
  [[65, 5, 3, 9], [5, 1, 3, 3], { groups: 5, padding: 1 }],
  [[2, 6, 7, 8], [6, 2, 2, 5], { groups: 3, stride: [2, 1], padding: 'same', activation: 'relu' }],
  // Enough channels and taps for tiles of them, whose pixels are of several samples.
  [[3, 4, 5, 6], [35, 4, 3, 3], { padding: 1, activation: 'relu' }],
  [[8, 33, 3, 3], [67, 33, 1, 1], {}],
  [[3, 10, 7, 6], [66, 5, 3, 3], { groups: 2, stride: 2, padding: 1 }],
  [[2, 6, 5, 8], [32, 6, 2, 3], { dilation: [1, 3], padding: [2, 0, 1, 4] }],
];

const cases: readonly OpCase[] = [
  ...shapes.map(([x, weight, attributes], index) => ({
    inputs: inputs(x, weight, 10 * index),
    attributes,
    samples: x[0],
    batched: ['x'],
  })),
  // Several samples to a row, and none that are known only at run time.
  { inputs: inputs([6, 2, 5, 4], [3, 2, 3, 3], 200), samples: 3, batched: ['x'] },
  { inputs: inputs([6, 8, 3, 4], [33, 8, 2, 2], 220), samples: 3, batched: ['x'] },
  { inputs: inputs([3, 2, 5, 4], [3, 2, 3, 3], 210) },
];

export const conv2dRow: OpRow = {
  cases,
  reference({ x, weight, bias }, attributes) {
    const { stride, dilation, groups = 1, activation = 'none' } = attributes as Conv2dAttributes;
    const [samples, channels, height, width] = x!.shape as unknown as Four;
    const [out, ofGroup, kernelHeight, kernelWidth] = weight!.shape as unknown as Four;
    const [top, left, bottom, right] = sidesOf(attributes, [height, width], [kernelHeight, kernelWidth]);
    const [[strideY, strideX], [dilationY, dilationX]] = [pairOf(stride), pairOf(dilation)];
    const outHeight = outputLength(height, kernelHeight, strideY, top, bottom, { dilation: dilationY });
    const outWidth = outputLength(width, kernelWidth, strideX, left, right, { dilation: dilationX });
    const y: number[] = [];
    for (let n = 0; n < samples; n++) {
      for (let o = 0; o < out; o++) {
        for (let outY = 0; outY < outHeight; outY++) {
          for (let outX = 0; outX < outWidth; outX++) {
            let total = bias!.data[o]!;
            for (let i = 0; i < ofGroup; i++) {
              const c = Math.floor(o / (out / groups)) * ofGroup + i;
              for (let ky = 0; ky < kernelHeight; ky++) {
                for (let kx = 0; kx < kernelWidth; kx++) {
                  const inY = outY * strideY + ky * dilationY - top;
                  const inX = outX * strideX + kx * dilationX - left;
                  if (inY < 0 || inY >= height || inX < 0 || inX >= width) continue;
                  const tap = weight!.data[((o * ofGroup + i) * kernelHeight + ky) * kernelWidth + kx]!;
                  total += tap * x!.data[((n * channels + c) * height + inY) * width + inX]!;
                }
              }
            }
            y.push(activations[activation](total));
          }
        }
      }
    }
    return host([samples, out, outHeight, outWidth], y);
  },
  // The bound of the web platform tests for WebNN's conv2d, and that of an activation.
  ulps: ({ inputs: { weight } }) => 2 * (weight!.data.length / weight!.shape[0]!) + 32,
  differentiable: ['x', 'weight', 'bias'],
};
