import { ArgumentError, GpuError } from '../errors.ts';

declare const typed: unique symbol;

/** One buffer of elements that a kernel reads, or reads and writes. */
export interface StorageBinding<Name extends string = string> {
  readonly name: Name;
  readonly binding: number;
  readonly access: 'read' | 'read_write';
  /** `f32`, `u32`, `i32`, `f16` (of vectors: that of their components; of atomics: that inside), or a struct's name. */
  readonly element: string;
  /** Bytes from one element to the next; a buffer bound here holds a multiple of it. */
  readonly size: number;
}

/** A field of a struct that host and GPU share: one number, or `length` of them side by side (a vector or an array). */
export interface StructField {
  readonly name: string;
  readonly type: 'f32' | 'u32' | 'i32';
  /** In bytes, from the start of the struct. */
  readonly offset: number;
  readonly length?: number;
}

/** Numbers of one type side by side. */
/* @__NO_SIDE_EFFECTS__ */
export const scalars = (type: StructField['type'], offset: number, names: string): StructField[] =>
  names.split(' ').map((name, index) => ({ name, type, offset: offset + 4 * index }));

/** The layout of a WGSL struct whose values are `T` in TypeScript. */
export interface Struct<T = any> {
  readonly name: string;
  /** In bytes. */
  readonly size: number;
  readonly fields: readonly StructField[];
  /** Never there: a function of `T` to `T`, so that no other `T` passes for this one. */
  readonly [typed]?: (value: T) => T;
}

type Loadable<T> = T | (() => Promise<T>);
type Lines = Readonly<Record<number, string>>;

/**
 * A compute kernel as scripts/kernels.mjs reflects it from its .wgsl file: entry point `main`, everything in group 0.
 * `Storage`: names of its storage bindings. `Params`: value of its uniform `params`, `undefined` if it has none.
 * `Overrides`: its pipeline constants, all with defaults, `undefined` if it has none.
 */
export interface Kernel<Storage extends string = string, Params = any, Overrides = any> {
  readonly name: string;
  /** The text, or what loads it: a page fetches that of the kernels that it launches. */
  readonly code: Loadable<string>;
  readonly storage: readonly StorageBinding<Storage>[];
  readonly params?: { readonly binding: number; readonly struct: Struct<Params> };
  /** The uniform that bounds the live rows. */
  readonly live?: { readonly binding: number };
  /** With every override at its default. */
  readonly workgroupSize: readonly [x: number, y: number, z: number];
  /** WebGPU features that the code enables. */
  readonly features: readonly ('shader-f16' | 'subgroups')[];
  /** Where there is a form of the kernel for values in f16: what it binds as such, and its lines that are others. */
  readonly f16?: { readonly bindings: readonly string[]; readonly lines: Loadable<Lines> };
  readonly [typed]?: (params: Params, overrides: Overrides) => [Params, Overrides];
}

/** @throws GpuError if it cannot be loaded */
export const codeOf = (kernel: Kernel): Promise<string> => loaded(kernel, kernel.code);

async function loaded<T extends string | Lines>({ name }: Kernel, value: Loadable<T>): Promise<T> {
  if (typeof value !== 'function') return value;
  try {
    return await value();
  } catch (cause) {
    throw new GpuError(`kernel ${name}: its text could not be loaded, which is a file beside the library`, { cause });
  }
}

const halves = new WeakMap<Kernel, Kernel>();

/** The form of a kernel for values in f16: it computes in f32, and what it reads and writes takes half the memory. */
export function inHalf(kernel: Kernel): Kernel | undefined {
  const { f16, storage, features } = kernel;
  if (!f16) return undefined;
  let half = halves.get(kernel);
  if (!half) {
    half = {
      ...kernel,
      name: `${kernel.name}-f16`,
      code: async () => {
        const lines = await loaded(kernel, f16.lines);
        return (await codeOf(kernel)).split('\n').map((line, index) => lines[index] ?? line).join('\n');
      },
      storage: storage.map((binding) =>
        f16.bindings.includes(binding.name) ? { ...binding, element: 'f16', size: binding.size / 2 } : binding),
      features: ['shader-f16', ...features],
    };
    halves.set(kernel, half);
  }
  return half;
}

const MAX_F32 = 3.4028234663852886e38;

const types = {
  f32: {
    what: 'a number of 32-bit float range',
    holds: (value: number) => !Number.isFinite(value) || Math.abs(value) <= MAX_F32,
    get: (view: DataView, at: number) => view.getFloat32(at, true),
    set: (view: DataView, at: number, value: number) => view.setFloat32(at, value, true),
  },
  u32: {
    what: 'an integer from 0 to 4294967295',
    holds: (value: number) => value >>> 0 === value,
    get: (view: DataView, at: number) => view.getUint32(at, true),
    set: (view: DataView, at: number, value: number) => view.setUint32(at, value, true),
  },
  i32: {
    what: 'an integer from -2147483648 to 2147483647',
    holds: (value: number) => (value | 0) === value,
    get: (view: DataView, at: number) => view.getInt32(at, true),
    set: (view: DataView, at: number, value: number) => view.setInt32(at, value, true),
  },
};

/**
 * Writes `value` in the layout that the GPU expects, from `offset` bytes on.
 * @throws ArgumentError naming the field that is missing, of the wrong length, or not of its type's range
 */
export function writeStruct<T>(struct: Struct<T>, view: DataView, offset: number, value: NoInfer<T>): void {
  for (const field of struct.fields) {
    const { what, holds, set } = types[field.type];
    const given = (value as Readonly<Record<string, unknown>>)[field.name];
    const numbers: readonly unknown[] = field.length === undefined ? [given] : Array.isArray(given) ? given : [];
    if (numbers.length !== (field.length ?? 1)) {
      throw new ArgumentError(
        `${struct.name}.${field.name}: expected a list of ${field.length} numbers, got ${show(given)}`,
      );
    }
    numbers.forEach((number, index) => {
      if (typeof number !== 'number' || !holds(number)) {
        throw new ArgumentError(`${struct.name}.${field.name}: expected ${what}, got ${show(number)}`);
      }
      set(view, offset + field.offset + index * 4, number);
    });
  }
}

/** Reads back what `writeStruct` writes, or what a kernel wrote. */
export function readStruct<T>(struct: Struct<T>, view: DataView, offset: number): T {
  const entries = struct.fields.map((field) => {
    const { get } = types[field.type];
    const start = offset + field.offset;
    if (field.length === undefined) return [field.name, get(view, start)];
    return [field.name, Array.from({ length: field.length }, (_, index) => get(view, start + index * 4))];
  });
  return Object.fromEntries(entries) as T;
}

function show(value: unknown): string {
  if (Array.isArray(value)) return `${value.length} of them`;
  return value === undefined ? 'nothing' : String(value);
}
