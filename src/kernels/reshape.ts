import { ArgumentError, ShapeError } from '../errors.ts';
import { describe, sizeOf } from '../tensor/spec.ts';
import { axisOf } from './axes.ts';
import { defineOp } from './define.ts';
import type { Operand, Value } from './define.ts';

export interface ReshapeAttributes {
  /** The new shape; one length may be -1 and follows from the others. */
  readonly shape: readonly number[];
}

/** The same elements, in the same order and memory, under another shape. The samples stay on the leading axis. */
export const reshape = defineOp<{ x: Operand }, 'y', ReshapeAttributes>({
  name: 'reshape',
  half: ['x'],
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

interface AxesAttributes {
  /** Negative: counted from the last. */
  readonly axes: readonly number[];
}

/**
 * x without those of its axes whose length is 1; without all of that length where `axes` is left out. The axis of the
 * samples stays.
 * @throws ArgumentError for an axis of another length
 */
export function squeeze({ x }: { readonly x: Operand }, attributes: Partial<AxesAttributes> = {}): Value {
  const free = [...x.shape.keys()].filter((axis) => x.shape[axis] === 1 && (axis > 0 || !x.rows));
  const dropped = attributes.axes?.map((axis) => axisOf('squeeze', x, axis)) ?? free;
  const other = dropped.find((axis) => !free.includes(axis));
  if (other !== undefined) {
    throw new ArgumentError(`squeeze: expected axes of length 1, not the samples, got ${other} of ${describe(x)}`);
  }
  return reshape({ x }, { shape: x.shape.filter((_, axis) => !dropped.includes(axis)) });
}

/**
 * x with new axes of length 1, which `axes` says where they stand in the result. The axis of the samples stays in
 * front.
 * @throws ArgumentError
 */
export function unsqueeze({ x }: { readonly x: Operand }, { axes }: AxesAttributes): Value {
  const shape = new Array<number | undefined>(x.shape.length + axes.length).fill(undefined);
  const made = { ...x, shape: shape as number[] };
  const places = new Set(axes.map((axis) => axisOf('unsqueeze', made, axis)));
  if (places.size !== axes.length || (x.rows && places.has(0))) {
    const wanted = `different axes${x.rows ? ' behind that of the samples' : ''}`;
    throw new ArgumentError(`unsqueeze: expected ${wanted}, got [${axes.join(', ')}] for ${describe(x)}`);
  }
  const rest = x.shape.values();
  return reshape({ x }, { shape: shape.map((_, axis) => (places.has(axis) ? 1 : rest.next().value!)) });
}

/**
 * x as a matrix: the axes before `axis`, 1 where left out, make one, those from it on the other.
 * @throws ArgumentError
 */
export function flatten({ x }: { readonly x: Operand }, { axis = 1 }: { readonly axis?: number } = {}): Value {
  const rank = x.shape.length;
  const at = axis === rank ? rank : axisOf('flatten', x, axis);
  if (at === 0 && x.rows) {
    throw new ArgumentError(`flatten: expected an axis behind that of the samples, got ${axis} of ${describe(x)}`);
  }
  return reshape({ x }, { shape: [sizeOf(x.shape.slice(0, at)), sizeOf(x.shape.slice(at))] });
}
