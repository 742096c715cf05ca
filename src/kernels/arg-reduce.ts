import type { Spec } from '../tensor/spec.ts';
import { alongAxis, axisBehindSamples, dtypeCode, withLength } from './axes.ts';
import { defineOp, dispatch, expected, linearGrid, none } from './define.ts';
import type { Dispatch, LowerContext, Op, Operand, Value } from './define.ts';
import { argReduceKernel } from './generated/arg-reduce.ts';

/** As in `wgsl/lib/order-key.wgsl`. */
export const orderCode = { descending: 0, ascending: 1, ascendingNanLast: 2 } as const;

/** Candidates that one invocation looks through. */
const CHUNK = 256;

export interface Selection {
  readonly axis: number;
  /** How many are selected; well below the chunk, since each takes a pass through it. */
  readonly keep: number;
  readonly order: keyof typeof orderCode;
  /** Of equal elements the last comes first. */
  readonly last?: boolean;
}

/** Where along an axis the foremost elements of x are, to y: u32, of x's shape but for the axis. */
export function select(x: Value, y: Value, selection: Selection, { scratch }: LowerContext): Dispatch[] {
  const { axis, keep, order, last = false } = selection;
  const { outerPerSample, count: length, stride } = alongAxis(x, axis);
  const linesPerSample = outerPerSample * stride;
  const launches: Dispatch[] = [];
  let candidates: Value | undefined;
  for (let count = length; ; ) {
    const chunks = Math.ceil(count / CHUNK);
    const total = (chunks - 1) * keep + Math.min(keep, count - (chunks - 1) * CHUNK);
    const lines = linesPerSample * (x.rows?.max ?? 1);
    const picked: Value = chunks > 1 ? scratch({ dtype: 'u32', shape: [lines, total], rows: x.rows }) : y;
    launches.push(
      dispatch(argReduceKernel, {
        // A kernel's bindings are all bound: where there is none, it is given something that it does not look at.
        bind: { x, candidates: candidates ?? x, y: picked },
        params: {
          linesPerSample,
          length,
          stride,
          count,
          chunk: CHUNK,
          chunks,
          keep,
          total,
          yStride: chunks > 1 ? 1 : stride,
          dtype: dtypeCode[x.dtype],
          order: orderCode[order],
          last: Number(last),
        },
        overrides: { FIRST: !candidates },
        grid: linearGrid(linesPerSample * chunks, 64),
      }),
    );
    if (chunks === 1) return launches;
    [candidates, count] = [picked, total];
  }
}

/** The axis along which positions are compared. @throws ShapeError if there are none */
export function axisOfPositions(op: string, x: Spec, axis: number): number {
  const at = axisBehindSamples(op, x, axis);
  if (x.shape[at] === 0) throw expected(op, `at least one element along axis ${at}`, x);
  return at;
}

export interface ArgReduceAttributes {
  /** Negative: counted from the last. Not the axis of the samples. */
  readonly axis: number;
  /** Keeps the axis with length 1. */
  readonly keepDims?: boolean;
  /** Of equal elements the last instead of the first. */
  readonly last?: boolean;
}

/* @__NO_SIDE_EFFECTS__ */
const member = (name: string, order: Selection['order']): Op<{ x: Operand }, 'y', ArgReduceAttributes> =>
  defineOp<{ x: Operand }, 'y', ArgReduceAttributes>({
    name,
    half: ['x'],
    infer({ x }, { axis, keepDims }) {
      const at = axisOfPositions(name, x, axis);
      const { shape, rows } = keepDims ? withLength(x, at, 1) : { ...x, shape: x.shape.toSpliced(at, 1) };
      return { y: { dtype: 'u32', shape, rows } };
    },
    lower: ({ x }, { y }, { axis, last }, context) =>
      select(x, y, { axis, keep: 1, order, ...(last && { last }) }, context),
    gradient: none('a position does not change with the elements, but where it jumps'),
  });

/**
 * Where along an axis the greatest element is: u32. x: any dtype and shape; the result lacks the axis, or has it with
 * length 1. Of equal elements the first; -0 equals 0. NaN is found before any number (as numpy's argmax and argmin do).
 */
export const argMax = member('arg-max', 'descending');

/** Where along an axis the smallest element is, like `argMax`. */
export const argMin = member('arg-min', 'ascending');
