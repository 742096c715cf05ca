import { leadPerSample } from '../tensor/spec.ts';
import type { Spec } from '../tensor/spec.ts';
import { absorbActivationGrad, activationCode } from './activation.ts';
import type { GradAttributes } from './activation.ts';
import { defineOp, dispatch, none } from './define.ts';
import type { Operand } from './define.ts';
import { conv2dInputGradKernel } from './generated/conv2d-input-grad.ts';
import { windowParams } from './window2d.ts';
import type { Window2d } from './window2d.ts';

/** Channels and pixels of a row that one invocation of the kernel computes. */
const [CHANNELS, PIXELS] = [5, 8];

const commonDivisor = (a: number, b: number): number => (b === 0 ? a : commonDivisor(b, a % b));

/** Gradient of a convolution by its input, of which `like` is the spec: from `dy` and `weight`. */
export const conv2dInputGrad = defineOp<
  { dy: Operand; weight: Operand; activated?: Operand },
  'y',
  { like: Spec; window: Window2d } & GradAttributes
>({
  name: 'conv2d-input-grad',
  infer: (_, { like: { dtype, shape, rows } }) => ({ y: { dtype, shape, rows } }),
  lower({ dy, weight, activated }, { y }, { window, activationGrad = 'none' }) {
    const { input, stride, dilation } = window;
    const samples = leadPerSample(y);
    const common = [commonDivisor(stride[0], dilation[0]), commonDivisor(stride[1], dilation[1])] as const;
    const tilesPerRow = stride[1] * Math.ceil(input[1] / (stride[1] * PIXELS));
    return [
      dispatch(conv2dInputGradKernel, {
        // A kernel's bindings are all bound: where there is none, it is given something that it does not look at.
        bind: { dy, weight, activated: activated ?? weight, dx: y },
        params: {
          ...windowParams(window),
          samples,
          inChannels: y.shape[1]!,
          outChannels: dy.shape[1]!,
          dilationY: dilation[0],
          dilationX: dilation[1],
          tapStepY: stride[0] / common[0],
          tapStepX: stride[1] / common[1],
          outStepY: dilation[0] / common[0],
          outStepX: dilation[1] / common[1],
        },
        overrides: { SLIDING: dilation[1] === common[1], ACTIVATION_GRAD: activationCode[activationGrad] },
        grid: [{ perSample: samples * input[0] * tilesPerRow, tile: 64 }, Math.ceil(y.shape[1]! / CHANNELS)],
      }),
    ];
  },
  gradient: none('it is itself a gradient, and derivatives of derivatives are not built'),
  absorb: absorbActivationGrad,
});
