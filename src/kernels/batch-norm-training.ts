import { NoGradientError } from '../errors.ts';
import type { Spec } from '../tensor/spec.ts';
import { batchNormInputGrad, batchNormSums, CHUNK, partsOf } from './batch-norm-grad.ts';
import { normalize } from './batch-norm.ts';
import type { BatchNormAttributes } from './batch-norm.ts';
import { activationGrad } from './binary.ts';
import { channelParams, checkChannels, checkEpsilon, EPSILON } from './channels.ts';
import { defineOp, dispatch } from './define.ts';
import type { Dispatch, LowerContext, Operand, Value } from './define.ts';
import { batchStatisticsJoinKernel } from './generated/batch-statistics-join.ts';
import { batchStatisticsKernel } from './generated/batch-statistics.ts';
import { sum } from './reduce.ts';

const statisticsOf = (x: Spec): Spec => ({ dtype: 'f32', shape: [x.shape[1]!] });

/**
 * Batch normalisation (Ioffe and Szegedy 2015) by the statistics of the batch: `activation((x - mean) * scale /
 * sqrt(variance + epsilon) + shift)`, for each channel over all live samples and positions, the variance divided by
 * their number. x: `f32[samples, channels, ...]`; scale, shift: `f32[channels]`; results: y like x, mean and variance
 * `f32[channels]`. The gradient counts in that the statistics depend on x. By their nature the bits of a sample depend
 * on the batch around it, and those of the statistics on the largest batch compiled for.
 */
export const batchNormTraining = defineOp<
  { x: Operand; scale: Operand; shift: Operand },
  'y' | 'mean' | 'variance',
  BatchNormAttributes
>({
  name: 'batch-norm-training',
  infer({ x, ...perChannel }, attributes) {
    checkChannels('batch-norm-training', x, perChannel);
    checkEpsilon('batch-norm-training', attributes.epsilon);
    return { y: x, mean: statisticsOf(x), variance: statisticsOf(x) };
  },
  lower: ({ x, scale, shift }, { y, mean, variance }, attributes, context) => [
    ...statistics(x, { mean, variance }, context),
    normalize({ x, mean, variance, scale, shift, y }, attributes),
  ],
  gradient({ x, scale, y, mean, variance, dy: grad, dmean, dvariance }, { epsilon = EPSILON, activation = 'none' }) {
    if (dmean || dvariance) {
      const what = 'batch-norm-training: has no gradient through its outputs mean and variance';
      throw new NoGradientError(`${what}; take mean({ x }) where they are wanted themselves`);
    }
    const dy = activationGrad(activation, y, grad);
    const parts = batchNormSums({ x, dy, mean, variance }, { epsilon });
    const dscale = sum({ x: parts.dscale }, { axes: [1] });
    const dshift = sum({ x: parts.dshift }, { axes: [1] });
    return {
      x: () => batchNormInputGrad({ x, dy, mean, variance, scale, dscale, dshift }, { epsilon }),
      scale: () => dscale,
      shift: () => dshift,
    };
  },
});

interface Statistics {
  readonly mean: Value;
  readonly variance: Value;
}

/** Mean and variance of chunks, then of chunks of chunks, until one is left. */
function statistics(x: Value, result: Statistics, { scratch }: LowerContext): Dispatch[] {
  const { channels, rowsPerSample, plane } = channelParams(x);
  const place = (parts: number): Statistics => {
    const spec: Spec = { dtype: 'f32', shape: [channels, parts] };
    return parts === 1 ? result : { mean: scratch(spec), variance: scratch(spec) };
  };
  const grid = (parts: number): [number] => [Math.ceil((channels * parts) / 64)];

  let parts = partsOf(x);
  let partSize = CHUNK;
  let from = place(parts);
  const launches = [
    dispatch(batchStatisticsKernel, {
      bind: { x, ...from },
      params: { ...channelParams(x), chunk: CHUNK, parts },
      grid: grid(parts),
    }),
  ];
  while (parts > 1) {
    const joined = Math.ceil(parts / CHUNK);
    const to = place(joined);
    launches.push(
      dispatch(batchStatisticsJoinKernel, {
        bind: { partMeans: from.mean, partVariances: from.variance, ...to },
        params: { channels, perRow: rowsPerSample * plane, parts, partSize, chunk: CHUNK, joined },
        grid: grid(joined),
        rows: x.rows,
      }),
    );
    [from, parts, partSize] = [to, joined, partSize * CHUNK];
  }
  return launches;
}
