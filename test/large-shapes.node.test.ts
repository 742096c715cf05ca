import { afterAll, describe, expect, it } from 'vitest';
import { ArgumentError } from '../src/errors.ts';
import { MAX_WORKGROUPS } from '../src/graph/lower.ts';
import { compile } from '../src/graph/program.ts';
import type { Value } from '../src/kernels/define.ts';
import { sum } from '../src/kernels/reduce.ts';
import { transpose } from '../src/kernels/transpose.ts';
import { relu } from '../src/kernels/unary.ts';
import { Tensor } from '../src/tensor/tensor.ts';
import type { TypedArray } from '../src/tensor/spec.ts';
import { openTestDevice } from './open-test-device.ts';

const device = await openTestDevice();

/** As many f32 as one binding holds here, of at most 128 MiB. */
const LIMIT = device.limits.maxStorageBufferBindingSize;
const ROWS = 4096;
const COLUMNS = Math.floor(Math.min(LIMIT, 2 ** 27) / 4 / ROWS);
const COUNT = ROWS * COLUMNS;
/** Elements of a workgroup of the kernels that are used here; grids of so many of them are folded. */
const GROUP = 256;

const valueAt = (index: number): number => (index % 1021) - 510;
const x = Tensor.zeros(device, { dtype: 'f32', shape: [ROWS, COLUMNS] }, 'as large as a binding');
x.write(Float32Array.from({ length: COUNT }, (_, index) => valueAt(index)));
afterAll(() => x.dispose());

async function resultOf(op: (x: Value) => Value): Promise<TypedArray> {
  using program = await compile(device, {}, () => ({ y: op(x as unknown as Value) }));
  return (await program.call({})).y;
}

/** Where the fold of the grid, a workgroup or the end could be missed, and a thousand others. */
const PLACES = [
  0,
  GROUP - 1,
  GROUP,
  MAX_WORKGROUPS * GROUP - 1,
  MAX_WORKGROUPS * GROUP,
  COUNT - 1,
  ...Array.from({ length: 1000 }, (_, index) => Math.floor((index * COUNT) / 1000)),
];

describe('what takes a whole binding', () => {
  it('is more than a grid has along an axis', () => expect(COUNT / GROUP).toBeGreaterThan(MAX_WORKGROUPS));

  it('goes through an element-wise operation', async () => {
    const y = await resultOf((x) => relu({ x }));
    for (const at of PLACES) expect(y[at], `at ${at}`).toBe(Math.max(0, valueAt(at)));
  });

  it('is copied in another order', async () => {
    const y = await resultOf((x) => transpose({ x }));
    for (const at of PLACES) {
      expect(y[(at % COLUMNS) * ROWS + Math.floor(at / COLUMNS)], `at ${at}`).toBe(valueAt(at));
    }
  });

  it('is summed, along an axis and in all', async () => {
    const total = (count: number, first = 0, step = 1): number => {
      let sum = 0;
      for (let index = 0; index < count; index++) sum += valueAt(first + index * step);
      return sum;
    };
    // Whole numbers below 2^24 at every step of the tree: exact in any order.
    expect(await resultOf((x) => sum({ x }))).toEqual(Float32Array.of(total(COUNT)));
    const columns = await resultOf((x) => sum({ x }, { axes: [0] }));
    for (const column of [0, 1, 63, 64, COLUMNS - 1]) expect(columns[column]).toBe(total(ROWS, column, COLUMNS));
    const rows = await resultOf((x) => sum({ x }, { axes: [1] }));
    for (const row of [0, 1, 63, 64, ROWS - 1]) expect(rows[row]).toBe(total(COLUMNS, row * COLUMNS));
  });
});

it('what no binding holds is refused, with sizes', () => {
  const shape = [LIMIT / 4 + 4];
  expect(() => Tensor.zeros(device, { dtype: 'f32', shape }, 'too large')).toThrow(ArgumentError);
  expect(() => Tensor.zeros(device, { dtype: 'f32', shape }, 'too large')).toThrow(
    `too large: needs a buffer of ${LIMIT + 16} bytes, but this adapter binds at most ${LIMIT}; use a smaller batch or ` +
      'split the tensor',
  );
});
