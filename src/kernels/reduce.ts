import { MAX_RANK } from './axes.ts';
import { convertHalf } from './convert-half.ts';
import { defineOp, expected } from './define.ts';
import type { Dispatch, LowerContext, Op, Operand, Value } from './define.ts';
import { extremeGrad, prodGrad, reduceGrad } from './reduce-grad.ts';
import type { ReduceGradAttributes } from './reduce-grad.ts';
import { reducedAxes, reducedSpec, reduceTree } from './reduce-tree.ts';
import type { ReduceAttributes, Reduction } from './reduce-tree.ts';

export type { ReduceAttributes } from './reduce-tree.ts';

type Axes = ReadonlySet<number>;
type Values = { readonly x: Value; readonly y: Value; readonly dy: Value };

interface Member {
  /** The launches. */
  lower(x: Value, axes: Axes, y: Value, context: LowerContext): Dispatch[];
  /** The gradient of x. */
  gradient(values: Values, axes: Axes): Value;
  /** Takes integers too. */
  readonly integers?: boolean;
}

/** One member of the family. */
/* @__NO_SIDE_EFFECTS__ */
const member = (
  name: string,
  { lower, gradient, integers = false }: Member,
): Op<{ x: Operand }, 'y', ReduceAttributes> =>
  defineOp<{ x: Operand }, 'y', ReduceAttributes>({
    name,
    half: ['x'],
    infer({ x }, attributes) {
      if ((x.dtype !== 'f32' && !integers) || x.shape.length > MAX_RANK) {
        throw expected(name, `${integers ? 'x' : 'f32'} of at most ${MAX_RANK} axes`, x);
      }
      return { y: reducedSpec(x, reducedAxes(name, x, attributes), attributes.keepDims) };
    },
    lower({ x }, { y }, attributes, context) {
      const axes = reducedAxes(name, x, attributes);
      if (y.dtype !== 'f16') return lower(x, axes, y, context);
      const inF32 = ({ shape, rows }: Value): Value => context.scratch({ dtype: 'f32', shape, rows });
      const [wide, result] = [inF32(x), inF32(y)];
      return [convertHalf(x, wide), ...lower(wide, axes, result, context), convertHalf(result, y)];
    },
    gradient: (values, attributes) => ({ x: () => gradient(values, reducedAxes('gradient', values.x, attributes)) }),
  });

/** How most of them are lowered: one tree. */
/* @__NO_SIDE_EFFECTS__ */
const tree =
  (reduction: Reduction): Member['lower'] =>
  (x, axes, y, context) =>
    reduceTree(x, axes, y, reduction, context);

/** A gradient that takes no more than one launch, with what its slope looks at. */
/* @__NO_SIDE_EFFECTS__ */
const slope =
  (
    name: ReduceGradAttributes['slope'],
    uses: (values: Values) => { readonly x?: Value; readonly y?: Value } = () => ({}),
    mean = false,
  ): Member['gradient'] =>
  (values, axes) =>
    reduceGrad({ dy: values.dy, ...uses(values) }, { slope: name, like: values.x, axes, mean });

/**
 * Sum over `axes`. x: of up to 6 axes; the result lacks them, or has them with length 1. Over the samples: the live
 * ones. All operations of this family add up in an order that depends only on where an element stands. NaN wins over
 * every number. Those that take integers as well as f32 say so; integers wrap around.
 * Integers too; over no elements 0.
 */
export const sum = member('sum', { lower: tree({ op: 'sum' }), gradient: slope('even'), integers: true });

/** Mean over `axes`, like `sum`, of f32; over no elements at all it is 0. */
export const mean = member('mean', { lower: tree({ op: 'sum', mean: true }), gradient: slope('even', undefined, true) });

/**
 * Greatest element over `axes`, like `sum`; over none -Infinity. Integers too; over none the lowest of their type.
 * The gradient is shared evenly by those that are equal to it (as PyTorch's amax does).
 */
export const max = member('max', { lower: tree({ op: 'max' }), gradient: extremeGrad, integers: true });

/** Smallest element over `axes`, like `max`; over none Infinity, or the greatest of an integer's type. */
export const min = member('min', { lower: tree({ op: 'min' }), gradient: extremeGrad, integers: true });

/**
 * Product over `axes`, like `sum`; integers too; over no elements 1. The gradient holds where elements are 0 too; where
 * the product of the others overflows or underflows, so does the gradient.
 */
export const prod = member('prod', { lower: tree({ op: 'prod' }), gradient: prodGrad, integers: true });

/** Sum of `|x|` over `axes`, like `sum`, of f32; the gradient at 0 is 0. */
export const l1 = member('l1', {
  lower: tree({ op: 'sum', before: 'abs' }),
  gradient: slope('l1', ({ x }) => ({ x })),
});

/**
 * Square root of the sum of `x^2` over `axes`, like `sum`, of f32: Infinity where a square is. The gradient is 0 where
 * all elements are.
 */
export const l2 = member('l2', {
  lower: tree({ op: 'sum', before: 'square', after: 'sqrt' }),
  gradient: slope('l2', ({ x, y }) => ({ x, y })),
});

/** Sum of `x^2` over `axes`, like `sum`, of f32. */
export const sumSquare = member('sum-square', {
  lower: tree({ op: 'sum', before: 'square' }),
  gradient: slope('sumSquare', ({ x }) => ({ x })),
});

/** Logarithm of the sum over `axes`, like `sum`, of f32; over no elements -Infinity. */
export const logSum = member('log-sum', {
  lower: tree({ op: 'sum', after: 'log' }),
  gradient: slope('logSum', ({ y }) => ({ y })),
});

/**
 * Logarithm of the sum of `e^x` over `axes`, like `sum`, of f32, without overflow: `m + log sum e^(x - m)`, m the
 * greatest. Infinity where that is; -Infinity over no elements, or over nothing else.
 */
export const logSumExp = member('log-sum-exp', {
  lower(x, axes, y, context) {
    const greatest = context.scratch({ dtype: 'f32', shape: y.shape, rows: y.rows });
    return [
      ...reduceTree(x, axes, greatest, { op: 'max' }, context),
      ...reduceTree(x, axes, y, { op: 'sum', before: 'exp', after: 'logPlusBase' }, context, greatest),
    ];
  },
  gradient: slope('logSumExp', ({ x, y }) => ({ x, y })),
});
