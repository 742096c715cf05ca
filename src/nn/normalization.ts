import type { Activation } from '../kernels/activation.ts';
import { batchNormTraining } from '../kernels/batch-norm-training.ts';
import { batchNorm } from '../kernels/batch-norm.ts';
import { localResponseNorm as localResponseNormOp } from '../kernels/local-response-norm.ts';
import type { LocalResponseNormAttributes } from '../kernels/local-response-norm.ts';
import {
  groupNorm as groupNormOp,
  instanceNorm as instanceNormOp,
  layerNorm as layerNormOp,
  rmsNorm as rmsNormOp,
} from '../kernels/row-normalization.ts';
import type { NormalizationAttributes } from '../kernels/row-normalization.ts';
import { updateRunningStatistics } from '../kernels/running-statistics.ts';
import { ones, zeros } from './initializers.ts';
import type { Layer } from './layer.ts';

export interface BatchNormOptions {
  /** Added to the variance; 1e-5 where left out. */
  readonly epsilon?: number;
  /** Share of a batch's statistics in the running ones after it; 0.1 where left out. */
  readonly momentum?: number;
  readonly activation?: Activation;
}

/**
 * Batch normalisation of `[rows, channels, ...]` (Ioffe and Szegedy 2015): in training by the statistics of the batch,
 * which the running `mean` and `variance` follow; in inference by these. All parameters are `[channels]`.
 */
export function batchNorm2d(channels: number, options: BatchNormOptions = {}): Layer {
  const { momentum = 0.1, ...attributes } = options;
  const shape = [channels];
  return {
    type: 'norm',
    options: { channels, ...options },
    parameters: {
      scale: { shape, initialize: ones },
      shift: { shape, initialize: zeros },
      mean: { shape, initialize: zeros, trained: false },
      variance: { shape, initialize: ones, trained: false },
    },
    forward(x, { parameter, training }) {
      const [scale, shift] = [parameter('scale'), parameter('shift')];
      const [runningMean, runningVariance] = [parameter('mean'), parameter('variance')];
      if (!training) return batchNorm({ x, mean: runningMean, variance: runningVariance, scale, shift }, attributes);
      const { y, mean, variance } = batchNormTraining({ x, scale, shift }, attributes);
      updateRunningStatistics({ x, mean, variance, runningMean, runningVariance }, { momentum });
      return y;
    },
  };
}

/** Local response normalisation of `[rows, channels, ...]`; for what Chainer calls alpha see the operation. */
export const localResponseNorm = (options: LocalResponseNormAttributes): Layer => ({
  type: 'localResponseNorm',
  options: { ...options },
  parameters: {},
  forward: (x) => localResponseNormOp({ x }, options),
});

const scaleAndBias = (size: number): Layer['parameters'] => ({
  scale: { shape: [size], initialize: ones },
  bias: { shape: [size], initialize: zeros },
});

/** Layer normalisation of the last axis of `[rows, ..., features]`; scale and bias `[features]`. */
export const layerNorm = (features: number, options: NormalizationAttributes = {}): Layer => ({
  type: 'layerNorm',
  options: { features, ...options },
  parameters: scaleAndBias(features),
  forward: (x, { parameter }) => layerNormOp({ x, scale: parameter('scale'), bias: parameter('bias') }, options),
});

/** Root mean square normalisation of the last axis of `[rows, ..., features]`; scale `[features]`. */
export const rmsNorm = (features: number, options: NormalizationAttributes = {}): Layer => ({
  type: 'rmsNorm',
  options: { features, ...options },
  parameters: { scale: { shape: [features], initialize: ones } },
  forward: (x, { parameter }) => rmsNormOp({ x, scale: parameter('scale') }, options),
});

/** Group normalisation of `[rows, channels, ...]`; scale and bias `[channels]`. */
export const groupNorm = (channels: number, options: NormalizationAttributes & { readonly groups: number }): Layer => ({
  type: 'groupNorm',
  options: { channels, ...options },
  parameters: scaleAndBias(channels),
  forward: (x, { parameter }) => groupNormOp({ x, scale: parameter('scale'), bias: parameter('bias') }, options),
});

/** Instance normalisation of `[rows, channels, ...]`; scale and bias `[channels]`. */
export const instanceNorm = (channels: number, options: NormalizationAttributes = {}): Layer => ({
  type: 'instanceNorm',
  options: { channels, ...options },
  parameters: scaleAndBias(channels),
  forward: (x, { parameter }) => instanceNormOp({ x, scale: parameter('scale'), bias: parameter('bias') }, options),
});
