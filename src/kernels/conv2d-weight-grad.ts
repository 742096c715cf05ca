import { leadPerSample, sizeOf } from '../tensor/spec.ts';
import { defineOp, dispatch, isGradient, linearGrid } from './define.ts';
import type { Dispatch, Operand } from './define.ts';
import { conv2dWeightGradJoinKernel } from './generated/conv2d-weight-grad-join.ts';
import { conv2dWeightGradSubgroupKernel } from './generated/conv2d-weight-grad-subgroup.ts';
import { conv2dWeightGradKernel } from './generated/conv2d-weight-grad.ts';
import { channelTile, convolutionParams, windowClass } from './window2d.ts';
import type { Window2d } from './window2d.ts';

/** Output channels and neighbouring taps that one invocation of `wgsl/conv2d-weight-grad.wgsl` computes. */
const [MOST_CHANNELS, TAPS] = [5, 8];

/** Output channels that one of `wgsl/conv2d-weight-grad-subgroup.wgsl` computes, of 4 taps or of 5. */
const SUBGROUP_CHANNELS = 8;

/** Invocations that are enough to keep an adapter busy, and parts beyond which adding them up would cost too much. */
const [INVOCATIONS, MOST_PARTS] = [8192, 64];

/**
 * Gradients of a convolution by weight and bias, from `x` and `dy`: summed over the live samples in a number of parts,
 * which are then added up. The number of parts, and with it the order of the sum, follows from the shape of the weight
 * and the groups alone.
 */
export const conv2dWeightGrad = defineOp<
  { x: Operand; dy: Operand },
  'weight' | 'bias',
  { window: Window2d; groups: number }
>({
  name: 'conv2d-weight-grad',
  infer({ x, dy }, { window, groups }) {
    const [out, channels] = [dy.shape[1]!, x.shape[1]! / groups];
    return {
      weight: { dtype: 'f32', shape: [out, channels, ...window.kernel] },
      bias: { dtype: 'f32', shape: [out] },
    };
  },
  lower({ x, dy }, { weight, bias }, { window, groups }, { scratch, choose }) {
    const { kernel, stride, dilation } = window;
    const outChannels = dy.shape[1]!;
    const shape = convolutionParams(window, leadPerSample(x), [x.shape[1]!, outChannels], groups);
    // Those of the weight's taps, and one for the bias.
    const tilesOf = (width: number): number => shape.groupInChannels * kernel[0] * Math.ceil(kernel[1] / width) + 1;
    const tiles = tilesOf(TAPS) * Math.ceil(shape.groupOutChannels / MOST_CHANNELS) * groups;
    const parts = Math.min(Math.ceil(INVOCATIONS / tiles), MOST_PARTS);
    const taps = sizeOf(weight.shape.slice(1));
    const partial = scratch({ dtype: 'f32', shape: [parts, outChannels, taps + 1] });
    const bind = { x, dy, partial };
    const params = { ...shape, parts };
    const overrides = { SLIDING: stride[1] === 1 && dilation[1] === 1 };
    const subgroup = (): Dispatch[] => {
      const FIVE = kernel[1] === 5;
      const tiles = Math.ceil(tilesOf(FIVE ? 5 : 4) / 8) * 8;
      const channelTiles = Math.ceil(shape.groupOutChannels / SUBGROUP_CHANNELS);
      const grid = [Math.ceil((parts * tiles) / 64), channelTiles, groups] as const;
      return [dispatch(conv2dWeightGradSubgroupKernel, { bind, params, overrides: { ...overrides, FIVE }, grid })];
    };
    const CHANNELS = channelTile(shape.groupOutChannels, MOST_CHANNELS);
    const registers = (): Dispatch[] => {
      const channelTiles = Math.ceil(shape.groupOutChannels / CHANNELS);
      const grid = [Math.ceil((parts * tilesOf(TAPS)) / 64), channelTiles, groups] as const;
      return [dispatch(conv2dWeightGradKernel, { bind, params, overrides: { ...overrides, CHANNELS }, grid })];
    };
    const inSubgroups = CHANNELS > 1 || groups === 1;
    return [
      // Both give the same bits.
      ...choose(windowClass(weight, window, groups), { ...(inSubgroups && { subgroup }), registers }),
      dispatch(conv2dWeightGradJoinKernel, {
        bind: { partial, weight, bias },
        params: { parts, outChannels, taps },
        grid: linearGrid(outChannels * (taps + 1), 64),
      }),
    ];
  },
  gradient: isGradient,
  macs: ({ dy }, { weight }) => sizeOf(dy.shape) * sizeOf(weight.shape.slice(1)),
});
