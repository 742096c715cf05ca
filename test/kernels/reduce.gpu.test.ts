import { describe, expect, it } from 'vitest';
import { gradients } from '../../src/autograd/backward.ts';
import { compile } from '../../src/graph/program.ts';
import { mul } from '../../src/kernels/binary.ts';
import { cumulativeSum } from '../../src/kernels/cumulative.ts';
import { constant } from '../../src/kernels/define.ts';
import type { Op, Operand, Value } from '../../src/kernels/define.ts';
import { l1, l2, logSum, logSumExp, max, mean, min, prod, sum, sumSquare } from '../../src/kernels/reduce.ts';
import { Rows, typedArray } from '../../src/tensor/spec.ts';
import type { Spec, TypedArray } from '../../src/tensor/spec.ts';
import { checkValue, host } from '../op-table.ts';
import type { Host } from '../op-table.ts';
import { cumulativeSumRow, integers } from '../ops/cumulative.ts';
import { reduceRows } from '../ops/reduce.ts';
import { openTestDevice } from '../open-test-device.ts';

const device = await openTestDevice();

const run = async (spec: Spec, x: TypedArray, make: (x: Value) => Record<string, Operand>) => {
  using program = await compile(device, { x: spec }, ({ x }) => make(x!));
  const results = await program.call({ x });
  return Object.fromEntries(Object.entries(results).map(([name, values]) => [name, [...values]]));
};

const f32 = (...shape: number[]): Spec => ({ dtype: 'f32', shape });

/** The gradient of the sum of what an operation makes of each row of x. */
const gradientOf = async (op: Op<{ x: Operand }, 'y', { axes: number[] }>, rows: number[][]) => {
  const x = Float32Array.from(rows.flat());
  const { dx } = await run(f32(rows.length, rows[0]!.length), x, (x) => ({
    dx: gradients(sum({ x: op({ x }, { axes: [1] }) }), [x])[0]!,
  }));
  return rows.map((row, index) => dx!.slice(index * row.length, (index + 1) * row.length));
};

describe('reductions of integers', () => {
  // Beyond what f32 and doubles hold exactly, on both sides of the sign bit.
  const words = [1, 0x7fffffff, 0x80000000, 0xffffffff, 3_000_000_001, 123_456_789, 2, 0xfffffff0, 77];
  const of = (dtype: 'i32' | 'u32', shape: number[]): Host => {
    const length = shape.reduce((a, b) => a * b, 1);
    const picked = Array.from({ length }, (_, i) => words[(i * 7 + (i >> 8)) % words.length]!);
    return host(shape, typedArray(dtype, picked), dtype);
  };
  const wrap = (dtype: 'i32' | 'u32') => (value: bigint) =>
    Number(dtype === 'i32' ? BigInt.asIntN(32, value) : BigInt.asUintN(32, value));
  const combined = (dtype: 'i32' | 'u32') => ({
    sum: (values: readonly number[]) => wrap(dtype)(values.reduce((a, b) => a + BigInt(b), 0n)),
    prod: (values: readonly number[]) => wrap(dtype)(values.reduce((a, b) => BigInt.asUintN(32, a * BigInt(b)), 1n)),
    max: (values: readonly number[]) => Math.max(...values),
    min: (values: readonly number[]) => Math.min(...values),
  });

  it.each(['i32', 'u32'] as const)('%s', async (dtype) => {
    for (const [name, op] of Object.entries({ sum, prod, max, min })) {
      const combine = combined(dtype)[name as 'sum'];
      for (const [shape, axes, samples] of [[[3, 600], [1]], [[4, 3, 2], [1], 4]] as const) {
        const x = of(dtype, [...shape]);
        const opCase = { inputs: { x }, attributes: { axes }, ...(samples && { samples, batched: ['x'] }) };
        await checkValue(device, op as never, {
          ...reduceRows.sum,
          reference: () => host([], slices(x, axes[0]).map(combine), dtype),
          ulps: () => 0,
        }, opCase);
      }
    }
  });

  /** The elements along one axis, for each place of the others. */
  const slices = ({ shape, data }: Host, axis: number): number[][] => {
    const inner = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
    const length = shape[axis]!;
    return Array.from({ length: data.length / length }, (_, at) =>
      Array.from({ length }, (_, i) => data[(Math.floor(at / inner) * length + i) * inner + (at % inner)]!));
  };

  it('one after the other, cumulativeSum', async () => {
    const inputs = { x: integers([3, 300], 'u32') };
    for (const attributes of [{ axis: 1 }, { axis: 1, exclusive: true, reverse: true }]) {
      const opCase = { inputs, attributes, samples: 3, batched: ['x'] };
      await checkValue(device, cumulativeSum as never, cumulativeSumRow, opCase);
    }
  });

  it('over none give what changes nothing', async () => {
    for (const [dtype, lowest, greatest] of [['i32', -(2 ** 31), 2 ** 31 - 1], ['u32', 0, 2 ** 32 - 1]] as const) {
      const results = await run({ dtype, shape: [2, 0] }, typedArray(dtype, 0), (x) => ({
        sum: sum({ x }, { axes: [1] }),
        prod: prod({ x }, { axes: [1] }),
        max: max({ x }, { axes: [1] }),
        min: min({ x }, { axes: [1] }),
      }));
      const twice = (value: number) => [value, value];
      expect(results).toEqual({ sum: twice(0), prod: twice(1), max: twice(lowest), min: twice(greatest) });
    }
  });

  it('are refused where fractions come out', () => {
    const x: Spec = { dtype: 'i32', shape: [4] };
    for (const op of [mean, l1, l2, sumSquare, logSum, logSumExp]) {
      expect(() => op.infer({ x }, {})).toThrow(`${op.name}: expected f32 of at most 6 axes, got i32[4]`);
    }
  });
});

describe('reductions of f32', () => {
  it('over none give what changes nothing', async () => {
    const results = await run(f32(0), new Float32Array(0), (x) => ({
      max: max({ x }),
      min: min({ x }),
      prod: prod({ x }),
      logSum: logSum({ x }),
      logSumExp: logSumExp({ x }),
      l2: l2({ x }),
    }));
    expect(results).toEqual({
      max: [-Infinity], min: [Infinity], prod: [1], logSum: [-Infinity], logSumExp: [-Infinity], l2: [0],
    });
  });

  it('logSumExp does not overflow, and knows what is infinite', async () => {
    const x = [
      [1000, 1000], [-1000, -1000], [3e38, -3e38], [Infinity, 0], [-Infinity, 7], [-Infinity, -Infinity], [NaN, 1],
      [NaN, Infinity],
    ].flat();
    const { y } = await run(f32(8, 2), Float32Array.from(x), (x) => ({ y: logSumExp({ x }, { axes: [1] }) }));
    const [log2, big] = [Math.log(2), Math.fround(3e38)];
    [1000 + log2, -1000 + log2, big, Infinity, 7, -Infinity, NaN, NaN].forEach((value, row) => {
      if (Number.isFinite(value)) expect(y![row]! / value).toBeCloseTo(1, 6);
      else expect(y![row]).toBe(value);
    });
  });

  it('keep NaN in all members', async () => {
    const x = Float32Array.of(1, NaN, 2, 0, Infinity, 3);
    const members = { prod, l1, l2, sumSquare, logSum };
    const results = await run(f32(2, 3), x, (x) =>
      Object.fromEntries(Object.entries(members).map(([name, op]) => [name, op({ x }, { axes: [1] })])));
    for (const [name, values] of Object.entries(results)) {
      expect(values, name).toEqual([NaN, name === 'prod' ? NaN : Infinity]);
    }
  });
});

describe('gradients of reductions', () => {
  it.each(Object.entries({ max, min }))('of %s: shared by equals, NaN where it is NaN', async (name, op) => {
    const sign = name === 'max' ? 1 : -1;
    const rows = [[1, 3, 3, 2], [0, -0, -1, 0], [5, 1, 2, 3], [1, NaN, 1, 1]];
    const third = Math.fround(1 / 3);
    expect(await gradientOf(op, rows.map((row) => row.map((value) => sign * value)))).toEqual([
      [0, 0.5, 0.5, 0], [third, third, 0, third], [1, 0, 0, 0], [NaN, NaN, NaN, NaN],
    ]);
  });

  it('of prod: with no, one and two factors of 0', async () => {
    expect(await gradientOf(prod, [[2, -3, 4], [2, 0, 4], [0, 5, -0], [0, NaN, 1]])).toEqual([
      [-12, 8, -6], [0, 8, 0], [0, 0, 0], [NaN, 0, 0],
    ]);
  });

  it('of norms: 0 where there is no direction', async () => {
    expect(await gradientOf(l2, [[0, 0], [3, -4]])).toEqual([[0, 0], [Math.fround(0.6), Math.fround(-0.8)]]);
    expect(await gradientOf(l1, [[0, -2], [NaN, 1]])).toEqual([[0, -1], [NaN, 1]]);
  });

  it('of logSumExp: the softmax, of large numbers too', async () => {
    const got = await gradientOf(logSumExp, [[50, 50], [-Infinity, 3]]);
    expect(got.flat().map((value) => +value.toFixed(5))).toEqual([0.5, 0.5, 0, 1]);
  });

  it('of a maximum over the live samples: theirs alone', async () => {
    const rows = new Rows(8);
    const spec: Spec = { dtype: 'f32', shape: [8, 2], rows };
    const { dx } = await run(spec, Float32Array.of(1, 5, 4, 5, 2, 0), (x) => ({
      dx: gradients(sum({ x: max({ x }, { axes: [0] }) }), [x])[0]!,
    }));
    expect(dx).toEqual([0, 0.5, 1, 0.5, 0, 0]);
  });
});

describe('gradients of what has no more elements than it is repeated to', () => {
  it('a leading axis of length 1 that an operand lacks', async () => {
    // The gradient of the product by s is of s: one axis, along which the sum from the end goes on.
    const { dx } = await run(f32(3), Float32Array.of(1, 1, 1), (x) => {
      const s = cumulativeSum({ x }, { axis: 0 });
      const factors = constant({ dtype: 'f32', shape: [1, 3] }, Float32Array.of(1, 10, 100));
      return { dx: gradients(sum({ x: mul({ a: factors, b: s }) }), [x])[0]! };
    });
    expect(dx).toEqual([111, 110, 100]);
  });

  it('the mean of nothing', async () => {
    using program = await compile(device, { x: f32(3, 0) }, ({ x }) => ({
      dx: gradients(sum({ x: mean({ x: x! }, { axes: [0] }) }), [x!])[0]!,
    }));
    expect((await program.call({ x: new Float32Array(0) })).dx).toHaveLength(0);
  });
});
