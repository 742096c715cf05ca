import { ArgumentError } from '../errors.ts';
import type { Activation } from './activation.ts';
import { binary, numeric } from './binary-family.ts';
import type { Operands } from './binary-family.ts';
import { greaterOrEqual } from './compare.ts';
import { isGradient, scalar } from './define.ts';
import type { Op, Value } from './define.ts';
import { where } from './where.ts';

const negated = (x: Value): Value => mul({ a: x, b: scalar(-1) });

/**
 * `a + b`. All operations of this family broadcast their operands a and b, see `broadcast`, both of one dtype: f32, i32
 * or u32 unless said otherwise. Integers wrap around.
 */
export const add = binary('add', { code: 0, dtypes: numeric, gradient: { a: ({ dy }) => dy, b: ({ dy }) => dy } });

/** `a - b` */
export const sub = binary('sub', {
  code: 1,
  dtypes: numeric,
  gradient: { a: ({ dy }) => dy, b: ({ dy }) => negated(dy) },
});

/** `a * b` */
export const mul: Op<Operands, 'y', {}> = binary('mul', {
  code: 2,
  dtypes: numeric,
  gradient: { a: ({ b, dy }) => mul({ a: dy, b }), b: ({ a, dy }) => mul({ a: dy, b: a }) },
});

/** `a / b`; of integers without the fraction, and a where b is 0. */
export const div: Op<Operands, 'y', {}> = binary('div', {
  code: 3,
  dtypes: numeric,
  gradient: {
    a: ({ b, dy }) => div({ a: dy, b }),
    b: ({ b, y, dy }) => negated(div({ a: mul({ a: dy, b: y }), b })),
  },
});

/** The greater of a and b, NaN where either is; of equals the gradient goes to a. */
export const maximum = binary('maximum', {
  code: 4,
  dtypes: numeric,
  gradient: {
    a: ({ a, b, dy }) => where({ condition: greaterOrEqual({ a, b }), a: dy, b: scalar(0) }),
    b: ({ a, b, dy }) => where({ condition: greaterOrEqual({ a, b }), a: scalar(0), b: dy }),
  },
});

/** The smaller of a and b, NaN where either is; of equals the gradient goes to b. */
export const minimum = binary('minimum', {
  code: 5,
  dtypes: numeric,
  gradient: {
    a: ({ a, b, dy }) => where({ condition: greaterOrEqual({ a, b }), a: scalar(0), b: dy }),
    b: ({ a, b, dy }) => where({ condition: greaterOrEqual({ a, b }), a: dy, b: scalar(0) }),
  },
});

export interface ModAttributes {
  /** The sign is that of a, as that of C's `fmod`; else that of b, as that of Python's `%`. */
  readonly fmod?: boolean;
}

/** What is left of a divided by b, exactly: NaN where b is 0 or a infinite; of integers 0 where b is 0. */
export const mod = binary<ModAttributes>('mod', {
  code: ({ fmod = false }) => (fmod ? 17 : 16),
  dtypes: numeric,
  gradient: {
    a: ({ dy }) => dy,
    // a = q b + y
    b: ({ a, b, y, dy }) => mul({ a: dy, b: div({ a: sub({ a: y, b: a }), b }) }),
  },
});

/**
 * `a^b`, as C's `pow`: 1 where a is 1 or b is 0, even if the other is NaN, and NaN where a is negative and b no whole
 * number. About `|b ln a|` units in the last place may be lost. Integers wrap around; of a negative b, 0 is left unless
 * a is 1 or -1. The gradient to b is 0 where a is 0, NaN where a is negative.
 */
export const pow = binary('pow', {
  code: 18,
  dtypes: numeric,
  gradient: {
    a: ({ a, b, dy }) => mul({ a: dy, b: powSlope({ a, b }) }),
    b: ({ a, b, dy }) => mul({ a: dy, b: powGrowth({ a, b }) }),
  },
});

/** `a` where it is not negative, else `a b`, of f32: b holds slopes, of each channel if it is `f32[channels, 1, 1]`. */
export const prelu = binary('prelu', {
  code: 6,
  gradient: {
    a: ({ a, b, dy }) => mul({ a: dy, b: preluSlope({ a, b }) }),
    b: ({ a, dy }) => mul({ a: dy, b: minimum({ a, b: scalar(0) }) }),
  },
});

/** The derivative of `a^b` by a, `b a^(b - 1)`. */
const powSlope = binary('pow-slope', { code: 19, gradient: isGradient });

/** The derivative of `a^b` by b, `a^b ln a`. */
const powGrowth = binary('pow-growth', { code: 20, gradient: isGradient });

/** The derivative of `prelu` by a: b where a is negative, else 1. */
const preluSlope = binary('prelu-slope', { code: 7, gradient: isGradient });

/** Gradient through relu, from its result a and the gradient b of that: `b` where `a > 0`, else 0. */
export const reluGrad = binary('relu-grad', { code: 8, gradient: isGradient });

/** Gradient through the sigmoid, from its result a and the gradient b of that: `b a (1 - a)`. */
export const sigmoidGrad = binary('sigmoid-grad', { code: 9, gradient: isGradient });

/** Gradient through tanh, from its result a and the gradient b of that: `b (1 - a^2)`. */
export const tanhGrad = binary('tanh-grad', { code: 10, gradient: isGradient });

/**
 * The gradient before the activation, from its result `y` and the gradient `dy` of that.
 * @throws ArgumentError for one whose derivative does not follow from its result
 */
export function activationGrad(activation: Activation, y: Value, dy: Value): Value {
  switch (activation) {
    case 'none':
      return dy;
    case 'relu':
      return reluGrad({ a: y, b: dy });
    case 'sigmoid':
      return sigmoidGrad({ a: y, b: dy });
    case 'tanh':
      return tanhGrad({ a: y, b: dy });
    default:
      throw new ArgumentError(
        `activation: expected none, relu, sigmoid or tanh, whose derivative follows from the result, got ` +
          `${activation as string}; call it as an operation of its own`,
      );
  }
}
