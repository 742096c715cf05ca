import { expect, test } from 'vitest';
import { ArgumentError } from '../../src/errors.ts';
import type { Kernel, Struct } from '../../src/kernels/kernel.ts';
import { readStruct, writeStruct } from '../../src/kernels/kernel.ts';

interface Mixed {
  readonly scale: number;
  readonly count: number;
  readonly shift: number;
  readonly sizes: readonly [number, number];
}

const Mixed: Struct<Mixed> = {
  name: 'Mixed',
  size: 32,
  fields: [
    { name: 'scale', type: 'f32', offset: 0 },
    { name: 'count', type: 'u32', offset: 4 },
    { name: 'shift', type: 'i32', offset: 8 },
    { name: 'sizes', type: 'u32', offset: 16, length: 2 },
  ],
};
const MIXED: Mixed = { scale: 0.5, count: 2 ** 32 - 1, shift: -7, sizes: [3, 4] };
const view = () => new DataView(new ArrayBuffer(48));

test('a struct is written where the GPU expects it, and read back', () => {
  const into = view();
  writeStruct(Mixed, into, 16, MIXED);
  expect([into.getFloat32(16, true), into.getUint32(20, true), into.getInt32(24, true)]).toEqual([
    0.5,
    2 ** 32 - 1,
    -7,
  ]);
  expect([into.getUint32(32, true), into.getUint32(36, true)]).toEqual([3, 4]);
  expect(readStruct(Mixed, into, 16)).toEqual(MIXED);
});

test('a float may be anything that 32 bits hold', () => {
  for (const scale of [NaN, Infinity, -Infinity, 3.4028234663852886e38, -0]) {
    const into = view();
    writeStruct(Mixed, into, 0, { ...MIXED, scale });
    expect(readStruct(Mixed, into, 0).scale).toBe(scale);
  }
});

test.each<[object, string]>([
  [{ count: undefined }, 'Mixed.count: expected an integer from 0 to 4294967295, got nothing'],
  [{ count: NaN }, 'Mixed.count: expected an integer from 0 to 4294967295, got NaN'],
  [{ count: -1 }, 'Mixed.count: expected an integer from 0 to 4294967295, got -1'],
  [{ count: 2 ** 32 }, 'Mixed.count: expected an integer from 0 to 4294967295, got 4294967296'],
  [{ count: '3' }, 'Mixed.count: expected an integer from 0 to 4294967295, got 3'],
  [{ shift: 0.5 }, 'Mixed.shift: expected an integer from -2147483648 to 2147483647, got 0.5'],
  [{ shift: 2 ** 31 }, 'Mixed.shift: expected an integer from -2147483648 to 2147483647, got 2147483648'],
  [{ scale: 1e39 }, 'Mixed.scale: expected a number of 32-bit float range, got 1e+39'],
  [{ sizes: 3 }, 'Mixed.sizes: expected a list of 2 numbers, got 3'],
  [{ sizes: [1, 2, 3] }, 'Mixed.sizes: expected a list of 2 numbers, got 3 of them'],
  [{ sizes: [1, 2.5] }, 'Mixed.sizes: expected an integer from 0 to 4294967295, got 2.5'],
])('%j is refused by name', (change, message) => {
  expect(() => writeStruct(Mixed, view(), 0, { ...MIXED, ...change } as Mixed)).toThrow(new ArgumentError(message));
});

/** Stands for whatever takes a kernel and what it is launched with; never called, the compiler is what tests it. */
declare function launch<Storage extends string, Params, Overrides>(
  kernel: Kernel<Storage, Params, Overrides>,
  bind: Record<Storage, number>,
  params: Params,
  overrides?: Overrides,
): void;
declare const kernel: Kernel<
  'x' | 'y',
  { readonly cols: number; readonly rows: number },
  { readonly THREADS?: number }
>;
declare const bare: Kernel<'x', undefined, undefined>;

export function mistakesThatDoNotCompile(): void {
  launch(kernel, { x: 0, y: 1 }, { cols: 1, rows: 1 }, { THREADS: 32 });
  launch(bare, { x: 0 }, undefined);
  const any: Kernel[] = [kernel, bare];
  void any;
  // @ts-expect-error a binding is missing
  launch(kernel, { x: 0 }, { cols: 1, rows: 1 });
  // @ts-expect-error a binding is misspelt
  launch(kernel, { x: 0, z: 1 }, { cols: 1, rows: 1 });
  // @ts-expect-error a parameter is missing
  launch(kernel, { x: 0, y: 1 }, { cols: 1 });
  // @ts-expect-error a parameter is misspelt
  launch(kernel, { x: 0, y: 1 }, { cols: 1, row: 1 });
  // @ts-expect-error an override is misspelt
  launch(kernel, { x: 0, y: 1 }, { cols: 1, rows: 1 }, { THREDS: 32 });
  // @ts-expect-error a kernel without parameters is given some
  launch(bare, { x: 0 }, { cols: 1 });
  // @ts-expect-error a kernel without overrides is given one
  launch(bare, { x: 0 }, undefined, { THREADS: 32 });
  // @ts-expect-error a field is missing
  writeStruct(Mixed, view(), 0, { scale: 1, count: 1, shift: 1 });
}
