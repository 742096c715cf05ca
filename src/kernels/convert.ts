import { ArgumentError } from '../errors.ts';
import { perSample } from '../tensor/spec.ts';
import type { Dtype, Dtype32 } from '../tensor/spec.ts';
import { convertHalf } from './convert-half.ts';
import { defineOp, dispatch, expected, linearGrid } from './define.ts';
import type { Dispatch, LowerContext, Op, Operand, Value } from './define.ts';
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
const casts: Readonly<Record<Dtype32, Readonly<Record<Dtype32 | 'bool', number>>>> = {
  f32: { f32: SAME, i32: 1, u32: 2, bool: 5 },
  i32: { f32: 3, i32: SAME, u32: SAME, bool: TRUTH },
  u32: { f32: 4, i32: SAME, u32: SAME, bool: TRUTH },
};

/** f16 is reached, and left, by way of f32. */
function castLaunches(x: Value, y: Value, to: CastAttributes['to'], scratch: LowerContext['scratch']): Dispatch[] {
  const inF32 = (): Value => scratch({ dtype: 'f32', shape: x.shape, rows: x.rows });
  if (x.dtype === 'f16' && to !== 'f32') {
    const wide = inF32();
    return [convertHalf(x, wide), ...castLaunches(wide, y, to, scratch)];
  }
  if (to === 'f16' && x.dtype !== 'f32') {
    const wide = inF32();
    return [...castLaunches(x, wide, 'f32', scratch), convertHalf(wide, y)];
  }
  return x.dtype === 'f16' || to === 'f16' ? [convertHalf(x, y)] : launch(casts[x.dtype][to], x, y);
}

/**
 * `x` in another dtype. To integers: towards 0, beyond the range its end, and NaN to 0. Between integers the bits stay,
 * so that -1 and 2^32 - 1 are the same. To f32 and f16: the nearest, which from 65,520 on is infinity in f16. Gradients pass
 * from f32 to f32 alone.
 */
export const cast = defineOp<{ x: Operand }, 'y', CastAttributes>({
  name: 'cast',
  infer({ x }, { to }) {
    if (to !== 'f16' && !(to in casts.f32)) {
      throw new ArgumentError(`cast: expected f32, f16, i32, u32 or bool, got ${to as string}`);
    }
    return { y: { ...x, dtype: to === 'bool' ? 'u32' : to } };
  },
  lower: ({ x }, { y }, { to }, { scratch }) => castLaunches(x, y, to, scratch),
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
