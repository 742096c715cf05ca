import { describe, expect, it } from 'vitest';
import { gradients } from '../../src/autograd/backward.ts';
import { compile } from '../../src/graph/program.ts';
import type { Operand, Value } from '../../src/kernels/define.ts';
import * as ops from '../../src/kernels/registry.ts';
import { functions } from '../ops/unary.ts';
import { openTestDevice } from '../open-test-device.ts';

const device = await openTestDevice();
const operations: Readonly<Record<string, unknown>> = { ...ops };

const DENORMAL = 1e-40;
const values = Float32Array.of(NaN, Infinity, -Infinity, 1e38, -1e38, DENORMAL, -DENORMAL, 0, -0, 1, -1, 2.5);

type Unary = (inputs: { x: Operand }) => Value;
type Binary = (inputs: { a: Operand; b: Operand }, attributes?: object) => Value;

/** An adapter may take what is below 2^-126 for 0, when it reads and when it writes; the sign of 0 is not promised. */
const flushed = (value: number): number => 
  Math.abs(value) >= 2 ** -126 || Number.isNaN(value) ? value : value < 0 ? -0 : 0;

/** Near 0 WGSL promises of tanh an absolute 1e-5 only. */
const slack = (name: string): number => (name === 'tanh' ? 1e-5 : 0);

function isOneOf(got: number, wanted: readonly number[], absolute = 0): boolean {
  return wanted.map(Math.fround).some((want) => {
    if (!Number.isFinite(want)) return Object.is(got, want);
    return Math.abs(flushed(got) - flushed(want)) <= 1e-5 * Math.abs(want) + absolute;
  });
}

/** Where the formula of the oracle has Inf * 0 or Inf / Inf: the limit. Of a denormal: as 0. */
const limits: Readonly<Record<string, readonly (readonly [at: number, limit: number])[]>> = {
  silu: [[-Infinity, 0]],
  gelu: [[-Infinity, 0]],
  hardSwish: [[-Infinity, 0]],
  mish: [[-Infinity, 0]],
  softsign: [[Infinity, 1], [-Infinity, -1]],
};

describe('NaN, infinities, 1e38, denormals and zeros', () => {
  it.each(Object.keys(functions) as (keyof typeof functions)[])('through %s: NaN stays NaN', async (name) => {
    using program = await compile(device, { x: { dtype: 'f32', shape: [values.length] } }, ({ x }) => ({
      y: (operations[name] as Unary)({ x }),
    }));
    const { y } = await program.call({ x: values });
    const wrong = [...values].flatMap((value, index) => {
      const limit = limits[name]?.find(([at]) => at === value)?.[1];
      const wanted = limit === undefined ? [value, flushed(value)].map((x) => functions[name](x)) : [limit];
      if (isOneOf(y[index]!, wanted, slack(name))) return [];
      return [`${name}(${value}): got ${y[index]}, expected ${wanted.join(' or ')}`];
    });
    expect(wrong).toEqual([]);
  });

  it('give a gradient of NaN at NaN, and at infinity no NaN where there is a limit', async () => {
    const names = ['silu', 'gelu', 'hardSwish', 'mish', 'softplus', 'softsign', 'elu', 'erf', 'atan', 'asinh'] as const;
    const x = Float32Array.of(NaN, Infinity, -Infinity);
    using program = await compile(device, { x: { dtype: 'f32', shape: [3] } }, ({ x }) =>
      Object.fromEntries(names.map((name) => {
        const y = (operations[name] as Unary)({ x });
        return [name, gradients(ops.sum({ x: y }), [x])[0]!];
      })));
    const results = await program.call({ x });
    const [gates, bounded] = [[NaN, 1, 0], [NaN, 0, 0]];
    for (const name of names) {
      const wanted = ['softsign', 'erf', 'atan', 'asinh'].includes(name) ? bounded : gates;
      expect([...results[name]!].map((value) => +value.toFixed(6) + 0), name).toEqual(wanted);
    }
  });

  const pairs: Readonly<Record<string, readonly [Binary, (a: number, b: number) => number]>> = {
    add: [ops.add, (a, b) => a + b],
    sub: [ops.sub, (a, b) => a - b],
    mul: [ops.mul, (a, b) => a * b],
    div: [ops.div, (a, b) => a / b],
    maximum: [ops.maximum, Math.max],
    minimum: [ops.minimum, Math.min],
    fmod: [(inputs) => ops.mod(inputs, { fmod: true }), (a, b) => a % b],
    mod: [ops.mod, (a, b) => (a % b && a < 0 !== b < 0 ? Math.fround(a % b) + b : a % b)],
    // As C, where JavaScript is more careful.
    pow: [ops.pow, (a, b) => (a === 1 || (a === -1 && Math.abs(b) === Infinity) ? 1 : a ** b)],
    prelu: [ops.prelu, (a, b) => (a < 0 ? a * b : a)],
  };

  const all = [...values].flatMap((a) => [...values].map((b) => [a, b] as const));
  const grid = { a: values, b: values };
  const specs = {
    a: { dtype: 'f32', shape: [values.length, 1] },
    b: { dtype: 'f32', shape: [values.length] },
  } as const;

  it('through functions of two operands, each with each', async () => {
    const names = Object.keys(pairs);
    using program = await compile(device, specs, ({ a, b }) =>
      Object.fromEntries(names.map((name) => [name, pairs[name]![0]({ a, b })])));
    const results = await program.call(grid);
    const wrong = names.flatMap((name) => all.flatMap(([a, b], index) => {
      const of = pairs[name]![1];
      const wanted = [of(a, b), of(flushed(a), b), of(a, flushed(b)), of(flushed(a), flushed(b))];
      const got = results[name]![index]!;
      return isOneOf(got, wanted) ? [] : [`${name}(${a}, ${b}): got ${got}, expected ${wanted.join(' or ')}`];
    }));
    expect(wrong).toEqual([]);
  });

  it('compared as in IEEE 754 and moved as they are, and denormals are not 0', async () => {
    using program = await compile(device, specs, ({ a, b }) => {
      const less = ops.less({ a, b });
      return {
        equal: ops.equal({ a, b }),
        notEqual: ops.notEqual({ a, b }),
        less,
        lessOrEqual: ops.lessOrEqual({ a, b }),
        greater: ops.greater({ a, b }),
        greaterOrEqual: ops.greaterOrEqual({ a, b }),
        lesser: ops.where({ condition: less, a, b }),
        same: ops.copy({ x: b }),
      };
    });
    const results = await program.call(grid);
    const truths = (of: (a: number, b: number) => boolean): number[] => all.map(([a, b]) => Number(of(a, b)));
    expect([...results.equal]).toEqual(truths((a, b) => a === b));
    expect([...results.notEqual]).toEqual(truths((a, b) => a !== b));
    expect([...results.less]).toEqual(truths((a, b) => a < b));
    expect([...results.lessOrEqual]).toEqual(truths((a, b) => a <= b));
    expect([...results.greater]).toEqual(truths((a, b) => a > b));
    expect([...results.greaterOrEqual]).toEqual(truths((a, b) => a >= b));
    expect([...results.same]).toEqual([...values]);
    expect([...results.lesser]).toEqual(all.map(([a, b]) => (a < b ? a : b)));
  });

  it('cast: towards 0, to the end of the range, and NaN to 0', async () => {
    const x = Float32Array.of(...values, 3e9, 5e9, -3e9, -0.9);
    using program = await compile(device, { x: { dtype: 'f32', shape: [x.length] } }, ({ x }) => ({
      i32: ops.cast({ x }, { to: 'i32' }),
      u32: ops.cast({ x }, { to: 'u32' }),
      bool: ops.cast({ x }, { to: 'bool' }),
    }));
    const { i32, u32, bool } = await program.call({ x });
    const [low, high, top] = [-(2 ** 31), 2 ** 31 - 1, 2 ** 32 - 1];
    expect([...i32]).toEqual([0, high, low, high, low, 0, 0, 0, 0, 1, -1, 2, high, high, low, 0]);
    expect([...u32]).toEqual([0, top, 0, top, 0, 0, 0, 0, 0, 1, 0, 2, 3e9, top, 0, 0]);
    expect([...bool]).toEqual([...x].map((value) => Number(value !== 0)));
  });

  it('of integers: they wrap around, and a division by 0 changes nothing', async () => {
    const integers = { dtype: 'i32', shape: [4] } as const;
    using program = await compile(device, { a: integers, b: integers }, ({ a, b }) => ({
      mul: ops.mul({ a, b }),
      div: ops.div({ a, b }),
      mod: ops.mod({ a, b }),
    }));
    const low = -(2 ** 31);
    const [a, b] = [Int32Array.of(7, low, 65537, -7), Int32Array.of(0, -1, 65537, 2)];
    const { mul, div, mod } = await program.call({ a, b });
    expect([...mul]).toEqual([0, low, 131073, -14]);
    expect([...div]).toEqual([7, low, 1, -3]);
    expect([...mod]).toEqual([0, 0, 0, 1]);
  });
});

describe('gradients where an operand is used twice', () => {
  it('add up', async () => {
    using program = await compile(device, { x: { dtype: 'f32', shape: [4] } }, ({ x }) => {
      const y = ops.add({ a: ops.add({ a: x, b: x }), b: ops.mul({ a: x, b: x }) });
      const greatest = ops.maximum({ a: ops.sub({ a: y, b: ops.div({ a: x, b: x }) }), b: x });
      return { dx: gradients(ops.sum({ x: greatest }), [x])[0]! };
    });
    const { dx } = await program.call({ x: Float32Array.of(1, 2, 3, 0.1) });
    // 2 x + x^2 - 1 and its derivative 2 + 2 x, but where that is below x.
    expect([...dx]).toEqual([4, 6, 8, 1].map((value) => expect.closeTo(value, 5)));
  });

  it('to a base below 0, of a power that is whole', async () => {
    const spec = { dtype: 'f32', shape: [5] } as const;
    using program = await compile(device, { a: spec, b: spec }, ({ a, b }) => {
      const [da, db] = gradients(ops.sum({ x: ops.pow({ a, b }) }), [a, b]);
      return { y: ops.pow({ a, b }), da: da!, db: db! };
    });
    const [a, b] = [Float32Array.of(-2, -3, 0, 0, -2), Float32Array.of(3, -1, 0, 2, 0)];
    const { y, da, db } = await program.call({ a, b });
    expect([...y]).toEqual([-8, -1 / 3, 1, 0, 1].map((value) => expect.closeTo(value, 6)));
    expect([...da].map((value) => value + 0)).toEqual([12, -1 / 9, 0, 0, 0].map((value) => expect.closeTo(value, 6)));
    expect([...db]).toEqual([NaN, NaN, 0, 0, NaN]);
  });
});
