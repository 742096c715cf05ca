import type { Rows, Spec } from '../tensor/spec.ts';
import { broadcastStrides } from './axes.ts';
import { defineOp, expected } from './define.ts';
import type { Operand, Value } from './define.ts';
import { sum } from './reduce.ts';
import { reshape } from './reshape.ts';
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
  infer({ x }, attributes) {
    const shape = expandedShape(x, attributes);
    walkThrough('expand', x, walk(x, shape));
    return { y: { dtype: x.dtype, shape, rows: x.rows ?? attributes.rows } };
  },
  lower: ({ x }, { y }) => [stridedCopy('expand', x, y, walk(x, y.shape))],
  gradient: ({ x, dy }) => ({ x: () => sumOfRepeats(dy, x) }),
});

/** What `like` was repeated to, added up. Neighbouring axes are taken together, since sums take few of them. */
function sumOfRepeats(dy: Value, like: Spec): Value {
  const missing = dy.shape.length - like.shape.length;
  const groups: { length: number; repeated: boolean }[] = [];
  for (const [axis, length] of dy.shape.entries()) {
    const ofSamples = axis === 0 && dy.rows;
    if (length === 1 && !ofSamples) continue;
    const repeated = ofSamples ? !like.rows : (like.shape[axis - missing] ?? 1) !== length;
    const last = groups.at(-1);
    if (last?.repeated === repeated) last.length *= length;
    else groups.push({ length, repeated });
  }
  const x = reshape({ x: dy }, { shape: groups.map(({ length }) => length) });
  const axes = [...groups.keys()].filter((group) => groups[group]!.repeated);
  return reshape({ x: axes.length ? sum({ x }, { axes }) : x }, { shape: like.shape });
}
