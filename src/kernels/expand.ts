import type { Rows, Spec } from '../tensor/spec.ts';
import { broadcastStrides } from './axes.ts';
import { sumTo } from './binary-family.ts';
import { defineOp, expected } from './define.ts';
import type { Operand } from './define.ts';
import { stridedCopy, walkThrough } from './strided-copy.ts';

export interface ExpandAttributes {
  /** The lengths of the result, aligned at the last axis; 1: that of x. */
  readonly shape: readonly number[];
  /** Whose samples the leading axis of the result is made for, where x depends on none: each gets the same. */
  readonly rows?: Rows;
}

function expandedShape(x: Spec, { shape, rows }: ExpandAttributes): number[] {
  const rank = Math.max(x.shape.length, shape.length);
  const lengthAt = (of: readonly number[], axis: number): number => of[axis + of.length - rank] ?? 1;
  const expanded = Array.from({ length: rank }, (_, axis) => {
    const length = lengthAt(shape, axis);
    return length === 1 ? lengthAt(x.shape, axis) : length;
  });
  const fits = expanded.every((length, axis) => [1, length].includes(lengthAt(x.shape, axis)));
  const whole = expanded.every((length) => Number.isInteger(length) && length >= 0);
  const samplesStay = x.rows
    ? (rows ?? x.rows) === x.rows && rank === x.shape.length && expanded[0] === x.shape[0]
    : !rows || (expanded[0]! % rows.max === 0 && lengthAt(x.shape, 0) === 1);
  if (fits && whole && samplesStay) return expanded;
  const ofRows = rows ? `, the leading one for ${rows.max} rows` : '';
  const leading = x.rows ? ', the leading one that of the samples' : ofRows;
  throw expected('expand', `an operand that repeats to [${shape.join(', ')}]${leading}`, x);
}

const walk = (x: Spec, shape: readonly number[]) => {
  const strides = broadcastStrides(x, shape);
  return shape.map((length, axis) => ({ length, strides: [strides[axis]!] }));
};

/**
 * x repeated along the axes in which its length is 1, and along new leading ones; any dtype. Operations that repeat
 * their operands by themselves (`add` and its like) do not need it.
 */
export const expand = defineOp<{ x: Operand }, 'y', ExpandAttributes>({
  name: 'expand',
  half: ['x'],
  infer({ x }, attributes) {
    const shape = expandedShape(x, attributes);
    walkThrough('expand', x, walk(x, shape));
    return { y: { dtype: x.dtype, shape, rows: x.rows ?? attributes.rows } };
  },
  lower: ({ x }, { y }) => [stridedCopy('expand', x, y, walk(x, y.shape))],
  gradient: ({ x, dy }) => ({ x: () => sumTo(dy, x) }),
});
