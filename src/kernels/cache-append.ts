import { perSample, sizeOf } from '../tensor/spec.ts';
import { axisBehindSamples, withLength } from './axes.ts';
import { defineOp, dispatch, expected, linearGrid, none } from './define.ts';
import type { Operand } from './define.ts';
import { cacheAppendKernel } from './generated/cache-append.ts';

export interface CacheAppendAttributes {
  /** The axis of the positions; -2 where left out. */
  readonly axis?: number;
  /** Positions beyond the last go on at the first; else what is beyond is left out. */
  readonly circular?: boolean;
}

/**
 * Keys or values of attention written behind those of earlier steps, in the memory of `x`, which is used up: the result
 * is that memory. x: the cache, `[batch, heads, length, d]`, of any shape and dtype, mostly a tensor that outlives the
 * program; update: the same but for `t` positions; position: `u32[1]`, where the first of them goes, or `u32[batch]`.
 */
export const cacheAppend = defineOp<{ x: Operand; update: Operand; position: Operand }, 'y', CacheAppendAttributes>({
  name: 'cache-append',
  half: ['x', 'update'],
  view: 'in place',
  infer({ x, update, position }, { axis = -2 }) {
    const at = axisBehindSamples('cache-append', update, axis);
    const alike =
      update.shape.length === x.shape.length && withLength(update, at, x.shape[at]!).shape.join() === x.shape.join();
    const samples = !x.rows || x.rows === update.rows;
    const one = position.shape.join() === '1' && !position.rows;
    const byBatch = at > 0 && position.shape.join() === String(x.shape[0]);
    const each = byBatch && (!position.rows || position.rows === update.rows);
    if (!alike || x.dtype !== update.dtype || !samples || position.dtype === 'f32' || !(one || each)) {
      const shapes = `x and update of one dtype, alike but for axis ${at}, and position u32[1] or u32[batch]`;
      throw expected('cache-append', shapes, x, update, position);
    }
    return { y: { dtype: x.dtype, shape: x.shape, rows: update.rows } };
  },
  lower({ x, update, position }, _, { axis = -2, circular = false }) {
    const at = axisBehindSamples('cache-append', update, axis);
    const sizePerSample = perSample(update);
    const byBatch = position.shape[0] !== 1 || Boolean(position.rows);
    return [
      dispatch(cacheAppendKernel, {
        bind: { update, positions: position, y: x },
        params: {
          sizePerSample,
          count: update.shape[at]!,
          length: x.shape[at]!,
          behind: sizeOf(x.shape.slice(at + 1)),
          outerPerBatch: byBatch ? sizeOf(x.shape.slice(1, at)) : 0,
        },
        overrides: { CIRCULAR: circular },
        grid: linearGrid(sizePerSample, 64),
        ...(update.rows && { rows: update.rows }),
      }),
    ];
  },
  gradient: none('it changes a cache in place, for inference'),
});
