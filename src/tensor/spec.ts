import { ArgumentError } from '../errors.ts';
import { halfOf, numberOf } from './half.ts';

/**
 * Element types that live in GPU memory. f16 is a way to keep numbers, on devices with `shader-f16`: kernels compute in
 * f32, and on the host it is a Float32Array too.
 */
export type Dtype = Dtype32 | 'f16';

export type Dtype32 = 'f32' | 'i32' | 'u32';

export const isFloat = ({ dtype }: { readonly dtype: Dtype }): boolean => dtype === 'f32' || dtype === 'f16';

export type TypedArray = Float32Array | Int32Array | Uint32Array;

/** A number of samples that is known only when a program runs; compiled for a maximum. Compared by identity. */
export class Rows {
  readonly max: number;
  readonly label: string;
  /** @throws ArgumentError unless `max` is a whole number of at least 1 */
  constructor(max: number, label = 'rows') {
    if (!Number.isInteger(max) || max < 1) throw new ArgumentError(`Rows: expected a maximum of 1 or more, got ${max}`);
    this.max = max;
    this.label = label;
  }
}

/**
 * What is known of a value before it exists. If it depends on samples, `rows` says whose: the leading dimension is then
 * `rows.max` times a fixed factor (`[B * T, C]` has factor T), and only the part of the live samples holds data.
 */
export interface Spec {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly rows?: Rows;
}

export const sizeOf = (shape: readonly number[]): number => shape.reduce((product, length) => product * length, 1);

/**
 * Elements that one sample owns; all of them where the value does not depend on samples (it is one row, always live).
 */
export const perSample = (spec: Spec): number => sizeOf(spec.shape) / (spec.rows?.max ?? 1);

/** Entries of the leading dimension that one sample owns: 1 for `[B, C]`, T for `[B * T, C]`. */
export const leadPerSample = (spec: Spec): number => (spec.shape[0] ?? 1) / (spec.rows?.max ?? 1);

export const bytesPer = (dtype: Dtype): number => (dtype === 'f16' ? 2 : 4);

/** Bytes of so many elements, in whole words, since WebGPU copies no less. */
export const bytesOf = (dtype: Dtype, count: number): number => Math.ceil((count * bytesPer(dtype)) / 4) * 4;

/** Bytes to allocate: whole 16-byte words, since kernels may read vec4 and WebGPU refuses empty bindings. */
export const byteLengthOf = (spec: Spec): number =>
  Math.max(16, Math.ceil(bytesOf(spec.dtype, sizeOf(spec.shape)) / 16) * 16);

/** `f32[rows, 10]`, for messages. */
export function describe(spec: Spec): string {
  const lengths = spec.shape.map((length, axis) => {
    if (axis > 0 || !spec.rows) return String(length);
    const factor = leadPerSample(spec);
    return factor === 1 ? spec.rows.label : `${spec.rows.label} * ${factor}`;
  });
  return `${spec.dtype}[${lengths.join(', ')}]`;
}

const arrayOf = (dtype: Dtype) => (dtype === 'u32' ? Uint32Array : dtype === 'i32' ? Int32Array : Float32Array);

/** The numbers of a dtype as the host keeps them. */
export function typedArray(dtype: Dtype, source: number | ArrayLike<number>): TypedArray {
  return new (arrayOf(dtype))(source as ArrayLike<number>);
}

/** `count` elements as the GPU keeps them. */
export function decode(dtype: Dtype, bytes: ArrayBuffer, count: number): TypedArray {
  if (dtype === 'f16') return Float32Array.from(new Uint16Array(bytes, 0, count), numberOf);
  return new (arrayOf(dtype))(bytes, 0, count);
}

/** Elements as the GPU keeps them, in whole words. */
export function encode(dtype: Dtype, data: TypedArray): TypedArray | Uint16Array {
  if (dtype !== 'f16') return data;
  const halves = new Uint16Array(bytesOf(dtype, data.length) / 2);
  data.forEach((value, index) => (halves[index] = halfOf(value)));
  return halves;
}
