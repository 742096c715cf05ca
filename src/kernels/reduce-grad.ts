import { perSample, sizeOf } from '../tensor/spec.ts';
import type { Spec } from '../tensor/spec.ts';
import { axesParam, mergeAxes, stridesOf } from './axes.ts';
import { defineOp, dispatch, isGradient, linearGrid } from './define.ts';
import type { Operand, Value } from './define.ts';
import { reduceGradKernel } from './generated/reduce-grad.ts';
import { reducedSpec, reduceTree } from './reduce-tree.ts';
import type { Reduction } from './reduce-tree.ts';

/** The derivative of a reduction by one of its elements; the list of `wgsl/reduce-grad.wgsl`. */
const slopeCode = { even: 0, extreme: 1, l1: 2, l2: 3, sumSquare: 4, logSum: 5, logSumExp: 6, prod: 7 } as const;

/** Only what the slope looks at is given. */
type Inputs = { dy: Operand; x?: Operand; y?: Operand; count?: Operand };

export interface ReduceGradAttributes {
  readonly slope: keyof typeof slopeCode;
  readonly like: Spec;
  readonly axes: ReadonlySet<number>;
  /** Divides by the number of elements that were reduced. */
  readonly mean?: boolean;
}

/** The gradient of a reduction over `axes`: `dy` times the slope, at every element of `like`. */
export const reduceGrad = defineOp<Inputs, 'y', ReduceGradAttributes>({
  name: 'reduce-grad',
  infer: (_, { like: { dtype, shape, rows } }) => ({ y: { dtype, shape, rows } }),
  lower({ dy, x = dy, y = dy, count = dy }, { y: dx }, { slope, axes: reduced, mean }) {
    const keptShape = dx.shape.map((length, axis) => (reduced.has(axis) ? 1 : length));
    const strides = stridesOf(keptShape);
    const strideAt = (axis: number): number => (reduced.has(axis) ? 0 : strides[axis]!);
    const axes = mergeAxes(dx.shape.map((length, axis) => ({ length, strides: [strideAt(axis)] })));
    const overSamples = mean && dx.rows && reduced.has(0);
    const elements = sizeOf(dx.shape.filter((_, axis) => reduced.has(axis)));
    return [
      dispatch(reduceGradKernel, {
        bind: { dy, x, y, count, dx },
        params: {
          axes: axesParam(axes),
          rank: axes.length,
          sizePerSample: perSample(dx),
          divisor: mean ? elements / (overSamples ? dx.rows.max : 1) : 1,
          overSamples: Number(Boolean(overSamples)),
        },
        overrides: { SLOPE: slopeCode[slope] },
        grid: linearGrid(perSample(dx), 256),
      }),
    ];
  },
  gradient: isGradient,
});

type PartAttributes = { readonly axes: ReadonlySet<number>; readonly reduction: Reduction };

const partOfGradient = defineOp<{ x: Operand; base?: Operand }, 'y', PartAttributes>({
  name: 'reduce-part',
  infer: ({ x }, { axes }) => ({ y: reducedSpec(x, axes) }),
  lower: ({ x, base }, { y }, { axes, reduction }, context) => reduceTree(x, axes, y, reduction, context, base),
  gradient: isGradient,
});

type Values = { readonly x: Value; readonly y: Value; readonly dy: Value };

/** Of a maximum or minimum: each of those that are equal to it has the same share. */
export const extremeGrad = ({ x, y, dy }: Values, axes: ReadonlySet<number>): Value =>
  reduceGrad(
    { dy, x, y, count: partOfGradient({ x, base: y }, { axes, reduction: { op: 'sum', before: 'isBase' } }) },
    { slope: 'extreme', like: x, axes },
  );

/** Of a product, without dividing by 0: from the product of the elements that are not 0, and how many are. */
export const prodGrad = ({ x, dy }: Values, axes: ReadonlySet<number>): Value =>
  reduceGrad(
    {
      dy,
      x,
      y: partOfGradient({ x }, { axes, reduction: { op: 'prod', before: 'notZero' } }),
      count: partOfGradient({ x }, { axes, reduction: { op: 'sum', before: 'isZero' } }),
    },
    { slope: 'prod', like: x, axes },
  );
