import { leadPerSample, perSample } from '../tensor/spec.ts';
import type { Spec } from '../tensor/spec.ts';
import { absorbActivationGrad, activationCode } from './activation.ts';
import type { GradAttributes } from './activation.ts';
import { defineOp, dispatch, linearGrid, none } from './define.ts';
import type { Operand } from './define.ts';
import { pool2dAverageGradKernel } from './generated/pool2d-average-grad.ts';
import { pool2dMaxGradKernel } from './generated/pool2d-max-grad.ts';
import { windowParams } from './window2d.ts';
import type { Window2d } from './window2d.ts';

export const planesPerRow = (x: Spec): number => leadPerSample(x) * x.shape[1]!;

/** The positions that an average divides by, from the corner of the padded input: those of the input, or all. */
export function countParams({ input, padBefore, padAfter }: Window2d, countPadding = false) {
  const from = countPadding ? [0, 0] : padBefore;
  const beyond = countPadding ? padAfter : [0, 0];
  return {
    countTop: from[0]!,
    countBottom: padBefore[0] + input[0] + beyond[0]!,
    countLeft: from[1]!,
    countRight: padBefore[1] + input[1] + beyond[1]!,
  };
}

const isGradient = none('it is itself a gradient, and derivatives of derivatives are not built');

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
    const [cellsDown, cellsAcross] = [cells(0), cells(1)];
    const planes = planesPerRow(x);
    return [
      dispatch(pool2dMaxGradKernel, {
        // A kernel's bindings are all bound: where there is none, it is given something that it does not look at.
        bind: { x, dy, activated: activated ?? x, dx: y },
        params: { ...windowParams(window), planes, cellsDown, cellsAcross },
        overrides: { ACTIVATION_GRAD: activationCode[activationGrad] },
        grid: linearGrid(planes * cellsDown * cellsAcross, 64),
      }),
    ];
  },
  gradient: isGradient,
  absorb: absorbActivationGrad,
});

/** Gradient of `averagePool2d`, of whose input `like` is the spec. */
export const averagePool2dGrad = defineOp<
  { dy: Operand; activated?: Operand },
  'y',
  { like: Spec; window: Window2d; countPadding?: boolean | undefined } & GradAttributes
>({
  name: 'average-pool2d-grad',
  infer: (_, { like: { dtype, shape, rows } }) => ({ y: { dtype, shape, rows } }),
  lower: ({ dy, activated }, { y }, { window, countPadding, activationGrad = 'none' }) => [
    dispatch(pool2dAverageGradKernel, {
      bind: { dy, activated: activated ?? dy, dx: y },
      params: { ...windowParams(window), ...countParams(window, countPadding), planes: planesPerRow(y) },
      overrides: { ACTIVATION_GRAD: activationCode[activationGrad] },
      grid: linearGrid(perSample(y), 64),
    }),
  ],
  gradient: isGradient,
  absorb: absorbActivationGrad,
});
