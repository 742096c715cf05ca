import { ArgumentError } from '../errors.ts';
import { perSample, sizeOf } from '../tensor/spec.ts';
import { defineOp, dispatch, expected, linearGrid } from './define.ts';
import type { Operand, Value } from './define.ts';
import { dropoutKernel } from './generated/dropout.ts';

export interface DropoutAttributes {
  /** Share of elements dropped, in [0, 1). */
  readonly rate: number;
  /** Tells apart the dropouts of one network, which share a seed. */
  readonly stream?: number;
}

/**
 * Inverted dropout for training (Srivastava et al. 2014): each element is 0 with probability `rate`, else
 * `x / (1 - rate)`. x: f32, any shape; seed: `u32[1]`, a new one each step. The same seed gives the same mask
 * everywhere.
 */
export const dropout = defineOp<{ x: Operand; seed: Operand }, 'y', DropoutAttributes>({
  name: 'dropout',
  infer({ x, seed }, { rate }) {
    if (!(rate >= 0 && rate < 1)) throw new ArgumentError(`dropout: expected a rate in [0, 1), got ${rate}`);
    if (x.dtype !== 'f32' || seed.dtype !== 'u32' || sizeOf(seed.shape) !== 1) {
      throw expected('dropout', 'x f32[...] and seed u32[1]', x, seed);
    }
    return { y: x };
  },
  lower: ({ x, seed }, { y }, { rate, stream = 0 }) => [
    dispatch(dropoutKernel, {
      bind: { x, seed, y },
      params: {
        sizePerSample: perSample(x),
        stream,
        dropBelow: Math.min(Math.round(rate * 2 ** 32), 2 ** 32 - 1),
        scale: 1 / (1 - rate),
      },
      grid: linearGrid(perSample(x), 64),
    }),
  ],
  gradient: ({ seed, dy }, attributes): { x: () => Value } => ({ x: () => dropout({ x: dy, seed }, attributes) }),
});
