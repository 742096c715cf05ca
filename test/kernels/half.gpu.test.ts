import { describe, expect, it } from 'vitest';
import { gradients } from '../../src/autograd/backward.ts';
import { NoGradientError, ShapeError } from '../../src/errors.ts';
import { compile } from '../../src/graph/program.ts';
import { cast } from '../../src/kernels/convert.ts';
import type { AnyOp, Operand, Value } from '../../src/kernels/define.ts';
import { add } from '../../src/kernels/binary.ts';
import { matmul } from '../../src/kernels/matmul.ts';
import { oneHot } from '../../src/kernels/one-hot.ts';
import { sum } from '../../src/kernels/reduce.ts';
import * as registry from '../../src/kernels/registry.ts';
import { softmax } from '../../src/kernels/softmax.ts';
import { halfOf, numberOf } from '../../src/tensor/half.ts';
import { Rows } from '../../src/tensor/spec.ts';
import { Tensor } from '../../src/tensor/tensor.ts';
import { openTestDevice } from '../open-test-device.ts';
import { table } from '../op-rows.ts';
import { checkValue } from '../op-table.ts';
import type { Host, OpCase, OpRow } from '../op-table.ts';

const device = await openTestDevice();

const rounded = (value: number): number => numberOf(halfOf(value));
const inHalf = (each: Host): Host => ({ ...each, data: each.data.map(rounded) });

/** Last places of f32 in one of f16. */
const LAST_PLACE = 2 ** 13;
/** Keep weights where the results will be, and so round twice. */
const TWICE = ['softmax'];

type Callable = (inputs: Record<string, Operand>, attributes?: object) => Value | Record<string, Value>;

/** The operations that take f16, each as one of f32 around it. */
const taking = Object.entries(registry as unknown as Record<string, AnyOp & Callable>)
  .flatMap(([name, op]) => {
    const row = (table as Record<string, OpRow | object>)[name];
    return op.half && row && 'cases' in row ? [{ name, op, half: op.half, row }] : [];
  })
  .map(({ name, op, half, row }) => {
    const takes = (key: string): boolean => half === 'all' || half.includes(key);
    const each = (values: object, change: (value: never, key: string) => unknown): Record<string, never> =>
      Object.fromEntries(Object.entries(values).map(([key, value]) => [key, change(value as never, key)])) as never;
    // The way in and out is all that is new here: a fifth will do.
    const cases = row.cases
      .filter(({ inputs }) => Object.entries(inputs).every(([key, { dtype, data }]) =>
        data.length < 100_000 && (!takes(key) || dtype === 'f32')))
      .filter((_, index) => index % 5 === 0);
    return {
      name,
      cases,
      op(inputs: Record<string, Operand>, attributes?: object): Record<string, Value> {
        const given = each(inputs, (x: Operand, key) => (takes(key) ? cast({ x }, { to: 'f16' }) : x));
        const result = op(given, attributes);
        return each('kind' in result ? { y: result } : result, (x: Value) =>
          x.dtype === 'f16' ? cast({ x }, { to: 'f32' }) : x);
      },
      row: {
        ...row,
        reference(inputs: Readonly<Record<string, Host>>, attributes: object) {
          const result = row.reference(each(inputs, (x: Host, key) => (takes(key) ? inHalf(x) : x)), attributes);
          return each('data' in result ? { y: result } : result, (y: Host) => (y.dtype === 'f32' ? inHalf(y) : y));
        },
        // What moves, moves exactly.
        ulps: (opCase: OpCase) => row.ulps(opCase) && row.ulps(opCase) + LAST_PLACE * (TWICE.includes(name) ? 2 : 1),
      },
    };
  });

describe.skipIf(!device.features.has('shader-f16'))('f16', () => {
  it.each(taking)('$name is right to the last place', async ({ op, row, cases }) => {
    for (const opCase of cases) await checkValue(device, op, row, opCase);
    expect(cases.length).toBeGreaterThan(0);
  });

  const x = { dtype: 'f32', shape: [2, 3] } as const;
  const toHalf = (value: Operand): Value => cast({ x: value }, { to: 'f16' });
  const data = Float32Array.of(1, 2.0009765625, -65519, 65520, 1e-8, NaN);
  const inF16 = [1, 2, -65504, Infinity, 0, NaN];

  it('is what tensors and inputs hold, rounded, and half as large', async () => {
    using tensor = Tensor.zeros(device, { dtype: 'f16', shape: [3, 7] });
    const values = Float32Array.from({ length: 21 }, (_, index) => index / 3);
    tensor.write(values);
    expect(await tensor.read()).toEqual(values.map(rounded));
    expect(tensor.byteLength).toBe(48);
    const spec = { dtype: 'f16', shape: [2, 3] } as const;
    using program = await compile(device, { x: spec }, ({ x }) => ({ x: x!, wide: cast({ x: x! }, { to: 'f32' }) }));
    expect(await program.call({ x: data })).toEqual({ x: Float32Array.from(inF16), wide: Float32Array.from(inF16) });
  });

  it('is read as far as samples live', async () => {
    const spec = { dtype: 'f16', shape: [4, 3], rows: new Rows(4) } as const;
    using program = await compile(device, { x: spec }, ({ x }) => ({ y: add({ a: x!, b: x! }) }));
    expect((await program.call({ x: Float32Array.of(1, 2, 3) })).y).toEqual(Float32Array.of(2, 4, 6));
  });

  it('comes from and goes to every dtype', async () => {
    using program = await compile(device, { x }, ({ x }) => ({
      i32: cast({ x: cast({ x: x! }, { to: 'f16' }) }, { to: 'i32' }),
      bool: cast({ x: toHalf(x!) }, { to: 'bool' }),
      back: cast({ x: cast({ x: cast({ x: toHalf(x!) }, { to: 'u32' }) }, { to: 'f16' }) }, { to: 'f32' }),
      same: cast({ x: toHalf(x!) }, { to: 'f16' }),
    }));
    const results = await program.call({ x: data });
    expect(results.i32).toEqual(Int32Array.of(1, 2, -65504, 2 ** 31 - 1, 0, 0));
    expect(results.bool).toEqual(Uint32Array.of(1, 1, 1, 1, 0, 1));
    expect(results.back).toEqual(Float32Array.of(1, 2, 0, Infinity, 0, 0));
    expect(results.same).toEqual(Float32Array.from(inF16));
  });

  it('adds up in f32', async () => {
    const ones = { dtype: 'f32', shape: [1, 4097] } as const;
    using program = await compile(device, { ones }, ({ ones }) => {
      const half = toHalf(ones!);
      return { sum: sum({ x: half }), product: matmul({ a: half, b: half }, { transposeB: true }) };
    });
    const results = await program.call({ ones: new Float32Array(4097).fill(1 / 4) });
    // In f16 it would stop at 512, from where on steps are of 1/2.
    expect(results.sum).toEqual(Float32Array.of(1024));
    expect(results.product).toEqual(Float32Array.of(rounded(4097 / 16)));
  });

  it('is refused beside f32, and for training', async () => {
    const mixed = compile(device, { x }, ({ x }) => ({ y: add({ a: x!, b: toHalf(x!) }) }));
    await expect(mixed).rejects.toThrow(ShapeError);
    await expect(mixed).rejects.toThrow(
      'add: expected f16 as all of a, b, activated, or as none, got f32[2, 3] and f16[2, 3]',
    );
    const none = compile(device, { x }, ({ x }) => ({ y: oneHot({ indices: toHalf(x!) }, { depth: 3 }) }));
    await expect(none).rejects.toThrow(ShapeError);
    const trained = compile(device, { x }, ({ x }) => ({
      dx: gradients(sum({ x: cast({ x: softmax({ x: toHalf(x!) }) }, { to: 'f32' }) }), [x!])[0]!,
    }));
    await expect(trained).rejects.toThrow(NoGradientError);
    await expect(trained).rejects.toThrow('in f16');
  });
});
