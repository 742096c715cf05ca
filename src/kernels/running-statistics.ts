import { ArgumentError } from '../errors.ts';
import { channelParams, checkChannels } from './channels.ts';
import { defineOp, dispatch, none } from './define.ts';
import type { Operand } from './define.ts';
import { runningStatisticsKernel } from './generated/running-statistics.ts';

/**
 * Moves running statistics towards those of a batch, in place, as PyTorch does: `running += momentum (batch -
 * running)`, the variance of the batch unbiased: times n / (n - 1) for the n live elements of a channel. mean,
 * variance: what `batchNormTraining` found in `x`, of which only the shape is looked at; runningMean, runningVariance:
 * `f32[channels]`.
 */
export const updateRunningStatistics = defineOp<
  { x: Operand; mean: Operand; variance: Operand; runningMean: Operand; runningVariance: Operand },
  never,
  { readonly momentum: number }
>({
  name: 'update-running-statistics',
  infer({ x, ...perChannel }, { momentum }) {
    checkChannels('update-running-statistics', x, perChannel);
    if (!(momentum >= 0 && momentum <= 1)) {
      throw new ArgumentError(`update-running-statistics: expected a momentum from 0 to 1, got ${momentum}`);
    }
    return {};
  },
  lower({ x, ...bind }, _, { momentum }) {
    const { rowsPerSample, channels, plane } = channelParams(x);
    return [
      dispatch(runningStatisticsKernel, {
        bind,
        params: { channels, perRow: rowsPerSample * plane, momentum },
        grid: [Math.ceil(channels / 64)],
        rows: x.rows,
      }),
    ];
  },
  gradient: none('it changes running statistics in place'),
});
