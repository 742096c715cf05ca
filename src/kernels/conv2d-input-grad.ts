import { leadPerSample, sizeOf } from '../tensor/spec.ts';
import type { Spec } from '../tensor/spec.ts';
import { absorbActivationGrad, activationCode } from './activation.ts';
import type { GradAttributes } from './activation.ts';
import { defineOp, dispatch, none } from './define.ts';
import type { Dispatch, Grid, Operand } from './define.ts';
import { conv2dInputGradSubgroupKernel } from './generated/conv2d-input-grad-subgroup.ts';
import { conv2dInputGradKernel } from './generated/conv2d-input-grad.ts';
import { threadsFor, unrolled, windowClass, windowParams } from './window2d.ts';
import type { Window2d } from './window2d.ts';

/** Channels and pixels of a row that one invocation of `wgsl/conv2d-input-grad.wgsl` and its variant computes. */
const [CHANNELS, PIXELS, SUBGROUP_CHANNELS, SUBGROUP_PIXELS] = [5, 8, 8, 4];

const commonDivisor = (a: number, b: number): number => (b === 0 ? a : commonDivisor(b, a % b));

/** Gradient of a convolution by its input, of which `like` is the spec: from `dy` and `weight`. */
export const conv2dInputGrad = defineOp<
  { dy: Operand; weight: Operand; activated?: Operand },
  'y',
  { like: Spec; window: Window2d } & GradAttributes
>({
  name: 'conv2d-input-grad',
  infer: (_, { like: { dtype, shape, rows } }) => ({ y: { dtype, shape, rows } }),
  lower({ dy, weight, activated }, { y }, { window, activationGrad = 'none' }, { choose }) {
    const { input, stride, dilation } = window;
    const samples = leadPerSample(y);
    const inChannels = y.shape[1]!;
    // A kernel's bindings are all bound: where there is none, it is given something that it does not look at.
    const bind = { dy, weight, activated: activated ?? weight, dx: y };
    const params = {
      ...windowParams(window),
      samples,
      inChannels,
      outChannels: dy.shape[1]!,
      dilationY: dilation[0],
      dilationX: dilation[1],
    };
    const ACTIVATION_GRAD = activationCode[activationGrad];
    const grid = (channels: number, tilesPerRow: number, tile: number): Grid => [
      { perSample: samples * input[0] * tilesPerRow, tile },
      Math.ceil(inChannels / channels),
    ];
    const subgroup = (): Dispatch[] => {
      const tilesPerRow = Math.ceil(input[1] / SUBGROUP_PIXELS);
      const THREADS = threadsFor(samples * input[0] * tilesPerRow);
      return [
        dispatch(conv2dInputGradSubgroupKernel, {
          bind,
          params,
          overrides: { SLIDING: dilation[1] === 1, ACTIVATION_GRAD, KERNEL_WIDTH: unrolled(window), THREADS },
          grid: grid(SUBGROUP_CHANNELS, tilesPerRow, THREADS),
        }),
      ];
    };
    const registers = (): Dispatch[] => {
      const common = [commonDivisor(stride[0], dilation[0]), commonDivisor(stride[1], dilation[1])] as const;
      return [
        dispatch(conv2dInputGradKernel, {
          bind,
          params: {
            ...params,
            tapStepY: stride[0] / common[0],
            tapStepX: stride[1] / common[1],
            outStepY: dilation[0] / common[0],
            outStepX: dilation[1] / common[1],
          },
          overrides: { SLIDING: dilation[1] === common[1], ACTIVATION_GRAD },
          grid: grid(CHANNELS, stride[1] * Math.ceil(input[1] / (stride[1] * PIXELS)), 64),
        }),
      ];
    };
    // Both give the same bits.
    const movesByOne = stride.every((step) => step === 1);
    return choose(windowClass(weight, window), { ...(movesByOne && { subgroup }), registers });
  },
  gradient: none('it is itself a gradient, and derivatives of derivatives are not built'),
  macs: ({ dy, weight }) => sizeOf(dy.shape) * sizeOf(weight.shape.slice(1)),
  absorb: absorbActivationGrad,
});
