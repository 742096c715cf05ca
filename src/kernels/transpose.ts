import { ArgumentError } from '../errors.ts';
import { describe } from '../tensor/spec.ts';
import type { Spec } from '../tensor/spec.ts';
import { axisOf, stridesOf } from './axes.ts';
import { defineOp } from './define.ts';
import type { Op, Operand } from './define.ts';
import { stridedCopy, walkThrough } from './strided-copy.ts';

export interface TransposeAttributes {
  /** For each axis of the result, which one of x it is; negative: counted from the last. Reversed where left out. */
  readonly permutation?: readonly number[];
}

function orderOf(x: Spec, { permutation }: TransposeAttributes): number[] {
  const axes = [...x.shape.keys()];
  const order = permutation ? permutation.map((axis) => axisOf('transpose', x, axis)) : axes.toReversed();
  const given = `got [${order.join(', ')}] for ${describe(x)}`;
  if (new Set(order).size !== axes.length || order.length !== axes.length) {
    throw new ArgumentError(`transpose: expected each of ${axes.length} axes once, ${given}`);
  }
  if (x.rows && order[0] !== 0) {
    throw new ArgumentError(`transpose: expected a permutation that begins with 0, the axis of the samples, ${given}`);
  }
  return order;
}

const walk = (x: Spec, order: readonly number[]) => {
  const strides = stridesOf(x.shape);
  return order.map((axis) => ({ length: x.shape[axis]!, strides: [strides[axis]!] }));
};

/**
 * x with its axes in another order: `y[..., i, ...]` has axis `permutation[k]` of x as its axis k. x: any dtype, of up
 * to 6 axes, not counting those that stay side by side. The samples stay on the leading axis.
 * @throws ArgumentError unless the permutation has each axis once
 */
export const transpose: Op<{ x: Operand }, 'y', TransposeAttributes> = defineOp({
  name: 'transpose',
  half: ['x'],
  infer({ x }, attributes) {
    const order = orderOf(x, attributes);
    walkThrough('transpose', x, walk(x, order));
    return { y: { dtype: x.dtype, shape: order.map((axis) => x.shape[axis]!), rows: x.rows } };
  },
  lower: ({ x }, { y }, attributes) => [stridedCopy('transpose', x, y, walk(x, orderOf(x, attributes)))],
  gradient: ({ x, dy }, attributes) => ({
    x() {
      const order = orderOf(x, attributes);
      return transpose({ x: dy }, { permutation: order.map((_, axis) => order.indexOf(axis)) });
    },
  }),
});
