import { ArgumentError } from '../errors.ts';
import { typedArray } from '../tensor/spec.ts';
import type { Dtype, TypedArray } from '../tensor/spec.ts';
import { constant } from './define.ts';
import type { Value } from './define.ts';

export interface RangeAttributes {
  /** 0 where left out. */
  readonly start?: number;
  /** Not reached. */
  readonly end: number;
  /** Not 0; 1 where left out. */
  readonly step?: number;
  /** i32 where left out. */
  readonly dtype?: Dtype;
}

/** The numbers of `range`. @throws ArgumentError as it does */
export function rangeNumbers({ start = 0, end, step = 1, dtype = 'i32' }: RangeAttributes): TypedArray {
  const count = Math.max(0, Math.ceil((end - start) / step));
  const values = Number.isFinite(count) ? Array.from({ length: count }, (_, index) => start + index * step) : [];
  const data = typedArray(dtype, values);
  const held = dtype === 'f32' || values.every((value, index) => data[index] === value);
  if (!Number.isFinite(count) || !Number.isFinite(step) || step === 0 || !held) {
    const got = `start ${start}, end ${end}, step ${step}`;
    throw new ArgumentError(`range: expected numbers that ${dtype} holds, an end and a step other than 0, got ${got}`);
  }
  return data;
}

/**
 * `start, start + step, ...` as far as before `end`: a constant of one axis, made while tracing; none where `end` lies
 * the other way. Each is computed from its place, not from the one before, and rounded once.
 * @throws ArgumentError where the range has no end, or is not of numbers that the dtype holds
 */
export function range(attributes: RangeAttributes): Value {
  const data = rangeNumbers(attributes);
  return constant({ dtype: attributes.dtype ?? 'i32', shape: [data.length] }, data);
}
