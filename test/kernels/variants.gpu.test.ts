import { describe, expect, it } from 'vitest';
import { gradients } from '../../src/autograd/backward.ts';
import { compile } from '../../src/graph/program.ts';
import type { CompileOptions } from '../../src/graph/program.ts';
import { choosing } from '../../src/graph/variants.ts';
import { batchNorm } from '../../src/kernels/batch-norm.ts';
import { add } from '../../src/kernels/binary.ts';
import { conv2d } from '../../src/kernels/conv2d.ts';
import { cast } from '../../src/kernels/convert.ts';
import { constant } from '../../src/kernels/define.ts';
import type { Value } from '../../src/kernels/define.ts';
import { linear } from '../../src/kernels/linear.ts';
import { pad } from '../../src/kernels/pad.ts';
import { maxPool2d } from '../../src/kernels/pool2d.ts';
import { sum } from '../../src/kernels/reduce.ts';
import * as registry from '../../src/kernels/registry.ts';
import { relu } from '../../src/kernels/unary.ts';
import { Rows } from '../../src/tensor/spec.ts';
import type { TypedArray } from '../../src/tensor/spec.ts';
import { table } from '../op-rows.ts';
import { checkGradient, checkValue, random, variantsOf } from '../op-table.ts';
import type { OpCase, OpRow } from '../op-table.ts';
import { openTestDevice } from '../open-test-device.ts';

const device = await openTestDevice();
const operations: Readonly<Record<string, unknown>> = { ...registry };

/**
 * Operations with several ways to compute the same, and all of them to the bit: which one it is may not show. The
 * gradients of matmul are products like itself.
 */
const PRODUCTS = ['row', 'registers', 'tiled'];
const SAME_BITS = [
  ['matmul', PRODUCTS, [checkValue]],
  ['linear', PRODUCTS, [checkValue, checkGradient]],
  ['conv2d', ['registers', 'tiled'], [checkValue, checkGradient]],
] as const;

const only = (name: string): CompileOptions => ({
  choose: (key, variants) => choosing(device.features, new Map([[key, name]]))(key, variants),
});

describe.each(SAME_BITS)('%s', (name, variants, checks) => {
  const op = operations[name] as never;
  const row = table[name] as OpRow;
  const offered = new Map<OpCase, string[]>(row.cases.map((opCase) => [opCase, variantsOf(device, op, opCase)]));
  const all = new Set([...offered.values()].flat());

  it('has all its variants among the rows of the op table', () => {
    const expected = [...variants, ...(device.features.has('subgroups') ? ['subgroup'] : [])];
    expect([...all].sort()).toEqual(expected.sort());
  });

  it('gives the same bits by each of them, within the bounds of the op table', async () => {
    for (const [index, [opCase, names]] of [...offered].entries()) {
      // Of cases for two alone every other, and a third of the gradients, which take most of the time.
      if (names.length < 2 || (names.length === 2 && index % 2 > 0)) continue;
      for (const check of checks.slice(0, index % 3 === 0 ? 2 : 1)) {
        const results = [];
        for (const variant of names) results.push(await check(device, op, row, opCase, only(variant)));
        for (const result of results) expect(result).toEqual(results[0]);
      }
    }
  });
});

it('layers with activations, and their gradients, have the same bits whichever variant computes them', async () => {
  const rows = new Rows(23);
  const f32 = (...shape: number[]) => ({ dtype: 'f32', shape }) as const;
  const specs = { x: { ...f32(23, 36), rows }, first: f32(40, 36), bias: f32(40), second: f32(70, 40) };
  const inputs = Object.fromEntries(
    Object.entries(specs).map(([name, { shape }], seed) => [name, Float32Array.from(random(shape, seed).data)]),
  );
  inputs['x'] = inputs['x']!.subarray(0, 19 * 36);
  const results: Record<string, TypedArray>[] = [];
  for (const name of ['registers', 'subgroup', 'tiled']) {
    const body = ({ x, first, bias, second }: Record<string, Value>): Record<string, Value> => {
      const hidden = linear({ x: x!, weight: first!, bias: bias! }, { activation: 'tanh' });
      const y = linear({ x: hidden, weight: second! });
      const [dx, dFirst, dBias] = gradients(sum({ x: y }), [x!, first!, bias!]);
      return { y, dx: dx!, dFirst: dFirst!, dBias: dBias! };
    };
    using program = await compile(device, specs, body, only(name));
    results.push(await program.call(inputs as never));
  }
  for (const result of results) expect(result).toEqual(results[0]);
});

describe('a convolution has the same bits whichever variant computes it', () => {
  const [samples, channels] = [5, 70];
  const shapes = { x: [samples, 4, 7, 9], weight: [channels, 4, 3, 3], bias: [channels] };
  const specs = Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => [name, { dtype: 'f32', shape } as const]),
  );
  const given = Object.fromEntries(
    Object.entries(shapes).map(([name, shape], seed) => [name, Float32Array.from(random(shape, seed).data)]),
  );
  const names = ['registers', 'tiled', ...(device.features.has('subgroups') ? ['subgroup'] : [])];

  const resultsOf = (body: (inputs: Record<string, Value>) => Value, inputs = given): Promise<TypedArray[]> =>
    Promise.all(
      names.map(async (name) => {
        using program = await compile(device, specs, (values) => ({ y: body(values) }), only(name));
        return (await program.call(inputs)).y;
      }),
    );
  const conv = ({ x, weight, bias }: Record<string, Value>): Value =>
    conv2d({ x: x!, weight: weight!, bias: bias! }, { padding: 1, activation: 'relu' });

  it('with maximum pooling in the same launch', async () => {
    const pooled = (inputs: Record<string, Value>): Value => maxPool2d({ x: conv(inputs) }, { kernel: 2 });
    const [first, ...others] = await resultsOf(pooled);
    for (const each of others) expect(each).toEqual(first);
    using apart = await compile(device, specs, (inputs) => ({ y: pooled(inputs) }), { without: ['fuse'] });
    expect(first).toEqual((await apart.call(given)).y);
  });

  const ones = new Float32Array(channels).fill(1);
  const block = ({ x, weight, bias }: Record<string, Value>): Value => {
    const mean = cast({ x: bias! }, { to: 'f32' });
    const variance = constant({ dtype: 'f32', shape: [channels] }, ones);
    const residual = pad({ x: x! }, { axis: 1, after: channels - 4 });
    const y = conv2d({ x: x!, weight: weight! }, { padding: 1 });
    return relu({ x: add({ a: batchNorm({ x: y, mean, variance, scale: bias!, shift: bias! }), b: residual }) });
  };

  it('with normalisation and a residual in the same launch', async () => {
    const [first, ...others] = await resultsOf(block);
    for (const each of others) expect(each).toEqual(first);
    using fused = await compile(device, specs, (inputs) => ({ y: block(inputs) }));
    using apart = await compile(device, specs, (inputs) => ({ y: block(inputs) }), { without: ['fuse'] });
    expect(first).toEqual((await apart.call(given)).y);
    expect(fused.dispatches).toBe(apart.dispatches - 3);
  });

  it.skipIf(!device.features.has('shader-f16'))('in f16', async () => {
    const half = (x: Value): Value => cast({ x }, { to: 'f16' });
    const [first, ...others] = await resultsOf(({ x, weight, bias }) =>
      cast({ x: conv({ x: half(x!), weight: half(weight!), bias: half(bias!) }) }, { to: 'f32' }));
    for (const each of others) expect(each).toEqual(first);
    const [whole, ...more] = await resultsOf(({ x, weight, bias }) =>
      cast({ x: block({ x: half(x!), weight: half(weight!), bias: half(bias!) }) }, { to: 'f32' }));
    for (const each of more) expect(each).toEqual(whole);
  });

  // Beyond an edge are zeros, which take part as any input does: Infinity times zero is NaN.
  it.each([NaN, Infinity])('with %d among the weights', async (value) => {
    const poisoned = { ...given, weight: given['weight']!.with(36, value) };
    const [first, ...others] = await resultsOf(conv, poisoned);
    for (const each of others) expect(each).toEqual(first);
    // Of the first tap, which meets the edge above and on the left.
    expect(first!.subarray(63, 2 * 63).filter(Number.isNaN)).toHaveLength(Number.isNaN(value) ? 63 : 7 + 9 - 1);
  });
});
