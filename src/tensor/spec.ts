import { ArgumentError } from '../errors.ts';

/** Element types that live in GPU memory; all are four bytes wide. */
export type Dtype = 'f32' | 'i32' | 'u32';

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

/** Bytes to allocate: whole 16-byte words, since kernels may read vec4 and WebGPU refuses empty bindings. */
export const byteLengthOf = (spec: Spec): number => Math.max(16, Math.ceil(sizeOf(spec.shape) / 4) * 16);

/** `f32[rows, 10]`, for messages. */
export function describe(spec: Spec): string {
  const lengths = spec.shape.map((length, axis) => {
    if (axis > 0 || !spec.rows) return String(length);
    const factor = leadPerSample(spec);
    return factor === 1 ? spec.rows.label : `${spec.rows.label} * ${factor}`;
  });
  return `${spec.dtype}[${lengths.join(', ')}]`;
}

export function typedArray(dtype: Dtype, source: number | ArrayBuffer | ArrayLike<number>): TypedArray {
  const Array = dtype === 'f32' ? Float32Array : dtype === 'u32' ? Uint32Array : Int32Array;
  return new Array(source as ArrayLike<number>);
}
