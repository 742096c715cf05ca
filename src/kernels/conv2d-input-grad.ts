import { leadPerSample, sizeOf } from '../tensor/spec.ts';
import type { Spec } from '../tensor/spec.ts';
import { absorbActivationGrad, activationCode } from './activation.ts';
import type { Activation, GradAttributes } from './activation.ts';
import { defineOp, dispatch, isGradient } from './define.ts';
import type { Dispatch, Grid, LowerContext, Operand, Value } from './define.ts';
import { conv2dInputGradSubgroupKernel } from './generated/conv2d-input-grad-subgroup.ts';
import { conv2dInputGradKernel } from './generated/conv2d-input-grad.ts';
import { absorbResidual } from './residual.ts';
import { channelTile, convolutionParams, threadsFor, unrolled, windowClass } from './window2d.ts';
import type { Window2d } from './window2d.ts';

/** Channels and pixels of a row that one invocation of `wgsl/conv2d-input-grad.wgsl` and its variant computes. */
const [MOST_CHANNELS, PIXELS, SUBGROUP_CHANNELS, SUBGROUP_PIXELS] = [5, 8, 8, 4];

/** What the sum goes through on its way to the result: what is added, and an activation or the gradient of one. */
interface Finish extends GradAttributes {
  readonly bias?: Value | undefined;
  readonly residual?: Value | undefined;
  readonly activation?: Activation | undefined;
  readonly activated?: Value | undefined;
}

/**
 * The launches of a convolution's gradient by its input, which is also what a transposed convolution computes. `dx` may
 * come in the shape of what `absorb` took in.
 */
export function inputGradLaunches(
  { dy, weight, dx }: { readonly dy: Value; readonly weight: Value; readonly dx: Value },
  { window, groups }: { readonly window: Window2d; readonly groups: number },
  { bias, residual, activation = 'none', activated, activationGrad = 'none' }: Finish,
  { choose }: LowerContext,
): Dispatch[] {
  const { input, stride } = window;
  const samples = leadPerSample(dy);
  const inChannels = weight.shape[1]! * groups;
  // A kernel's bindings are all bound: where there is none, it is given something that it does not look at.
  const bind = {
    dy,
    weight,
    bias: bias ?? weight,
    residual: residual ?? weight,
    activated: activated ?? weight,
    dx,
  };
  const params = convolutionParams(window, samples, [inChannels, dy.shape[1]!], groups);
  const CHANNELS = channelTile(params.groupInChannels, MOST_CHANNELS);
  const overrides = {
    SLIDING: params.outStepX === 1,
    BIAS: bias !== undefined,
    RESIDUAL: residual !== undefined,
    ACTIVATION: activationCode[activation],
    ACTIVATION_GRAD: activationCode[activationGrad],
  };
  const grid = (channels: number, tilesPerRow: number, tile: number): Grid => [
    { perSample: samples * input[0] * tilesPerRow, tile },
    Math.ceil(params.groupInChannels / channels),
    groups,
  ];
  const subgroup = (): Dispatch[] => {
    const tilesPerRow = Math.ceil(input[1] / SUBGROUP_PIXELS);
    const THREADS = threadsFor(samples * input[0] * tilesPerRow);
    return [
      dispatch(conv2dInputGradSubgroupKernel, {
        bind,
        params,
        overrides: { ...overrides, KERNEL_WIDTH: unrolled(window), THREADS },
        grid: grid(SUBGROUP_CHANNELS, tilesPerRow, THREADS),
      }),
    ];
  };
  const registers = (): Dispatch[] => [
    dispatch(conv2dInputGradKernel, {
      bind,
      params,
      overrides: { ...overrides, CHANNELS },
      grid: grid(CHANNELS, stride[1] * Math.ceil(input[1] / (stride[1] * PIXELS)), 64),
    }),
  ];
  const inSubgroups = stride.every((step) => step === 1) && (CHANNELS > 1 || groups === 1);
  // Both give the same bits.
  return choose(windowClass(weight, window, groups), { ...(inSubgroups && { subgroup }), registers });
}

/** Gradient of a convolution by its input, of which `like` is the spec: from `dy` and `weight`. */
export const conv2dInputGrad = defineOp<
  { dy: Operand; weight: Operand; residual?: Operand; activated?: Operand },
  'y',
  { like: Spec; window: Window2d } & GradAttributes
>({
  name: 'conv2d-input-grad',
  infer: (_, { like: { dtype, shape, rows } }) => ({ y: { dtype, shape, rows } }),
  lower({ dy, weight, residual, activated }, { y }, { like, window, activationGrad = 'none' }, context) {
    const groups = like.shape[1]! / weight.shape[1]!;
    const finish = { residual, activated, activationGrad };
    return inputGradLaunches({ dy, weight, dx: y }, { window, groups }, finish, context);
  },
  gradient: isGradient,
  macs: ({ dy, weight }) => sizeOf(dy.shape) * sizeOf(weight.shape.slice(1)),
  absorb: (next, attributes, inputs) =>
    absorbActivationGrad(next, attributes) ?? absorbResidual(next, attributes, inputs, ['activationGrad']),
});
