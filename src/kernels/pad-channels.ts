import { ArgumentError } from '../errors.ts';
import { perSample } from '../tensor/spec.ts';
import { channelParams, checkChannels } from './channels.ts';
import { defineOp, dispatch, linearGrid } from './define.ts';
import type { Op, Operand } from './define.ts';
import { padChannelsKernel } from './generated/pad-channels.ts';

export interface PadChannelsAttributes {
  /** Channels of zeros before the first, or, if negative, first channels left out; 0 where left out. */
  readonly before?: number;
  /** The same behind the last channel. */
  readonly after?: number;
}

/**
 * Channels of zeros around those of x, `f32[samples, channels, ...]`: in the shortcuts of ResNet's option A (He et al.
 * 2016, section 4.2).
 */
export const padChannels: Op<{ x: Operand }, 'y', PadChannelsAttributes> = defineOp({
  name: 'pad-channels',
  infer({ x }, { before = 0, after = 0 }) {
    checkChannels('pad-channels', x);
    const [samples, channels, ...plane] = x.shape as [number, number, ...number[]];
    const padded = channels + before + after;
    if (!Number.isInteger(before) || !Number.isInteger(after) || padded < 1) {
      const wanted = `whole numbers that leave a channel of ${channels}`;
      throw new ArgumentError(`pad-channels: expected ${wanted}, got ${before} and ${after}`);
    }
    return { y: { dtype: 'f32', shape: [samples, padded, ...plane], rows: x.rows } };
  },
  lower: ({ x }, { y }, { before = 0 }) => [
    dispatch(padChannelsKernel, {
      bind: { x, y },
      params: { ...channelParams(x), padded: y.shape[1]!, before },
      grid: linearGrid(perSample(y), 256),
    }),
  ],
  gradient: ({ dy }, { before = 0, after = 0 }) => ({
    x: () => padChannels({ x: dy }, { before: -before, after: -after }),
  }),
});
