import type { ConvTranspose2dAttributes } from '../../src/kernels/conv-transpose2d.ts';
import { host, random } from '../op-table.ts';
import type { OpCase, OpRow } from '../op-table.ts';
import { activations } from './activations.ts';
import { pairOf } from './window2d.ts';

type Four = readonly [number, number, number, number];

/** x, weight, and what is known of the result: height, width, and how much was taken off above and to the left. */
const shapes: readonly (readonly [Four, Four, ConvTranspose2dAttributes, Four])[] = [
  [[2, 3, 4, 5], [3, 7, 3, 2], {}, [6, 6, 0, 0]],
  [[65, 2, 3, 3], [2, 3, 3, 3], { stride: 2, padding: 1, outputPadding: 1 }, [6, 6, 1, 1]],
  // The kernel leaves gaps, and what is asked for lies partly beyond it.
  [[2, 1, 3, 3], [1, 2, 2, 1], { stride: [3, 2], outputSize: [10, 6] }, [10, 6, 0, 0]],
  [[2, 2, 3, 4], [2, 3, 4, 3], { stride: 2, padding: 'same-lower', outputSize: [6, 7] }, [6, 7, 1, 1]],
  [[2, 6, 4, 5], [6, 4, 3, 3], { groups: 2, padding: 1, dilation: 2 }, [6, 7, 1, 1]],
  [[3, 4, 3, 4], [4, 2, 2, 3], { groups: 4, stride: [2, 1], dilation: [3, 2], activation: 'relu' }, [8, 8, 0, 0]],
];

const cases: readonly OpCase[] = shapes.map(([x, weight, attributes, known], index) => ({
  inputs: {
    x: random(x, 10 * index),
    weight: random(weight, 10 * index + 1),
    bias: random([weight[1] * (attributes.groups ?? 1)], 10 * index + 2),
  },
  attributes: { ...attributes, known },
  samples: x[0],
  batched: ['x'],
}));

export const convTranspose2dRow: OpRow = {
  cases,
  reference({ x, weight, bias }, attributes) {
    const { stride, dilation, groups = 1, activation = 'none', known } = attributes as ConvTranspose2dAttributes & {
      known: Four;
    };
    const [samples, channels, height, width] = x!.shape as unknown as Four;
    const [, perGroup, kernelHeight, kernelWidth] = weight!.shape as unknown as Four;
    const [outHeight, outWidth, top, left] = known;
    const [[strideY, strideX], [dilationY, dilationX]] = [pairOf(stride), pairOf(dilation)];
    const out = perGroup * groups;
    const size = outHeight * outWidth;
    const y = Array.from({ length: samples * out * size }, (_, at) => bias!.data[Math.floor(at / size) % out]!);
    // Scattered, where the kernel gathers.
    for (let n = 0; n < samples; n++) {
      for (let c = 0; c < channels; c++) {
        for (let inY = 0; inY < height; inY++) {
          for (let inX = 0; inX < width; inX++) {
            const value = x!.data[((n * channels + c) * height + inY) * width + inX]!;
            for (let i = 0; i < perGroup; i++) {
              const o = Math.floor(c / (channels / groups)) * perGroup + i;
              for (let ky = 0; ky < kernelHeight; ky++) {
                for (let kx = 0; kx < kernelWidth; kx++) {
                  const outY = inY * strideY + ky * dilationY - top;
                  const outX = inX * strideX + kx * dilationX - left;
                  if (outY < 0 || outY >= outHeight || outX < 0 || outX >= outWidth) continue;
                  const tap = weight!.data[((c * perGroup + i) * kernelHeight + ky) * kernelWidth + kx]!;
                  y[((n * out + o) * outHeight + outY) * outWidth + outX]! += tap * value;
                }
              }
            }
          }
        }
      }
    }
    return host([samples, out, outHeight, outWidth], y.map(activations[activation]));
  },
  // As for conv2d: so many products to an element at most.
  ulps: ({ inputs: { weight } }) => 2 * (weight!.data.length / weight!.shape[1]!) + 32,
  differentiable: ['x', 'weight', 'bias'],
};
