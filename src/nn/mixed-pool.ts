import { add, mul, sub } from '../kernels/binary.ts';
import { averagePool2d, maxPool2d } from '../kernels/pool2d.ts';
import type { Layer } from './layer.ts';

/**
 * Pooling that learns between the greatest and the average: `average + mix (greatest - average)` of each window,
 * windows side by side (Lee, Gallagher & Tu 2016, section 3.1: one mix for the layer). `mix` is `[1]`, begins at 0.5
 * and is not held between 0 and 1.
 */
export const mixedPool2d = (options: { readonly kernel: number }): Layer => ({
  type: 'mixedPool',
  options: { ...options },
  parameters: { mix: { shape: [1], initialize: () => Float32Array.of(0.5) } },
  forward(x, { parameter }) {
    const average = averagePool2d({ x }, options);
    const excess = sub({ a: maxPool2d({ x }, options), b: average });
    return add({ a: average, b: mul({ a: excess, b: parameter('mix') }) });
  },
});
