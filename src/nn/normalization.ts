import type { Activation } from '../kernels/activation.ts';
import { batchNormTraining } from '../kernels/batch-norm-training.ts';
import { batchNorm } from '../kernels/batch-norm.ts';
import { localResponseNorm as localResponseNormOp } from '../kernels/local-response-norm.ts';
import type { LocalResponseNormAttributes } from '../kernels/local-response-norm.ts';
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
