import { sizeOf } from '../tensor/spec.ts';
import { axisOf } from './axes.ts';
import { defineOp, expected } from './define.ts';
import type { Op, Operand } from './define.ts';
import { elementsShape, gather, gatheredShape, gatherElements } from './gather.ts';
import { addInto } from './scatter-grad.ts';
import { stridedCopy } from './strided-copy.ts';

export interface ScatterAddAttributes {
  /** Along which axis of x; negative: counted from the last. */
  readonly axis: number;
}

type Operands = { x: Operand; indices: Operand; updates: Operand };

/** One member of the family; `each`: an index for each element of the updates. */
const scatter = (name: string, each: boolean): Op<Operands, 'y', ScatterAddAttributes> =>
  defineOp<Operands, 'y', ScatterAddAttributes>({
    name,
    infer({ x, indices, updates }, { axis }) {
      const { shape, rows } = (each ? elementsShape : gatheredShape)(name, x, indices, axis);
      const alike = updates.shape.length === shape.length && updates.shape.every((length, i) => length === shape[i]);
      if (!alike || updates.dtype !== x.dtype || updates.rows !== rows) {
        throw expected(name, `updates ${x.dtype}[${shape.join(', ')}] of the samples of x or indices`, updates);
      }
      return { y: { dtype: x.dtype, shape: x.shape, rows: x.rows } };
    },
    lower: ({ x, ...given }, { y }, { axis }, context) => [
      stridedCopy(name, x, y, [{ length: sizeOf(y.shape), strides: [1] }]),
      ...addInto(y, given, { axis: axisOf(name, x, axis), each }, context),
    ],
    gradient: ({ indices, dy }, { axis }) => ({
      x: () => dy,
      updates: () => (each ? gatherElements : gather)({ x: dy, indices }, { axis, fill: 0 }),
    }),
  });

/**
 * x with each of the updates added where its index says: for all j, in ascending order, `y[..., indices[j], ...] +=
 * updates[..., j, ...]`, where j stands for all axes of indices. x: f32, i32 or u32; indices: u32 or i32, negative ones
 * count from the end; updates: what `gather` of x would give. An update whose index is out of range is dropped. Where
 * only indices and updates have samples, the live ones are added up. The same inputs give the same bits. It takes up to
 * `indices^2` comparisons, and as many additions one after the other as there are equal indices.
 */
export const scatterAdd = scatter('scatter-add', false);

/** The same with an index for each element of the updates, as in `gatherElements`. */
export const scatterAddElements = scatter('scatter-add-elements', true);
