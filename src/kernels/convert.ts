import { ArgumentError } from '../errors.ts';
import { perSample } from '../tensor/spec.ts';
import type { Dtype } from '../tensor/spec.ts';
import { defineOp, dispatch, expected, linearGrid } from './define.ts';
import type { Dispatch, Op, Operand, Value } from './define.ts';
import { convertKernel } from './generated/convert.ts';
import { isStep } from './unary-family.ts';

/** One launch. `code` is a number in `wgsl/convert.wgsl`. */
const launch = (code: number, x: Value, y: Value): Dispatch[] => [
  dispatch(convertKernel, {
    bind: { x, y },
    params: { sizePerSample: perSample(x) },
    overrides: { OP: code },
    grid: linearGrid(perSample(x), 256),
  }),
];

export interface CastAttributes {
  /** `bool` gives u32, 1 where x is not 0 (so of NaN too), else 0. */
  readonly to: Dtype | 'bool';
}

const [SAME, TRUTH] = [0, 6];
const casts: Readonly<Record<Dtype, Readonly<Record<Dtype | 'bool', number>>>> = {
  f32: { f32: SAME, i32: 1, u32: 2, bool: 5 },
  i32: { f32: 3, i32: SAME, u32: SAME, bool: TRUTH },
  u32: { f32: 4, i32: SAME, u32: SAME, bool: TRUTH },
};

/**
 * `x` in another dtype. To integers: towards 0, beyond the range its end, and NaN to 0. Between integers the bits stay,
 * so that -1 and 2^32 - 1 are the same. To f32: the nearest. Gradients pass from f32 to f32 alone.
 */
export const cast = defineOp<{ x: Operand }, 'y', CastAttributes>({
  name: 'cast',
  infer({ x }, { to }) {
    if (!(to in casts.f32)) throw new ArgumentError(`cast: expected f32, i32, u32 or bool, got ${to as string}`);
    return { y: { ...x, dtype: to === 'bool' ? 'u32' : to } };
  },
  lower: ({ x }, { y }, { to }) => launch(casts[x.dtype][to], x, y),
  gradient: ({ x, dy }, { to }) => ({ x: () => (x.dtype === 'f32' && to === 'f32' ? dy : undefined) }),
});

/** One of those that tell truths of `x`, in u32. */
/* @__NO_SIDE_EFFECTS__ */
const test = <A extends object = {}>(name: string, dtype: Dtype, code: (attributes: A) => number) =>
  defineOp<{ x: Operand }, 'y', A>({
    name,
    infer({ x }) {
      if (x.dtype !== dtype) throw expected(name, `${dtype}[...]`, x);
      return { y: { ...x, dtype: 'u32' } };
    },
    lower: ({ x }, { y }, attributes) => launch(code(attributes), x, y),
    gradient: isStep,
  });

/** 1 where x, u32, is 0, else 0. */
export const not: Op<{ x: Operand }, 'y', {}> = test('not', 'u32', () => 7);

/** 1 where x is NaN, else 0. */
export const isNaN: Op<{ x: Operand }, 'y', {}> = test('is-nan', 'f32', () => 8);

export interface IsInfiniteAttributes {
  /** The only sign that counts; both do where left out. */
  readonly sign?: 1 | -1;
}

/** 1 where x is infinite, else 0. */
export const isInfinite: Op<{ x: Operand }, 'y', IsInfiniteAttributes> = test<IsInfiniteAttributes>(
  'is-infinite',
  'f32',
  ({ sign }) => (sign === undefined ? 11 : sign > 0 ? 9 : 10),
);
