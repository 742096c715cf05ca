import { perSample } from '../tensor/spec.ts';
import type { Spec } from '../tensor/spec.ts';
import { activationCode } from './activation.ts';
import { activationGrad, div, mul } from './binary.ts';
import { defineOp, dispatch, expected, linearGrid, none } from './define.ts';
import type { Dispatch, NoGradient, Op, Operand, Value } from './define.ts';
import { unaryKernel } from './generated/unary.ts';

/** The gradient of x. */
type Rule = (values: { readonly x: Value; readonly y: Value; readonly dy: Value }) => Value;

function sameShape(name: string, x: Spec): Spec {
  if (x.dtype !== 'f32') throw expected(name, 'f32[...]', x);
  return x;
}

const launch = (code: number, x: Value, y: Value, by = 1, plus = 0): Dispatch =>
  dispatch(unaryKernel, {
    bind: { x, y },
    params: { sizePerSample: perSample(x), by, plus },
    overrides: { OP: code },
    grid: linearGrid(perSample(x), 256),
  });

/** One member of the family. `code` is its number in `wgsl/unary.wgsl`. */
const unary = (name: string, code: number, rule: Rule | NoGradient): Op<{ x: Operand }, 'y', {}> =>
  defineOp<{ x: Operand }>({
    name,
    infer: ({ x }) => ({ y: sameShape(name, x) }),
    lower: ({ x }, { y }) => [launch(code, x, y)],
    gradient: 'none' in rule ? rule : (values) => ({ x: () => rule(values) }),
  });

/** `x`, in memory of its own. */
export const copy = unary('copy', activationCode.none, ({ dy }) => dy);

/** `max(x, 0)`; NaN stays NaN. */
export const relu = unary('relu', activationCode.relu, ({ y, dy }) => activationGrad('relu', y, dy));

/** `1 / (1 + exp(-x))`, without overflow; NaN stays NaN. */
export const sigmoid = unary('sigmoid', activationCode.sigmoid, ({ y, dy }) => activationGrad('sigmoid', y, dy));

/** `tanh(x)`, for large x too; NaN stays NaN. */
export const tanh = unary('tanh', activationCode.tanh, ({ y, dy }) => activationGrad('tanh', y, dy));

/** `e^x` */
export const exp = unary('exp', 4, ({ y, dy }) => mul({ a: dy, b: y }));

/** Natural logarithm. */
export const log = unary('log', 5, ({ x, dy }) => div({ a: dy, b: x }));

/** `-x` */
export const negate: Op<{ x: Operand }, 'y', {}> = unary('negate', 6, ({ dy }) => negate({ x: dy }));

/** `|x|`; the gradient at 0 is 0. */
export const abs = unary('abs', 7, ({ x, dy }) => mul({ a: dy, b: sign({ x }) }));

/** `sqrt(x)` */
export const sqrt = unary('sqrt', 8, ({ y, dy }) => scale({ x: div({ a: dy, b: y }) }, { by: 0.5 }));

/** `x^2` */
export const square = unary('square', 9, ({ x, dy }) => scale({ x: mul({ a: dy, b: x }) }, { by: 2 }));

/** `1 / x` */
export const reciprocal = unary('reciprocal', 10, ({ y, dy }) => negate({ x: mul({ a: dy, b: square({ x: y }) }) }));

/** -1, 0 or 1. */
export const sign = unary('sign', 11, none('it is a step: its derivative is 0 wherever it has one'));

export interface ScaleAttributes {
  readonly by: number;
  /** 0 where left out. */
  readonly plus?: number;
}

/** `by x + plus` */
export const scale = defineOp<{ x: Operand }, 'y', ScaleAttributes>({
  name: 'scale',
  infer: ({ x }) => ({ y: sameShape('scale', x) }),
  lower: ({ x }, { y }, { by, plus }) => [launch(12, x, y, by, plus)],
  gradient: ({ dy }, { by }): { x: () => Value } => ({ x: () => scale({ x: dy }, { by }) }),
});
