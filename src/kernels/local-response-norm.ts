import { ArgumentError } from '../errors.ts';
import { perSample } from '../tensor/spec.ts';
import type { Spec } from '../tensor/spec.ts';
import { channelParams, checkChannels } from './channels.ts';
import { defineOp, dispatch, isGradient, linearGrid } from './define.ts';
import type { Operand } from './define.ts';
import { localResponseNormGradKernel } from './generated/local-response-norm-grad.ts';
import { localResponseNormKernel } from './generated/local-response-norm.ts';

export interface LocalResponseNormAttributes {
  /** Channels in a window; one of an even number reaches further towards the first channel. */
  readonly size: number;
  /** 1e-4 where left out. */
  readonly alpha?: number;
  /** 0.75 where left out. */
  readonly beta?: number;
  /** 1 where left out. */
  readonly k?: number;
}

function check(x: Spec, { size, alpha = 1e-4, beta = 0.75, k = 1 }: LocalResponseNormAttributes): void {
  checkChannels('local-response-norm', x);
  const finite = [alpha, beta].every((value) => value >= 0 && value < Infinity) && k > 0 && k < Infinity;
  if (!(Number.isInteger(size) && size > 0) || !finite) {
    const wanted = 'a size of 1 or more, alpha and beta >= 0 and k > 0';
    const got = `size ${size}, alpha ${alpha}, beta ${beta}, k ${k}`;
    throw new ArgumentError(`local-response-norm: expected ${wanted}, got ${got}`);
  }
}

const launchParams = (x: Spec, { size, alpha = 1e-4, beta = 0.75, k = 1 }: LocalResponseNormAttributes) => ({
  ...channelParams(x),
  reachBefore: Math.floor(size / 2),
  reachAfter: Math.floor((size - 1) / 2),
  alpha: alpha / size,
  beta,
  k,
});

/**
 * Local response normalisation across channels (Krizhevsky et al. 2012, section 3.3) as PyTorch defines it:
 * `x / (k + alpha / size * sum of x^2 over size channels)^beta`. x: `f32[samples, channels, ...]`. The paper and
 * Chainer do not divide alpha: give `alpha * size` for theirs, and their k, which is 2 where Chainer is not told
 * another.
 */
export const localResponseNorm = defineOp<{ x: Operand }, 'y', LocalResponseNormAttributes>({
  name: 'local-response-norm',
  half: ['x'],
  infer({ x }, attributes) {
    check(x, attributes);
    return { y: x };
  },
  lower: ({ x }, { y }, attributes) => [
    dispatch(localResponseNormKernel, {
      bind: { x, y },
      params: launchParams(x, attributes),
      grid: linearGrid(perSample(x), 64),
    }),
  ],
  gradient: ({ x, dy }, attributes) => ({ x: () => localResponseNormGrad({ x, dy }, attributes) }),
});

const localResponseNormGrad = defineOp<{ x: Operand; dy: Operand }, 'y', LocalResponseNormAttributes>({
  name: 'local-response-norm-grad',
  infer: ({ x }) => ({ y: x }),
  lower: ({ x, dy }, { y }, attributes) => [
    dispatch(localResponseNormGradKernel, {
      bind: { x, dy, dx: y },
      params: launchParams(x, attributes),
      grid: linearGrid(perSample(x), 64),
    }),
  ],
  gradient: isGradient,
});
