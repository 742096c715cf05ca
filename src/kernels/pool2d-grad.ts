import { leadPerSample, perSample } from '../tensor/spec.ts';
import type { Spec } from '../tensor/spec.ts';
import { absorbActivationGrad, activationCode } from './activation.ts';
import type { GradAttributes } from './activation.ts';
import { defineOp, dispatch, isGradient, linearGrid } from './define.ts';
import type { Operand } from './define.ts';
import { pool2dMaxGradKernel } from './generated/pool2d-max-grad.ts';
import { pool2dSumGradKernel } from './generated/pool2d-sum-grad.ts';
import { windowParams } from './window2d.ts';
import type { Window2d } from './window2d.ts';

/** What kernels of pooling look at besides the window. */
export interface PoolNumbers {
  /** Whether averages divide by positions in the padding too. */
  readonly countPadding?: boolean | undefined;
  /** The p of norms. */
  readonly p?: number | undefined;
}

/** The parameters of all kernels of pooling: `x` is the spec of the input. */
export function poolParams(x: Spec, window: Window2d, { countPadding = false, p = 1 }: PoolNumbers = {}) {
  const { input, padBefore, padAfter } = window;
  // The positions that an average divides by, from the corner of the padded input: those of the input, or all.
  const from = countPadding ? [0, 0] : padBefore;
  const beyond = countPadding ? padAfter : [0, 0];
  return {
    ...windowParams(window),
    planes: leadPerSample(x) * x.shape[1]!,
    countTop: from[0]!,
    countBottom: padBefore[0] + input[0] + beyond[0]!,
    countLeft: from[1]!,
    countRight: padBefore[1] + input[1] + beyond[1]!,
    power: p,
  };
}

export const isDilated = ({ dilation }: Window2d): boolean => Math.max(...dilation) > 1;

/** Gradient of `maxPool2d` from its input and `dy`. */
export const maxPool2dGrad = defineOp<
  { x: Operand; dy: Operand; activated?: Operand },
  'y',
  { window: Window2d } & GradAttributes
>({
  name: 'max-pool2d-grad',
  infer: ({ x }) => ({ y: x }),
  lower({ x, dy, activated }, { y }, { window, activationGrad = 'none' }) {
    const { input, stride, padBefore } = window;
    const cells = (axis: 0 | 1): number => Math.ceil((padBefore[axis] + input[axis]) / stride[axis]);
    const params = poolParams(x, window);
    return [
      dispatch(pool2dMaxGradKernel, {
        // A kernel's bindings are all bound: where there is none, it is given something that it does not look at.
        bind: { x, dy, activated: activated ?? x, dx: y },
        params,
        overrides: { DILATED: isDilated(window), ACTIVATION_GRAD: activationCode[activationGrad] },
        grid: linearGrid(params.planes * cells(0) * cells(1), 64),
      }),
    ];
  },
  gradient: isGradient,
  absorb: absorbActivationGrad,
});

/** Gradient of `averagePool2d` from `dy`, or, given input and result, of `lpPool2d`; `like`: the spec of the input. */
export const sumPool2dGrad = defineOp<
  { dy: Operand; norm?: Operand; of?: Operand; activated?: Operand },
  'y',
  { like: Spec; window: Window2d } & PoolNumbers & GradAttributes
>({
  name: 'sum-pool2d-grad',
  infer: (_, { like: { dtype, shape, rows } }) => ({ y: { dtype, shape, rows } }),
  lower: ({ dy, norm, of, activated }, { y }, { like, window, activationGrad = 'none', ...numbers }) => [
    dispatch(pool2dSumGradKernel, {
      bind: { dy, x: of ?? dy, y: norm ?? dy, activated: activated ?? dy, dx: y },
      params: poolParams(like, window, numbers),
      overrides: {
        NORM: norm !== undefined,
        DILATED: isDilated(window),
        ACTIVATION_GRAD: activationCode[activationGrad],
      },
      grid: linearGrid(perSample(y), 64),
    }),
  ],
  gradient: isGradient,
  absorb: absorbActivationGrad,
});
