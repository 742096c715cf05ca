import type { Spec } from '../tensor/spec.ts';
import { alongAxis, axisBehindSamples } from './axes.ts';
import { defineOp, dispatch, linearGrid, none } from './define.ts';
import type { Dispatch, GradientRule, LowerContext, NoGradient, Op, Operand, Value } from './define.ts';
import { cumulativeIntegersKernel, cumulativeKernel } from './generated/cumulative.ts';
import { CHUNK, reduceStep } from './reduce-tree.ts';

export interface CumulativeAttributes {
  /** Negative: counted from the last. Not the axis of the samples. */
  readonly axis: number;
  /** Leaves out the element itself: the first result is that of no elements. */
  readonly exclusive?: boolean;
  /** From the last element to the first. */
  readonly reverse?: boolean;
}

type Operation = 'sum' | 'prod';

/** The launches; along an axis longer than a chunk also those of each chunk alone, and of what stands before each. */
function accumulated(
  x: Value,
  y: Value,
  op: Operation,
  { axis, exclusive = false, reverse = false }: CumulativeAttributes,
  context: LowerContext,
): Dispatch[] {
  const { outerPerSample, count: length, stride } = alongAxis(x, axis);
  const linesPerSample = outerPerSample * stride;
  const outer = outerPerSample * (x.rows?.max ?? 1);
  const chunks = Math.ceil(length / CHUNK);
  const launches: Dispatch[] = [];
  let start: Value | undefined;
  if (chunks > 1) {
    const perChunk: Spec = { dtype: x.dtype, shape: [outer * stride, chunks], rows: x.rows };
    const totals = context.scratch(perChunk);
    start = context.scratch(perChunk);
    const kept = [
      { length: outer, strides: [length * stride] },
      { length: stride, strides: [1] },
    ];
    launches.push(
      reduceStep({ x, kept, over: [{ length, strides: [stride] }], op }, totals, chunks),
      ...accumulated(totals, start, op, { axis: 1, exclusive: true, reverse }, context),
    );
  }
  const launch = {
    // A kernel's bindings are all bound: where there is none, it is given something that it does not look at.
    bind: { x, start: start ?? x, y },
    params: {
      linesPerSample,
      length,
      stride,
      chunk: CHUNK,
      chunks,
      exclusive: Number(exclusive),
      reverse: Number(reverse),
    },
    overrides: { PRODUCT: op === 'prod', CHUNKED: chunks > 1 },
    grid: linearGrid(linesPerSample * chunks, 64),
  };
  return [...launches, dispatch(x.dtype === 'f32' ? cumulativeKernel : cumulativeIntegersKernel, launch)];
}

/* @__NO_SIDE_EFFECTS__ */
const member = (
  name: string,
  operation: Operation,
  gradient: GradientRule<{ x: Operand }, 'y', CumulativeAttributes> | NoGradient,
): Op<{ x: Operand }, 'y', CumulativeAttributes> =>
  defineOp<{ x: Operand }, 'y', CumulativeAttributes>({
    name,
    infer({ x }, { axis }) {
      axisBehindSamples(name, x, axis);
      return { y: x };
    },
    lower: ({ x }, { y }, attributes, context) => accumulated(x, y, operation, attributes, context),
    gradient,
  });

/**
 * The sum of all elements up to each one along an axis. x: f32, i32 or u32 of any shape; integers wrap around. NaN and
 * infinities count from where they stand on. Elements are added in chunks of fixed length, so that a sum's bits depend
 * on its place alone.
 */
export const cumulativeSum: Op<{ x: Operand }, 'y', CumulativeAttributes> = member(
  'cumulative-sum',
  'sum',
  ({ dy }, { axis, exclusive = false, reverse = false }) => ({
    x: () => cumulativeSum({ x: dy }, { axis, exclusive, reverse: !reverse }),
  }),
);

/** The product of all elements up to each one along an axis, like `cumulativeSum`. */
export const cumulativeProduct = member(
  'cumulative-product',
  'prod',
  none('elements that are 0 would take a pass each; of positive ones take exp of the cumulativeSum of log'),
);
