import { ArgumentError } from '../errors.ts';
import { describe, perSample, sizeOf } from '../tensor/spec.ts';
import type { Dtype, Spec } from '../tensor/spec.ts';
import { expected, linearGrid } from './define.ts';

/** One axis that a kernel walks along: how far, and for each operand the elements from one position to the next. */
export interface Axis {
  readonly length: number;
  readonly strides: readonly number[];
}

/** As kernels are told of the dtype of bits; those of f16 come to them as those of f32. */
export const dtypeCode: Readonly<Record<Dtype, number>> = { f32: 0, f16: 0, i32: 1, u32: 2 };

/** What kernels that take strides have room for. */
export const MAX_RANK = 6;

/** Elements from one position to the next, row-major. */
export const stridesOf = (shape: readonly number[]): number[] => shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));

/**
 * The axis meant, counted from the first.
 * @throws ArgumentError
 */
export function axisOf(op: string, { shape }: Spec, axis: number): number {
  const rank = shape.length;
  if (!Number.isInteger(axis) || axis < -rank || axis >= rank) {
    throw new ArgumentError(`${op}: expected axes from ${-rank} to ${rank - 1}, got ${axis}`);
  }
  return axis < 0 ? axis + rank : axis;
}

/**
 * The same, of an axis whose length may change.
 * @throws ArgumentError also for the axis of the samples: how many there are is known only when a program runs
 */
export function axisBehindSamples(op: string, x: Spec, axis: number): number {
  const at = axisOf(op, x, axis);
  if (at > 0 || !x.rows) return at;
  throw new ArgumentError(`${op}: expected an axis behind that of the samples, got ${axis} of ${describe(x)}`);
}

/** A spec with another length along an axis. */
export const withLength = (spec: Spec, axis: number, length: number): Spec => ({
  ...spec,
  shape: spec.shape.with(axis, length),
});

/**
 * How kernels walk along an axis: the positions before it that one sample owns, the elements from one of these to the
 * next, those from one position along the axis to the next, and the positions that it has.
 */
export function alongAxis({ shape, rows }: Spec, axis: number) {
  const at = axis < 0 ? axis + shape.length : axis;
  return {
    outerPerSample: sizeOf(shape.slice(0, at)) / (rows?.max ?? 1),
    length: sizeOf(shape.slice(at)),
    stride: sizeOf(shape.slice(at + 1)),
    count: shape[at]!,
  };
}

/**
 * The same walk along as few axes as possible, but at least one: an axis of length 1 is left out, and two neighbours
 * that every operand passes through in one even stride become one.
 */
export function mergeAxes(axes: readonly Axis[]): Axis[] {
  const merged: Axis[] = [];
  for (const axis of axes) {
    if (axis.length === 1) continue;
    const outer = merged.at(-1);
    if (outer?.strides.every((stride, operand) => stride === axis.strides[operand]! * axis.length)) {
      merged[merged.length - 1] = { length: outer.length * axis.length, strides: axis.strides };
    } else {
      merged.push(axis);
    }
  }
  return merged.length ? merged : [{ length: 1, strides: axes[0]?.strides.map(() => 0) ?? [] }];
}

/** As kernels take them, in `array<vec4u, 6>`: length and up to three strides each. */
export const axesParam = (axes: readonly Axis[]): number[] =>
  Array.from({ length: MAX_RANK }, (_, index) => {
    const { length, strides } = axes[index] ?? { length: 1, strides: [] };
    return [length, strides[0] ?? 0, strides[1] ?? 0, strides[2] ?? 0];
  }).flat();

/**
 * What shapes give together by numpy's rule: aligned at the last axis, a length of 1 repeated; undefined where they do
 * not fit.
 */
export function broadcastShapes(shapes: readonly (readonly number[])[]): number[] | undefined {
  const rank = Math.max(...shapes.map((shape) => shape.length));
  const lengthsAt = (axis: number): number[] => shapes.map((shape) => shape[axis + shape.length - rank] ?? 1);
  const together = Array.from({ length: rank }, (_, axis) => lengthsAt(axis).find((length) => length !== 1) ?? 1);
  const fits = together.every((length, axis) => lengthsAt(axis).every((own) => [1, length].includes(own)));
  return fits ? together : undefined;
}

/**
 * What operands give together, see `broadcastShapes`. The samples stay on the leading axis, along which an operand that
 * does not depend on them is repeated. `others` take part in the shape, of whatever dtype.
 * @throws ShapeError unless `operands` are all of one of `dtypes`
 */
export function broadcast(
  op: string,
  operands: readonly Spec[],
  dtypes: readonly Dtype[] = ['f32'],
  others: readonly Spec[] = [],
): Spec {
  const all = [...others, ...operands];
  const { dtype } = operands[0]!;
  const rows = all.find((spec) => spec.rows)?.rows;
  const shape = broadcastShapes(all.map((spec) => spec.shape));
  const samplesLead = all.every((spec) => {
    const leads = spec.shape.length === shape?.length;
    if (!spec.rows) return !rows || !leads || spec.shape[0] === 1;
    return spec.rows === rows && leads && spec.shape[0] === shape[0];
  });
  const oneDtype = dtypes.includes(dtype) && operands.every((spec) => spec.dtype === dtype);
  if (!oneDtype || !shape || !samplesLead || shape.length > MAX_RANK) {
    const of = dtypes.length > 1 ? `${dtypes.join(' or ')} operands of one dtype,` : `${dtypes[0]} operands`;
    throw expected(op, `${of} of at most ${MAX_RANK} axes that broadcast, samples first`, ...all);
  }
  return { dtype, shape, rows };
}

/** How an operand is walked through in the shape that it broadcasts to: a stride of 0 along what is repeated. */
export function broadcastStrides(spec: Spec, shape: readonly number[]): number[] {
  const strides = stridesOf(spec.shape);
  const missing = shape.length - spec.shape.length;
  return shape.map((length, axis) => (spec.shape[axis - missing] === length ? strides[axis - missing]! : 0));
}

/** How kernels that import `lib/broadcast` are launched: the walk of operands through the result y. */
export function broadcastWalk(operands: readonly Spec[], y: Spec) {
  const strides = operands.map((operand) => broadcastStrides(operand, y.shape));
  const axes = mergeAxes(y.shape.map((length, axis) => ({ length, strides: strides.map((of) => of[axis]!) })));
  return {
    params: { axes: axesParam(axes), rank: axes.length, sizePerSample: perSample(y) },
    EVEN: axes.length === 1,
    grid: linearGrid(perSample(y), 256),
  };
}
