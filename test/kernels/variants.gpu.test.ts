import { describe, expect, it } from 'vitest';
import { gradients } from '../../src/autograd/backward.ts';
import { compile } from '../../src/graph/program.ts';
import type { CompileOptions } from '../../src/graph/program.ts';
import { choosing } from '../../src/graph/variants.ts';
import type { Value } from '../../src/kernels/define.ts';
import { linear } from '../../src/kernels/linear.ts';
import { sum } from '../../src/kernels/reduce.ts';
import * as registry from '../../src/kernels/registry.ts';
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
  ['conv2d', ['registers'], [checkValue, checkGradient]],
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
    for (const [opCase, names] of offered) {
      for (const check of names.length > 1 ? checks : []) {
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
