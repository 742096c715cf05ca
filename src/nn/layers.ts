import { ArgumentError } from '../errors.ts';
import type { Activation } from '../kernels/activation.ts';
import { conv2d as conv2dOp } from '../kernels/conv2d.ts';
import { dropout as dropoutOp } from '../kernels/dropout.ts';
import { linear as linearOp } from '../kernels/linear.ts';
import { averagePool2d as averagePool2dOp, maxPool2d as maxPool2dOp } from '../kernels/pool2d.ts';
import { mean } from '../kernels/reduce.ts';
import { reshape } from '../kernels/reshape.ts';
import { relu as reluOp } from '../kernels/unary.ts';
import type { SamePadding } from '../kernels/window2d.ts';
import { perSample } from '../tensor/spec.ts';
import { heNormal, zeros } from './initializers.ts';
import type { Layer } from './layer.ts';

export interface LinearOptions {
  /** There is one unless false: normalisation, which takes away the mean, takes it away too. */
  readonly bias?: boolean;
  readonly activation?: Activation;
}

export interface Conv2dOptions extends LinearOptions {
  readonly kernel: number;
  readonly stride?: number;
  /** 'same': what makes the result `ceil(input / stride)` long, an odd one at the end, or in 'same-lower' the start. */
  readonly padding?: number | SamePadding;
  readonly dilation?: number;
  /** Parts of the input channels, each convolved with its part of the output channels; `input` of them: depthwise. */
  readonly groups?: number;
}

/**
 * Convolution of `[rows, input, H, W]`; weight `[output, input / groups, kernel, kernel]`, bias `[output]`.
 * @throws ArgumentError unless input and output are multiples of `groups`
 */
export function conv2d(input: number, output: number, options: Conv2dOptions): Layer {
  const { kernel, bias = true, ...attributes } = options;
  const { groups = 1 } = attributes;
  if (input % groups !== 0 || output % groups !== 0) {
    const what = `channels that are multiples of the ${groups} groups`;
    throw new ArgumentError(`conv2d: expected ${what}, got ${input} and ${output}`);
  }
  return {
    type: 'conv',
    options: { input, output, ...options },
    parameters: {
      weight: {
        shape: [output, input / groups, kernel, kernel],
        initialize: heNormal((input / groups) * kernel * kernel),
      },
      ...(bias && { bias: { shape: [output], initialize: zeros } }),
    },
    forward: (x, { parameter }) =>
      conv2dOp({ x, weight: parameter('weight'), ...(bias && { bias: parameter('bias') }) }, attributes),
  };
}

/** `x weight^T + bias` on `[rows, input]`; weight `[output, input]`, bias `[output]`. */
export function linear(input: number, output: number, options: LinearOptions = {}): Layer {
  const { bias = true, ...attributes } = options;
  return {
    type: 'linear',
    options: { input, output, ...options },
    parameters: {
      weight: { shape: [output, input], initialize: heNormal(input) },
      ...(bias && { bias: { shape: [output], initialize: zeros } }),
    },
    forward: (x, { parameter }) =>
      linearOp({ x, weight: parameter('weight'), ...(bias && { bias: parameter('bias') }) }, attributes),
  };
}

export interface PoolOptions {
  readonly kernel: number;
  /** `kernel` where left out. */
  readonly stride?: number;
  /** As for `conv2d`. */
  readonly padding?: number | SamePadding;
  readonly dilation?: number;
  /** Rounds the output size up: a last window may reach beyond the edge. */
  readonly ceil?: boolean;
  readonly activation?: Activation;
}

const pool =
  (type: string, op: typeof maxPool2dOp) =>
  (options: PoolOptions): Layer => ({
    type,
    options: { ...options },
    parameters: {},
    forward: (x) => op({ x }, options),
  });

export const maxPool2d = pool('maxPool', maxPool2dOp);
export const averagePool2d = pool('averagePool', averagePool2dOp);

/** The mean of each plane: `[rows, channels, H, W]` to `[rows, channels]`. */
export const globalAveragePool = (): Layer => ({
  type: 'globalAveragePool',
  options: {},
  parameters: {},
  forward: (x) => mean({ x }, { axes: [2, 3] }),
});

export const relu = (): Layer => ({ type: 'relu', options: {}, parameters: {}, forward: (x) => reluOp({ x }) });

/** `[rows, ...]` to `[rows, size]`. */
export const flatten = (): Layer => ({
  type: 'flatten',
  options: {},
  parameters: {},
  forward: (x) => reshape({ x }, { shape: [-1, perSample(x)] }),
});

/** Drops elements in training; in inference it is nothing at all. */
export const dropout = (options: { readonly rate: number }): Layer => ({
  type: 'dropout',
  options: { ...options },
  parameters: {},
  forward: (x, { training }) =>
    training ? dropoutOp({ x, seed: training.seed }, { ...options, stream: training.nextStream() }) : x,
});
