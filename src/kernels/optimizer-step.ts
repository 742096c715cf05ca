import type { Spec } from '../tensor/spec.ts';
import { sizeOf } from '../tensor/spec.ts';
import { expected } from './define.ts';
import type { Operand } from './define.ts';

/**
 * What an optimiser's step takes besides its arenas. The gradients are multiplied by
 * `share min(1, maxNorm / sqrt(squares))` (clipping by the norm, Pascanu, Mikolov & Bengio 2013, "On the difficulty of
 * training recurrent neural networks", algorithm 1); nothing changes where that is 0, or loss or squares not finite.
 */
export interface OptimizerInputs {
  hyper: Operand;
  /** `f32[1]` */
  loss: Operand;
  /** The sum of the squares of the gradients' elements, `f32[1]`; where nothing is clipped anything finite. */
  squares: Operand;
  /** `f32[1]` */
  share: Operand;
}

export interface OptimizerAttributes {
  /** Gradients longer than this are shortened to it; none where left out. */
  readonly maxNorm?: number;
}

/** Greater than the norm of any gradient whose square f32 holds. */
export const NO_LIMIT = 3e38;

/** @throws ShapeError unless the arenas are of one size, a multiple of 4, and the rest as `OptimizerInputs` says */
export function checkStep(
  op: string,
  arenas: Readonly<Record<string, Spec>>,
  { hyper, loss, squares, share }: { readonly [K in keyof OptimizerInputs]: Spec },
  hyperSize: number,
): void {
  const [first = 0, ...others] = Object.values(arenas).map(({ shape }) => sizeOf(shape));
  const fits = first % 4 === 0 && others.every((size) => size === first);
  const scalars = [loss, squares, share].every(({ dtype, shape }) => dtype === 'f32' && sizeOf(shape) === 1);
  if (fits && scalars && sizeOf(hyper.shape) === hyperSize) return;
  const names = Object.keys(arenas).join(', ');
  const what = `${names} of one arena, hyper f32[${hyperSize}], loss, squares and share f32[1]`;
  throw expected(op, what, ...Object.values(arenas), hyper, loss, squares, share);
}
