import { activationCode } from './activation.ts';
import { activationGrad, div, mul } from './binary.ts';
import type { Op, Operand } from './define.ts';
import { isStep, unary } from './unary-family.ts';
import { curve } from './unary-grad.ts';

/** `x`, in memory of its own; of any dtype. */
export const copy = unary('copy', {
  code: activationCode.none,
  gradient: ({ dy }) => dy,
  dtypes: ['f32', 'i32', 'u32'],
});

/** `max(x, 0)`; NaN stays NaN, as in all of this family, and numbers below 2^-126 may count as 0. */
export const relu = unary('relu', {
  code: activationCode.relu,
  gradient: ({ y, dy }) => activationGrad('relu', y, dy),
});

/** `1 / (1 + exp(-x))`, without overflow. */
export const sigmoid = unary('sigmoid', {
  code: activationCode.sigmoid,
  gradient: ({ y, dy }) => activationGrad('sigmoid', y, dy),
});

/** `tanh(x)`, for large x too. */
export const tanh = unary('tanh', {
  code: activationCode.tanh,
  gradient: ({ y, dy }) => activationGrad('tanh', y, dy),
});

/** `e^x`; Inf above 88.72, and 0 far below. */
export const exp = unary('exp', { code: 16, gradient: ({ y, dy }) => mul({ a: dy, b: y }) });

/** Natural logarithm; -Inf of 0 and of numbers below 2^-126, NaN of negative ones. */
export const log = unary('log', { code: 17, gradient: ({ x, dy }) => div({ a: dy, b: x }) });

/** `-x`; of i32 too. */
export const negate: Op<{ x: Operand }, 'y', {}> = unary('negate', {
  code: 18,
  gradient: ({ dy }) => negate({ x: dy }),
  dtypes: ['f32', 'i32'],
});

/** `|x|`; of i32 too. The gradient at 0 is 0. */
export const abs = curve('abs', { code: 19, dtypes: ['f32', 'i32'] });

/** `sqrt(x)`; NaN of negative numbers. */
export const sqrt = unary('sqrt', {
  code: 20,
  gradient: ({ y, dy }) => scale({ x: div({ a: dy, b: y }) }, { by: 0.5 }),
});

/** `x^2`; of i32 too, where it wraps around. */
export const square = unary('square', {
  code: 21,
  gradient: ({ x, dy }) => scale({ x: mul({ a: dy, b: x }) }, { by: 2 }),
  dtypes: ['f32', 'i32'],
});

/** `1 / x` */
export const reciprocal = curve('reciprocal', { code: 22 });

/** -1, 0 or 1; of i32 too. */
export const sign = unary('sign', { code: 23, gradient: isStep, dtypes: ['f32', 'i32'] });

export interface ScaleAttributes {
  readonly by: number;
  /** 0 where left out. */
  readonly plus?: number;
}

/** `by x + plus` */
export const scale: Op<{ x: Operand }, 'y', ScaleAttributes> = unary<ScaleAttributes>('scale', {
  code: 24,
  numbers: ({ by, plus = 0 }) => [by, plus],
  gradient: ({ dy }, { by }) => scale({ x: dy }, { by }),
});

/** The least whole number that is not below x. */
export const ceil = unary('ceil', { code: 25, gradient: isStep });

/** The greatest whole number that is not above x. */
export const floor = unary('floor', { code: 26, gradient: isStep });

/** The nearest whole number, the even one of two as near. */
export const round = unary('round', { code: 27, gradient: isStep });

/** The whole number next to x on the way to 0. */
export const trunc = unary('trunc', { code: 28, gradient: isStep });

/** `2 / sqrt(pi)` times the integral of `exp(-t^2)` from 0 to x. */
export const erf = curve('erf', { code: 40 });
