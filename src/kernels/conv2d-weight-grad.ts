import { leadPerSample, sizeOf } from '../tensor/spec.ts';
import { defineOp, dispatch, linearGrid, none } from './define.ts';
import type { Operand } from './define.ts';
import { conv2dWeightGradJoinKernel } from './generated/conv2d-weight-grad-join.ts';
import { conv2dWeightGradKernel } from './generated/conv2d-weight-grad.ts';
import { windowParams } from './window2d.ts';
import type { Window2d } from './window2d.ts';

/** Output channels and neighbouring taps that one invocation of the kernel computes. */
const [CHANNELS, TAPS] = [5, 8];

/** Invocations that are enough to keep an adapter busy, and parts beyond which adding them up would cost too much. */
const [INVOCATIONS, MOST_PARTS] = [8192, 64];

/**
 * Gradients of a convolution by weight and bias, from `x` and `dy`: summed over the live samples in a number of parts,
 * which are then added up. The number of parts, and with it the order of the sum, follows from the shape of the weight
 * alone.
 */
export const conv2dWeightGrad = defineOp<{ x: Operand; dy: Operand }, 'weight' | 'bias', { window: Window2d }>({
  name: 'conv2d-weight-grad',
  infer({ x, dy }, { window }) {
    const [out, channels] = [dy.shape[1]!, x.shape[1]!];
    return {
      weight: { dtype: 'f32', shape: [out, channels, ...window.kernel] },
      bias: { dtype: 'f32', shape: [out] },
    };
  },
  lower({ x, dy }, { weight, bias }, { window }, { scratch }) {
    const [outChannels, inChannels, ...kernel] = weight.shape as [number, number, number, number];
    const { stride, dilation } = window;
    // Those of the weight's taps, and one for the bias.
    const tiles = inChannels * kernel[0] * Math.ceil(kernel[1] / TAPS) + 1;
    const channelTiles = Math.ceil(outChannels / CHANNELS);
    const parts = Math.min(Math.ceil(INVOCATIONS / (tiles * channelTiles)), MOST_PARTS);
    const taps = sizeOf(weight.shape.slice(1));
    const partial = scratch({ dtype: 'f32', shape: [parts, outChannels, taps + 1] });
    return [
      dispatch(conv2dWeightGradKernel, {
        bind: { x, dy, partial },
        params: {
          ...windowParams(window),
          samples: leadPerSample(x),
          inChannels,
          outChannels,
          dilationY: dilation[0],
          dilationX: dilation[1],
          parts,
        },
        overrides: { SLIDING: stride[1] === 1 && dilation[1] === 1 },
        grid: [Math.ceil((parts * tiles) / 64), channelTiles],
      }),
      dispatch(conv2dWeightGradJoinKernel, {
        bind: { partial, weight, bias },
        params: { parts, outChannels, taps },
        grid: linearGrid(outChannels * (taps + 1), 64),
      }),
    ];
  },
  gradient: none('it is itself a gradient, and derivatives of derivatives are not built'),
});
