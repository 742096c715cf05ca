import type { Spec } from '../tensor/spec.ts';
import { absorbActivation, activationCode } from './activation.ts';
import type { Activation } from './activation.ts';
import { activationGrad } from './binary.ts';
import { batchNormSums } from './batch-norm-grad.ts';
import { channelParams, checkChannels, checkEpsilon, EPSILON, runGrid } from './channels.ts';
import { constant, defineOp, dispatch } from './define.ts';
import type { Dispatch, Op, Operand, Value } from './define.ts';
import { batchNormKernel } from './generated/batch-norm.ts';
import { sum } from './reduce.ts';

export interface BatchNormAttributes {
  /** Added to the variance; 1e-5 where left out. */
  readonly epsilon?: number;
  /** Applied to the result in the same kernel. */
  readonly activation?: Activation;
}

type Given<T> = { x: T; mean: T; variance: T; scale: T; shift: T };

/** The launch that normalises by statistics, wherever they come from. */
export function normalize(bind: Given<Value> & { y: Value }, attributes: BatchNormAttributes): Dispatch {
  const { epsilon = EPSILON, activation = 'none' } = attributes;
  return dispatch(batchNormKernel, {
    bind,
    params: { ...channelParams(bind.x), epsilon },
    overrides: { ACTIVATION: activationCode[activation] },
    grid: runGrid(bind.x),
  });
}

/**
 * Batch normalisation (Ioffe and Szegedy 2015) by statistics collected earlier, for inference, and for training with
 * frozen statistics: `activation((x - mean) * scale / sqrt(variance + epsilon) + shift)`, for each channel.
 * x: `f32[samples, channels, ...]`; mean, variance, scale, shift: `f32[channels]`. The statistics have no gradient.
 */
export const batchNorm: Op<Given<Operand>, 'y', BatchNormAttributes> = defineOp({
  name: 'batch-norm',
  half: ['x', 'scale', 'shift'],
  infer({ x, ...perChannel }, attributes) {
    checkChannels('batch-norm', x, perChannel);
    checkEpsilon('batch-norm', attributes.epsilon);
    return { y: x };
  },
  lower: ({ x, mean, variance, scale, shift }, { y }, attributes) => [
    normalize({ x, mean, variance, scale, shift, y }, attributes),
  ],
  absorb: absorbActivation,
  gradient({ x, mean, variance, scale, y, dy: grad }, { epsilon = EPSILON, activation = 'none' }) {
    const dy = activationGrad(activation, y, grad);
    const { dscale, dshift } = batchNormSums({ x, dy, mean, variance }, { epsilon });
    const zeros = zerosLike(mean);
    return {
      x: () => batchNorm({ x: dy, mean: zeros, variance, scale, shift: zeros }, { epsilon }),
      scale: () => sum({ x: dscale }, { axes: [1] }),
      shift: () => sum({ x: dshift }, { axes: [1] }),
    };
  },
});

const zerosLike = ({ shape }: Spec): Value => constant({ dtype: 'f32', shape }, new Float32Array(shape[0]!));
