import { perSample, sizeOf } from '../tensor/spec.ts';
import type { Spec } from '../tensor/spec.ts';
import { alongAxis, axisBehindSamples, axisOf } from './axes.ts';
import { bitsOf, missing } from './bits.ts';
import { defineOp, dispatch, expected, linearGrid } from './define.ts';
import type { Op, Operand, Value } from './define.ts';
import { gatherKernel } from './generated/gather.ts';
import { scatterGrad } from './scatter-grad.ts';

export interface GatherAttributes {
  /** Along which axis of x; negative: counted from the last. */
  readonly axis: number;
  /** What stands where an index is out of range; where left out NaN, which shows, or 0 where the dtype has none. */
  readonly fill?: number;
}

type Operands = { x: Operand; indices: Operand };

const pick = (op: string, each: boolean, x: Value, indices: Value, y: Value, axis: number, fill: number) => {
  const { count: length, stride: behind } = alongAxis(x, axis);
  return dispatch(gatherKernel, {
    bind: { x, indices, y },
    params: {
      sizePerSample: perSample(y),
      // Of the indices: all of them where they belong to samples, since then nothing is before them.
      count: each ? alongAxis(indices, axis).count : sizeOf(indices.shape),
      behind,
      length,
      isSigned: Number(indices.dtype === 'i32'),
      fill: bitsOf(op, x.dtype, fill),
    },
    overrides: { EACH: each },
    grid: linearGrid(perSample(y), 256),
  });
};

/** Says where the samples of a gather are. @throws ShapeError */
export function gatheredShape(op: string, x: Spec, indices: Spec, axis: number): Spec {
  const at = axisOf(op, x, axis);
  if (indices.dtype === 'f32') throw expected(op, 'indices u32 or i32', x, indices);
  if (x.rows && indices.rows) {
    const wayOut = 'gatherElements and scatterAddElements take indices for each sample';
    throw expected(op, `samples of x or of indices, not of both; ${wayOut}`, x, indices);
  }
  if ((x.rows && at === 0) || (indices.rows && at > 0)) {
    const wanted = x.rows ? 'an axis behind that of the samples' : 'axis 0, where indices have samples';
    throw expected(op, `${wanted}, not ${axis}`, x, indices);
  }
  return { dtype: x.dtype, shape: x.shape.toSpliced(at, 1, ...indices.shape), rows: x.rows ?? indices.rows };
}

/**
 * The positions `indices` along one axis of x: `y[..., j, ...] = x[..., indices[j], ...]`, where j stands for all axes
 * of indices. x: any dtype; indices: u32 or i32 of any shape, negative ones count from the end. Either may have
 * samples, indices only if they pick along axis 0. An index out of range gives `fill`, and its gradient goes nowhere.
 * The gradient of x: see `scatterAdd`.
 */
export const gather: Op<Operands, 'y', GatherAttributes> = defineOp<Operands, 'y', GatherAttributes>({
  name: 'gather',
  half: ['x'],
  infer: ({ x, indices }, { axis }) => ({ y: gatheredShape('gather', x, indices, axis) }),
  lower: ({ x, indices }, { y }, { axis, fill = missing(x.dtype) }) => [
    pick('gather', false, x, indices, y, axisOf('gather', x, axis), fill),
  ],
  gradient: ({ x, indices, dy }, { axis }) => ({
    x: () => scatterGrad({ indices, updates: dy }, { like: x, axis: axisOf('gather', x, axis), each: false }),
  }),
});

/** Says whether indices have a place in x for each element along one axis. @throws ShapeError */
export function elementsShape(op: string, x: Spec, indices: Spec, axis: number): Spec {
  const at = axisBehindSamples(op, x, axis);
  const alike = indices.shape.length === x.shape.length && indices.shape.every((n, i) => i === at || n === x.shape[i]);
  if (indices.dtype === 'f32' || !alike || indices.rows !== x.rows) {
    throw expected(op, `indices u32 or i32, of the same samples as x, and alike but for axis ${at}`, x, indices);
  }
  return { dtype: x.dtype, shape: indices.shape, rows: x.rows };
}

/**
 * Along one axis of x, for each element the one that its own index means: with axis 1 `y[i, j] = x[i, indices[i, j]]`.
 * x: any dtype; indices: u32 or i32, of the shape of x but for that axis, and of the same samples. Otherwise like
 * `gather`.
 */
export const gatherElements: Op<Operands, 'y', GatherAttributes> = defineOp<Operands, 'y', GatherAttributes>({
  name: 'gather-elements',
  half: ['x'],
  infer: ({ x, indices }, { axis }) => ({ y: elementsShape('gather-elements', x, indices, axis) }),
  lower: ({ x, indices }, { y }, { axis, fill = missing(x.dtype) }) => [
    pick('gather-elements', true, x, indices, y, axisOf('gather-elements', x, axis), fill),
  ],
  gradient: ({ x, indices, dy }, { axis }) => ({
    x: () => scatterGrad({ indices, updates: dy }, { like: x, axis: axisOf('gather-elements', x, axis), each: true }),
  }),
});
