import type { Rows, Spec } from '../tensor/spec.ts';
import { broadcastShapes, broadcastStrides } from './axes.ts';
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
  const expanded = broadcastShapes([shape, x.shape]);
  const whole = expanded?.every((length) => Number.isInteger(length) && length >= 0);
  const leads = x.shape.length === expanded?.length;
  const samplesStay = x.rows
    ? (rows ?? x.rows) === x.rows && leads && expanded[0] === x.shape[0]
    : !rows || (expanded && expanded[0]! % rows.max === 0 && (!leads || x.shape[0] === 1));
  if (expanded && whole && samplesStay) return expanded;
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
