import { perSample, sizeOf } from '../tensor/spec.ts';
import type { Spec } from '../tensor/spec.ts';
import { axesParam, axisOf, MAX_RANK, mergeAxes, stridesOf } from './axes.ts';
import type { Axis } from './axes.ts';
import { defineOp, dispatch, expected, linearGrid, none } from './define.ts';
import type { Absorbed, Dispatch, Following, GradientRule, NoGradient, Op, Operand, Value } from './define.ts';
import { absorbIntoHead } from './exit-head.ts';
import { reduceGradKernel } from './generated/reduce-grad.ts';
import { reduceKernel } from './generated/reduce.ts';

export interface ReduceAttributes {
  /** The axes to reduce, negative ones counted from the last; all where left out. */
  readonly axes?: readonly number[];
  /** Keeps a reduced axis with length 1. */
  readonly keepDims?: boolean;
}

/** Elements that one invocation combines, one after the other. Another number gives other bits. */
const CHUNK = 256;

const reducedAxes = (op: string, x: Spec, { axes }: ReduceAttributes): Set<number> =>
  new Set(axes ? axes.map((axis) => axisOf(op, x, axis)) : x.shape.keys());

/** One member of the family. `code` is its number in `wgsl/reduce.wgsl`. */
const reduction = (
  name: string,
  code: number,
  isMean: boolean,
  gradient: GradientRule<{ x: Operand }, 'y', ReduceAttributes> | NoGradient,
  absorb?: (next: Following, axes: ReadonlySet<number>, x: Spec) => Absorbed | undefined,
): Op<{ x: Operand }, 'y', ReduceAttributes> =>
  defineOp<{ x: Operand }, 'y', ReduceAttributes>({
    name,
    infer({ x }, attributes) {
      if (x.dtype !== 'f32' || x.shape.length > MAX_RANK) throw expected(name, `f32 of at most ${MAX_RANK} axes`, x);
      const reduced = reducedAxes(name, x, attributes);
      const shape = attributes.keepDims
        ? x.shape.map((length, axis) => (reduced.has(axis) ? 1 : length))
        : x.shape.filter((_, axis) => !reduced.has(axis));
      return { y: { dtype: 'f32', shape, rows: reduced.has(0) ? undefined : x.rows } };
    },
    lower({ x }, { y }, attributes, { scratch }) {
      const reduced = reducedAxes(name, x, attributes);
      const strides = stridesOf(x.shape);
      const axes = x.shape.map((length, axis) => ({ length, strides: [strides[axis]!] }));
      let step: Step = {
        x,
        kept: axes.filter((_, axis) => !reduced.has(axis)),
        over: axes.filter((_, axis) => reduced.has(axis)),
        code,
        isMean,
      };
      const launches: Dispatch[] = [];
      const outputs = sizeOf(y.shape);
      for (let chunks = chunksOf(step); chunks > 1; chunks = chunksOf(step)) {
        const partial = scratch({ dtype: 'f32', shape: [outputs, chunks], rows: y.rows });
        launches.push(launch(step, partial, chunks));
        step = {
          x: partial,
          kept: [{ length: outputs, strides: [chunks] }],
          over: [{ length: chunks, strides: [1] }],
          code,
          isMean: false,
        };
      }
      return [...launches, launch(step, y, 1)];
    },
    gradient,
    absorb: (next, attributes, { x }) => absorb?.(next, reducedAxes(name, x, attributes), x),
  });

interface Step {
  readonly x: Value;
  readonly kept: readonly Axis[];
  readonly over: readonly Axis[];
  readonly code: number;
  readonly isMean: boolean;
}

const lengthOf = (axes: readonly Axis[]): number => sizeOf(axes.map(({ length }) => length));

const chunksOf = ({ over }: Step): number => Math.ceil(lengthOf(over) / CHUNK);

/** One step of the tree: `result` has, for each output, as many partial results as there are chunks. */
function launch({ x, kept, over, code, isMean }: Step, result: Value, chunks: number): Dispatch {
  const [keptAxes, overAxes] = [mergeAxes(kept), mergeAxes(over)];
  const overSamples = x.rows && !result.rows;
  const size = perSample(result);
  return dispatch(reduceKernel, {
    bind: { x, y: result },
    params: {
      axes: axesParam([...keptAxes, ...overAxes]),
      kept: keptAxes.length,
      rank: keptAxes.length + overAxes.length,
      outputs: size / chunks,
      count: lengthOf(over) / (overSamples ? x.rows.max : 1),
      chunk: CHUNK,
      chunks,
      overSamples: Number(Boolean(overSamples)),
    },
    overrides: { OP: code, MEAN: isMean },
    grid: overSamples ? { folded: Math.ceil(size / 64) } : linearGrid(size, 64),
  });
}

/** The gradient of a sum or mean: `dy`, divided by how many elements the mean is of, at every element of `like`. */
const reduceGrad = defineOp<{ dy: Operand }, 'y', { like: Spec; axes: ReadonlySet<number>; isMean: boolean }>({
  name: 'reduce-grad',
  infer: (_, { like: { dtype, shape, rows } }) => ({ y: { dtype, shape, rows } }),
  lower({ dy }, { y }, { axes: reduced, isMean }) {
    const keptShape = y.shape.map((length, axis) => (reduced.has(axis) ? 1 : length));
    const strides = stridesOf(keptShape);
    const strideAt = (axis: number): number => (reduced.has(axis) ? 0 : strides[axis]!);
    const axes = mergeAxes(y.shape.map((length, axis) => ({ length, strides: [strideAt(axis)] })));
    const overSamples = isMean && y.rows && reduced.has(0);
    const count = sizeOf(y.shape) / sizeOf(keptShape);
    return [
      dispatch(reduceGradKernel, {
        bind: { dy, dx: y },
        params: {
          axes: axesParam(axes),
          rank: axes.length,
          sizePerSample: perSample(y),
          divisor: isMean ? count / (overSamples ? y.rows.max : 1) : 1,
          overSamples: Number(Boolean(overSamples)),
        },
        grid: linearGrid(perSample(y), 256),
      }),
    ];
  },
  gradient: none('it is itself a gradient, and derivatives of derivatives are not built'),
});

const spread =
  (isMean: boolean): GradientRule<{ x: Operand }, 'y', ReduceAttributes> =>
  ({ x, dy }, attributes) => ({
    x: () => reduceGrad({ dy }, { like: x, axes: reducedAxes('gradient', x, attributes), isMean }),
  });

const ofExtreme = none('which of equal elements it should go to is undecided; max-pool has a gradient');

/**
 * Sum over `axes`. x: f32 of up to 6 axes; the result lacks them, or has them with length 1. Over the samples: the live
 * ones. All operations of this family add up in an order that depends only on where an element stands.
 */
export const sum = reduction('sum', 0, false, spread(false));

/** Mean over `axes`, like `sum`; over no elements at all it is 0. */
export const mean = reduction('mean', 0, true, spread(true), (next, axes, x) => {
  const ofPlanes = x.shape.every((_, axis) => axes.has(axis) === axis > 1);
  // The head adds up in two steps, as this does.
  return ofPlanes && sizeOf(x.shape.slice(2)) <= CHUNK * CHUNK ? absorbIntoHead(next) : undefined;
});

/** Greatest element over `axes`, like `sum`; NaN if one is NaN, -Infinity over none. */
export const max = reduction('max', 1, false, ofExtreme);

/** Smallest element over `axes`, like `sum`; NaN if one is NaN, Infinity over none. */
export const min = reduction('min', 2, false, ofExtreme);
