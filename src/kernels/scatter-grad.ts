import { perSample, sizeOf } from '../tensor/spec.ts';
import type { Spec } from '../tensor/spec.ts';
import { alongAxis } from './axes.ts';
import { defineOp, dispatch, isGradient, linearGrid } from './define.ts';
import type { Dispatch, LowerContext, Op, Operand, Value } from './define.ts';
import { scatterAddKernel, scatterAddU32Kernel } from './generated/scatter-add.ts';
import { scatterLinksKernel } from './generated/scatter-links.ts';
import { zeros } from './pad.ts';

/**
 * Adds the updates to what y holds, in two launches: the positions that share an index are linked to one another, then
 * the first of them adds up for all. Nothing is added atomically, so that the same indices give the same bits.
 */
export function addInto(
  y: Value,
  { indices, updates }: { readonly indices: Value; readonly updates: Value },
  { axis, each }: { readonly axis: number; readonly each: boolean },
  { scratch }: LowerContext,
): Dispatch[] {
  const { count: length, stride: behind } = alongAxis(y, axis);
  const links = scratch({ dtype: 'u32', shape: indices.shape, ...(indices.rows && { rows: indices.rows }) });
  const count = each ? alongAxis(indices, axis).count : sizeOf(indices.shape);
  const isSigned = Number(indices.dtype === 'i32');
  return [
    dispatch(scatterLinksKernel, {
      bind: { indices, links },
      params: { sizePerSample: perSample(indices), count, behind: each ? behind : 1, length, isSigned },
      grid: linearGrid(perSample(indices), 64),
    }),
    dispatch(y.dtype === 'f32' ? scatterAddKernel : scatterAddU32Kernel, {
      bind: { indices, links, updates, y },
      params: { sizePerSample: perSample(updates), count, behind, length, isSigned },
      overrides: { EACH: each },
      grid: linearGrid(perSample(updates), 64),
    }),
  ];
}

interface GradAttributes {
  readonly like: Spec;
  readonly axis: number;
  readonly each: boolean;
}

/** The gradient of what was picked, added up where it came from. */
export const scatterGrad: Op<{ indices: Operand; updates: Operand }, 'y', GradAttributes> = defineOp({
  name: 'scatter-grad',
  infer: ({ updates }, { like: { shape, rows } }) => ({ y: { dtype: updates.dtype, shape, rows } }),
  lower: (given, { y }, attributes, context) => [
    zeros(y, context.scratch({ dtype: y.dtype, shape: [1] })),
    ...addInto(y, given, attributes, context),
  ],
  gradient: isGradient,
});
