import { ShapeError } from '../errors.ts';
import { describe, sizeOf } from '../tensor/spec.ts';
import { defineOp } from './define.ts';
import type { Operand, Value } from './define.ts';

export interface ReshapeAttributes {
  /** The new shape; one length may be -1 and follows from the others. */
  readonly shape: readonly number[];
}

/** The same elements, in the same order and memory, under another shape. The samples stay on the leading axis. */
export const reshape = defineOp<{ x: Operand }, 'y', ReshapeAttributes>({
  name: 'reshape',
  view: 'unchanged',
  infer({ x }, attributes) {
    const size = sizeOf(x.shape);
    const known = attributes.shape.reduce((product, length) => (length === -1 ? product : product * length), 1);
    const shape = attributes.shape.map((length) => (length === -1 ? size / known : length));
    const whole = shape.every((length) => Number.isInteger(length) && length >= 0);
    if (!whole || sizeOf(shape) !== size || (x.rows && shape[0]! % x.rows.max !== 0)) {
      throw new ShapeError(
        `reshape: ${describe(x)} does not fit [${attributes.shape.join(', ')}]: expected ${size} elements` +
          (x.rows ? ` and a leading length that is a multiple of ${x.rows.max} rows` : ''),
      );
    }
    return { y: { ...x, shape } };
  },
  lower: () => [],
  gradient: ({ x, dy }): { x: () => Value } => ({ x: () => reshape({ x: dy }, { shape: x.shape }) }),
});
