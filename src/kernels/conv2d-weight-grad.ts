import { leadPerSample } from '../tensor/spec.ts';
import { defineOp, dispatch, none } from './define.ts';
import type { Operand } from './define.ts';
import { conv2dWeightGradKernel } from './generated/conv2d-weight-grad.ts';
import { windowParams } from './window2d.ts';
import type { Window2d } from './window2d.ts';

/** Output channels and neighbouring taps that one invocation of the kernel computes. */
const [CHANNELS, TAPS] = [5, 8];

/** Invocations that are enough to keep an adapter busy, and parts beyond which adding them up would cost too much. */
const [INVOCATIONS, MOST_PARTS] = [8192, 64];

/**
 * Gradient of a convolution by its weight, from `x` and `dy`, summed over the live samples in a number of parts:
 * `f32[parts, out, in, height, width]`, whose sum over the first axis it is. The number of parts, and with it the
 * order of the sum, follows from the shape of the weight alone.
 */
export const conv2dWeightGrad = defineOp<{ x: Operand; dy: Operand }, 'y', { window: Window2d }>({
  name: 'conv2d-weight-grad',
  infer({ x, dy }, { window }) {
    const [out, channels] = [dy.shape[1]!, x.shape[1]!];
    const invocations = channels * window.kernel[0] * Math.ceil(window.kernel[1] / TAPS) * Math.ceil(out / CHANNELS);
    const parts = Math.min(Math.ceil(INVOCATIONS / invocations), MOST_PARTS);
    return { y: { dtype: 'f32', shape: [parts, out, channels, ...window.kernel] } };
  },
  lower({ x, dy }, { y }, { window }) {
    const [parts, out, channels, kernelHeight, kernelWidth] = y.shape as [number, number, number, number, number];
    const { stride, dilation } = window;
    return [
      dispatch(conv2dWeightGradKernel, {
        bind: { x, dy, partial: y },
        params: {
          ...windowParams(window),
          samples: leadPerSample(x),
          inChannels: channels,
          outChannels: out,
          dilationY: dilation[0],
          dilationX: dilation[1],
          parts,
        },
        overrides: { SLIDING: stride[1] === 1 && dilation[1] === 1 },
        grid: [
          Math.ceil((parts * channels * kernelHeight * Math.ceil(kernelWidth / TAPS)) / 64),
          Math.ceil(out / CHANNELS),
        ],
      }),
    ];
  },
  gradient: none('it is itself a gradient, and derivatives of derivatives are not built'),
});
