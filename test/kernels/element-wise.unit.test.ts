import { describe, expect, it } from 'vitest';
import { celu, elu, gelu } from '../../src/kernels/activations.ts';
import { activationGrad, add, maximum, pow, prelu } from '../../src/kernels/binary.ts';
import { and, less } from '../../src/kernels/compare.ts';
import { cast, isNaN, not } from '../../src/kernels/convert.ts';
import { sin } from '../../src/kernels/trigonometry.ts';
import { copy, negate } from '../../src/kernels/unary.ts';
import { where } from '../../src/kernels/where.ts';
import { Rows } from '../../src/tensor/spec.ts';
import type { Dtype, Spec } from '../../src/tensor/spec.ts';

const of = (dtype: Dtype, ...shape: number[]) => ({ kind: 'value', dtype, shape }) as const;
const rows = new Rows(4);
const sampled = (dtype: Dtype, ...shape: number[]) => ({ ...of(dtype, ...shape), rows });

describe('element-wise operations refuse, and say why', () => {
  it.each<[call: () => unknown, message: string]>([
    [() => sin.infer({ x: of('i32', 3) }, {}), 'sin: expected f32[...], got i32[3]'],
    [() => negate.infer({ x: of('u32', 3) }, {}), 'negate: expected f32[...] or i32[...], got u32[3]'],
    [
      () => add.infer({ a: of('f32', 3), b: of('i32', 3) }, {}),
      'add: expected f32 or i32 or u32 operands of one dtype, of at most 6 axes that broadcast, samples first, ' +
        'got f32[3] and i32[3]',
    ],
    [
      () => pow.infer({ a: of('f32', 3), b: of('f32', 2) }, {}),
      'pow: expected f32 or i32 or u32 operands of one dtype, of at most 6 axes that broadcast, samples first, ' +
        'got f32[3] and f32[2]',
    ],
    [
      () => prelu.infer({ a: of('i32', 3), b: of('i32', 3) }, {}),
      'prelu: expected f32 operands of at most 6 axes that broadcast, samples first, got i32[3] and i32[3]',
    ],
    [
      () => less.infer({ a: sampled('f32', 4), b: of('f32', 3, 4) }, {}),
      'less: expected f32 or i32 or u32 operands of one dtype, of at most 6 axes that broadcast, samples first, ' +
        'got f32[rows] and f32[3, 4]',
    ],
    [
      () => and.infer({ a: of('f32', 3), b: of('u32', 3) }, {}),
      'and: expected u32 operands of at most 6 axes that broadcast, samples first, got f32[3] and u32[3]',
    ],
    [
      () => where.infer({ condition: of('f32', 3), a: of('f32', 3), b: of('f32', 3) }, {}),
      'where: expected a u32 condition, got f32[3]',
    ],
    [
      () => where.infer({ condition: of('u32', 2), a: of('f32', 3), b: of('f32', 3) }, {}),
      'where: expected f32 or i32 or u32 operands of one dtype, of at most 6 axes that broadcast, samples first, ' +
        'got u32[2] and f32[3] and f32[3]',
    ],
    [() => not.infer({ x: of('f32', 3) }, {}), 'not: expected u32[...], got f32[3]'],
    [() => isNaN.infer({ x: of('u32', 3) }, {}), 'is-nan: expected f32[...], got u32[3]'],
    [
      () => cast.infer({ x: of('f32', 3) }, { to: 'f64' as 'f32' }),
      'cast: expected f32, f16, i32, u32 or bool, got f64',
    ],
    [() => elu.infer({ x: of('f32', 3) }, { alpha: NaN }), 'elu: expected a number as alpha, got NaN'],
    [() => celu.infer({ x: of('f32', 3) }, { alpha: 0 }), 'celu: expected an alpha other than 0'],
    [
      () => gelu.infer({ x: of('f32', 3) }, { approximate: 'erf' as 'none' }),
      'gelu: expected approximate none or tanh, got erf',
    ],
    [
      () => activationGrad('silu' as 'relu', of('f32', 3), of('f32', 3)),
      'activation: expected none, relu, sigmoid or tanh, whose derivative follows from the result, got silu; call it as ' +
        'an operation of its own',
    ],
  ])('%#', (call, message) => expect(call).toThrow(message));

  it('and give the dtype of their operands, truth values in u32', () => {
    const integers: Spec = of('i32', 2, 1);
    expect(maximum.infer({ a: of('i32', 2, 1), b: of('i32', 3) }, {}).y).toMatchObject({ dtype: 'i32', shape: [2, 3] });
    expect(less.infer({ a: of('i32', 2, 1), b: of('i32', 3) }, {}).y).toMatchObject({ dtype: 'u32', shape: [2, 3] });
    expect(copy.infer({ x: integers }, {}).y).toEqual(integers);
    const given = { condition: sampled('u32', 4, 1), a: of('i32', 3), b: of('i32', 1) };
    expect(where.infer(given, {}).y).toEqual({ dtype: 'i32', shape: [4, 3], rows });
  });
});
