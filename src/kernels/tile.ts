import { ArgumentError } from '../errors.ts';
import { describe } from '../tensor/spec.ts';
import type { Operand, Value } from './define.ts';
import { expand } from './expand.ts';
import { reshape } from './reshape.ts';

export interface TileAttributes {
  /** How often x stands along each of its axes; 1 for the samples. */
  readonly repeats: readonly number[];
}

/**
 * x put side by side with itself along its axes; any dtype. In one launch, `expand`, whose axes are limited: each axis
 * that is repeated and longer than 1 counts twice.
 * @throws ArgumentError unless `repeats` has a whole number for each axis
 */
export function tile({ x }: { readonly x: Operand }, { repeats }: TileAttributes): Value {
  const whole = repeats.every((count) => Number.isInteger(count) && count >= 0);
  if (!whole || repeats.length !== x.shape.length || (x.rows && repeats[0] !== 1)) {
    const wanted = `${x.shape.length} whole numbers${x.rows ? ', the first of them 1 for the samples' : ''}`;
    throw new ArgumentError(`tile: expected repeats of ${wanted}, got [${repeats.join(', ')}] for ${describe(x)}`);
  }
  // An axis of its own for each repetition: [2, 3] three and once is [1, 2, 3] expanded to [3, 2, 3].
  const split = x.shape.flatMap((length, axis) => (repeats[axis] === 1 ? [length] : [1, length]));
  const repeated = x.shape.flatMap((length, axis) => (repeats[axis] === 1 ? [length] : [repeats[axis]!, length]));
  const shape = x.shape.map((length, axis) => length * repeats[axis]!);
  return reshape({ x: expand({ x: reshape({ x }, { shape: split }) }, { shape: repeated }) }, { shape });
}
