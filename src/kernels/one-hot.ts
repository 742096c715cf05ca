import { ArgumentError } from '../errors.ts';
import { perSample } from '../tensor/spec.ts';
import type { Dtype } from '../tensor/spec.ts';
import { alongAxis } from './axes.ts';
import { bitsOf } from './bits.ts';
import { defineOp, dispatch, expected, linearGrid, none } from './define.ts';
import type { Operand } from './define.ts';
import { oneHotKernel } from './generated/one-hot.ts';

export interface OneHotAttributes {
  /** The length of the new axis. */
  readonly depth: number;
  /** Where the new axis stands in the result; behind all others where left out. */
  readonly axis?: number;
  /** 1 and 0 where left out. */
  readonly on?: number;
  readonly off?: number;
  /** Of the result; f32 where left out. */
  readonly dtype?: Dtype;
}

/** The new axis, counted from the first. */
function newAxis({ shape }: { readonly shape: readonly number[] }, { axis = -1 }: OneHotAttributes): number {
  const rank = shape.length + 1;
  if (Number.isInteger(axis) && axis >= -rank && axis < rank) return axis < 0 ? axis + rank : axis;
  throw new ArgumentError(`one-hot: expected an axis from ${-rank} to ${rank - 1}, got ${axis}`);
}

/**
 * A new axis of length `depth` with `on` at the position that the index means, and `off` in the others. indices: u32 or
 * i32, any shape; negative ones count from the end, and one out of range is off everywhere.
 */
export const oneHot = defineOp<{ indices: Operand }, 'y', OneHotAttributes>({
  name: 'one-hot',
  infer({ indices }, attributes) {
    const { depth, on = 1, off = 0, dtype = 'f32' } = attributes;
    const at = newAxis(indices, attributes);
    if (indices.dtype === 'f32' || (indices.rows && at === 0)) {
      throw expected('one-hot', 'indices u32 or i32, and a new axis behind that of their samples', indices);
    }
    if (!Number.isInteger(depth) || depth < 1) {
      throw new ArgumentError(`one-hot: expected a depth of 1 or more, got ${depth}`);
    }
    for (const value of [on, off]) bitsOf('one-hot', dtype, value);
    return { y: { dtype, shape: indices.shape.toSpliced(at, 0, depth), rows: indices.rows } };
  },
  lower({ indices }, { y }, attributes) {
    const { depth, on = 1, off = 0 } = attributes;
    const bits = { on: bitsOf('one-hot', y.dtype, on), off: bitsOf('one-hot', y.dtype, off) };
    const { stride: behind } = alongAxis(y, newAxis(indices, attributes));
    return [
      dispatch(oneHotKernel, {
        bind: { indices, y },
        params: { sizePerSample: perSample(y), depth, behind, isSigned: Number(indices.dtype === 'i32'), ...bits },
        grid: linearGrid(perSample(y), 256),
      }),
    ];
  },
  gradient: none('the indices are whole numbers'),
});
