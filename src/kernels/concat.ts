import { ArgumentError } from '../errors.ts';
import { alongAxis, axisBehindSamples, withLength } from './axes.ts';
import { defineOp, dispatch, expected, linearGrid } from './define.ts';
import type { Op, Operand, Value } from './define.ts';
import { concatKernel } from './generated/concat.ts';
import { slice } from './slice.ts';

export interface ConcatAttributes {
  /** Negative: counted from the last. Not the axis of the samples. */
  readonly axis: number;
}

/** a, b and whatever else is given, in this order. */
type Parts = { readonly a: Operand; readonly b: Operand } & Readonly<Record<string, Operand>>;

/**
 * a, behind it b, and behind it any further inputs, in the order of their names as written, along one axis, of any
 * dtype; their other axes, and their samples, are the same. Each element is copied once.
 */
export const concat: Op<Parts, 'y', ConcatAttributes> = defineOp<Parts, 'y', ConcatAttributes>({
  name: 'concat',
  half: 'all',
  infer(parts, { axis }) {
    const [a, ...others] = Object.values(parts) as [Operand, ...Operand[]];
    const at = axisBehindSamples('concat', a, axis);
    // Objects list numbers first, and results go by the other two.
    const odd = Object.keys(parts).find((name) => /^\d+$|^d?y$/.test(name));
    if (odd !== undefined) throw new ArgumentError(`concat: expected names other than numbers, y and dy, got ${odd}`);
    for (const part of others) {
      const { shape } = part;
      const alike = shape.length === a.shape.length && shape.every((length, i) => i === at || length === a.shape[i]);
      if (alike && part.dtype === a.dtype && part.rows === a.rows) continue;
      throw expected('concat', `a and b of one dtype, of the same samples, and alike but for axis ${at}`, a, part);
    }
    return { y: withLength(a, at, others.reduce((total, { shape }) => total + shape[at]!, a.shape[at]!)) };
  },
  lower(parts, { y }, { axis }) {
    const { outerPerSample, length: yLength } = alongAxis(y, axis);
    const values = Object.values(parts);
    let offset = 0;
    return Array.from({ length: Math.ceil(values.length / 2) }, (_, pair) => {
      const [a, b] = values.slice(2 * pair) as [Value, Value?];
      const aLength = alongAxis(a, axis).length;
      const bLength = b ? alongAxis(b, axis).length : 0;
      const size = outerPerSample * (aLength + bLength);
      const launch = dispatch(concatKernel, {
        // A kernel's bindings are all bound: where there is no second part, it is given one that it does not look at.
        bind: { a, b: b ?? a, y },
        params: { outerPerSample, aLength, bLength, yLength, offset },
        grid: linearGrid(size, 256),
      });
      offset += aLength + bLength;
      return launch;
    });
  },
  gradient(parts, { axis }) {
    const { y: _, dy, ...inputs } = parts;
    let end = 0;
    return Object.fromEntries(
      Object.entries(inputs).map(([name, { shape }]) => {
        const start = end;
        end += shape.at(axis)!;
        return [name, () => slice({ x: dy }, { axis, start, end: start + shape.at(axis)! })];
      }),
    );
  },
});

/** Any number of parts along one axis, at least one, like `concat`. */
export function concatAll(parts: readonly Operand[], attributes: ConcatAttributes): Value {
  const named = Object.fromEntries(parts.map((part, index) => [`part ${index}`, part]));
  return concat(named as Record<string, Operand> as Parts, attributes);
}
