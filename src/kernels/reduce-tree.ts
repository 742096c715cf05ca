import { ArgumentError } from '../errors.ts';
import { describe, perSample, sizeOf } from '../tensor/spec.ts';
import type { Spec } from '../tensor/spec.ts';
import { axesParam, axisOf, mergeAxes, stridesOf } from './axes.ts';
import type { Axis } from './axes.ts';
import { dispatch, linearGrid } from './define.ts';
import type { Dispatch, LowerContext, Value } from './define.ts';
import { reduceIntegersKernel, reduceKernel } from './generated/reduce.ts';

export interface ReduceAttributes {
  /** The axes to reduce, negative ones counted from the last; all where left out. */
  readonly axes?: readonly number[];
  /** Keeps a reduced axis with length 1. */
  readonly keepDims?: boolean;
}

/** @throws ArgumentError for axes that x does not have, or one twice */
export function reducedAxes(op: string, x: Spec, { axes }: ReduceAttributes): Set<number> {
  const reduced = new Set(axes ? axes.map((axis) => axisOf(op, x, axis)) : x.shape.keys());
  if (!axes || reduced.size === axes.length) return reduced;
  throw new ArgumentError(`${op}: expected each axis once, got [${axes.join(', ')}] of ${describe(x)}`);
}

/** What a reduction leaves of a spec. */
export const reducedSpec = (x: Spec, reduced: ReadonlySet<number>, keepDims = false): Spec => ({
  dtype: x.dtype,
  shape: keepDims
    ? x.shape.map((length, axis) => (reduced.has(axis) ? 1 : length))
    : x.shape.filter((_, axis) => !reduced.has(axis)),
  rows: reduced.has(0) ? undefined : x.rows,
});

// The lists are those of `wgsl/reduce.wgsl`.
const opCode = { sum: 0, max: 1, min: 2, prod: 3 } as const;
const beforeCode = { nothing: 0, abs: 1, square: 2, exp: 3, isBase: 4, isZero: 5, notZero: 6 } as const;
const afterCode = { nothing: 0, sqrt: 1, log: 2, logPlusBase: 3 } as const;

/** What is combined, and how. Integers know the operations alone. */
export interface Reduction {
  readonly op: keyof typeof opCode;
  /** The sum, divided by the number of elements. */
  readonly mean?: boolean;
  /** Done to each element before. */
  readonly before?: keyof typeof beforeCode;
  /** Done to the result. */
  readonly after?: keyof typeof afterCode;
}

/** Elements that one invocation combines, one after the other. Another number gives other bits. */
export const CHUNK = 256;

interface Step extends Reduction {
  readonly x: Value;
  readonly kept: readonly Axis[];
  readonly over: readonly Axis[];
  /** One number for each result, for what is done before and after. */
  readonly base?: Value | undefined;
}

const lengthOf = (axes: readonly Axis[]): number => sizeOf(axes.map(({ length }) => length));

const chunksOf = ({ over }: Step): number => Math.ceil(lengthOf(over) / CHUNK);

/** The launches that reduce x over some axes to y. */
export function reduceTree(
  x: Value,
  reduced: ReadonlySet<number>,
  y: Value,
  { op, mean, before, after }: Reduction,
  { scratch }: LowerContext,
  base?: Value,
): Dispatch[] {
  const strides = stridesOf(x.shape);
  const axes = x.shape.map((length, axis) => ({ length, strides: [strides[axis]!] }));
  let step: Step = {
    x,
    kept: axes.filter((_, axis) => !reduced.has(axis)),
    over: axes.filter((_, axis) => reduced.has(axis)),
    op,
    base,
    ...(mean && { mean }),
    ...(before && { before }),
  };
  const launches: Dispatch[] = [];
  const outputs = sizeOf(y.shape);
  for (let chunks = chunksOf(step); chunks > 1; chunks = chunksOf(step)) {
    const partial = scratch({ dtype: x.dtype, shape: [outputs, chunks], rows: y.rows });
    launches.push(reduceStep(step, partial, chunks));
    step = {
      x: partial,
      kept: [{ length: outputs, strides: [chunks] }],
      over: [{ length: chunks, strides: [1] }],
      op,
      base,
    };
  }
  return [...launches, reduceStep({ ...step, ...(after && { after }) }, y, 1)];
}

/** One step of the tree: `result` has, for each output, as many partial results as there are chunks. */
export function reduceStep(step: Step, result: Value, chunks: number): Dispatch {
  const { x, kept, over, base, op, mean = false, before = 'nothing', after = 'nothing' } = step;
  const [keptAxes, overAxes] = [mergeAxes(kept), mergeAxes(over)];
  const overSamples = x.rows && !result.rows;
  const size = perSample(result);
  const launch = {
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
    grid: overSamples ? { folded: Math.ceil(size / 64) } : linearGrid(size, 64),
  };
  const OP = opCode[op];
  if (x.dtype !== 'f32') {
    const overrides = { OP, SIGNED: x.dtype === 'i32' };
    return dispatch(reduceIntegersKernel, { ...launch, bind: { x, y: result }, overrides });
  }
  return dispatch(reduceKernel, {
    ...launch,
    // A kernel's bindings are all bound: where there is none, it is given something that it does not look at.
    bind: { x, y: result, base: base ?? x },
    overrides: { OP, MEAN: mean, BEFORE: beforeCode[before], AFTER: afterCode[after] },
  });
}
