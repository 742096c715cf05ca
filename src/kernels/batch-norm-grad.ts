import { sizeOf } from '../tensor/spec.ts';
import type { Spec } from '../tensor/spec.ts';
import { channelParams, runGrid } from './channels.ts';
import { defineOp, dispatch, isGradient } from './define.ts';
import type { Operand } from './define.ts';
import { batchNormInputGradKernel } from './generated/batch-norm-input-grad.ts';
import { batchNormSumsKernel } from './generated/batch-norm-sums.ts';

/** Elements of a channel that one invocation sums, one after the other. Another number gives other bits. */
export const CHUNK = 256;

/** How many chunks the elements of a channel make. */
export const partsOf = ({ shape }: Spec): number => Math.max(1, Math.ceil(sizeOf(shape) / shape[1]! / CHUNK));

/**
 * The gradients of batch normalisation by scale and shift in parts, `f32[channels, parts]` each, to be summed over the
 * last axis. The order of the sum depends only on where an element stands among the live ones.
 */
export const batchNormSums = defineOp<
  { x: Operand; dy: Operand; mean: Operand; variance: Operand },
  'dscale' | 'dshift',
  { readonly epsilon: number }
>({
  name: 'batch-norm-sums',
  infer({ x }) {
    const parts: Spec = { dtype: 'f32', shape: [x.shape[1]!, partsOf(x)] };
    return { dscale: parts, dshift: parts };
  },
  lower: ({ x, dy, mean, variance }, { dscale, dshift }, { epsilon }) => [
    dispatch(batchNormSumsKernel, {
      bind: { x, dy, mean, variance, dscale, dshift },
      params: { ...channelParams(x), chunk: CHUNK, parts: partsOf(x), epsilon },
      grid: [Math.ceil(sizeOf(dscale.shape) / 64)],
    }),
  ],
  gradient: isGradient,
});

/** The gradient of `batchNormTraining` by x, on which its statistics depend too; dscale, dshift: `f32[channels]`. */
export const batchNormInputGrad = defineOp<
  { x: Operand; dy: Operand; mean: Operand; variance: Operand; scale: Operand; dscale: Operand; dshift: Operand },
  'y',
  { readonly epsilon: number }
>({
  name: 'batch-norm-input-grad',
  infer: ({ x }) => ({ y: x }),
  lower: ({ x, dy, mean, variance, scale, dscale, dshift }, { y }, { epsilon }) => [
    dispatch(batchNormInputGradKernel, {
      bind: { x, dy, mean, variance, scale, dscale, dshift, dx: y },
      params: { ...channelParams(x), epsilon },
      grid: runGrid(x),
    }),
  ],
  gradient: isGradient,
});
