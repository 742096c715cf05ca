import { defineOp } from './define.ts';
import type { Operand, Value } from './define.ts';
import { scale } from './unary.ts';

/**
 * `x` itself, in the same memory, whose gradient is multiplied by `by` on its way back: what a head sends into the
 * trunk weighs more or less than what the head learns itself. With `by: 0` nothing is sent, see `stopGradient`.
 */
export const gradientScale = defineOp<{ x: Operand }, 'y', { by: number }>({
  name: 'gradient-scale',
  view: 'unchanged',
  infer: ({ x }) => ({ y: x }),
  lower: () => [],
  gradient: ({ dy }, { by }) => ({ x: () => (by === 0 ? undefined : by === 1 ? dy : scale({ x: dy }, { by })) }),
});

/** `x` as if it were a constant: what led to it gets no gradient from here, and none is computed. */
export const stopGradient = (x: Operand): Value => gradientScale({ x }, { by: 0 });
