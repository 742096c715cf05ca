import { sizeOf } from '../tensor/spec.ts';
import type { Rows } from '../tensor/spec.ts';
import { defineOp, dispatch, expected, linearGrid, liveCountOf, none } from './define.ts';
import type { Operand } from './define.ts';
import { compactKernel } from './generated/compact.ts';
import { exitCheckGroupKernel } from './generated/exit-check-group.ts';
import { exitCheckWideKernel } from './generated/exit-check-wide.ts';
import { ExitRecord, ExitSettings, exitCheckKernel } from './generated/exit-check.ts';

export { ExitRecord, ExitSettings };

/** What stands in place of the decision of a row that goes on. */
export const GO_ON = 0xffffffff;
/** Set in the label of a row that had a NaN or infinite logit; only the last exit answers for such a row. */
export const NOT_FINITE = 0x80000000;

/** From here on a workgroup shares a row; below, one invocation does it alone, without barriers. */
const WIDE = 256;
/** Rows that one workgroup checks and regroups in one launch. */
const GROUP = 64;

export interface ExitCheckAttributes {
  /** The rows that follow, as many as stay: their live count is written, and their order. Left out at the last exit. */
  readonly next?: Rows;
}

/**
 * The fused exit check: one pass over the classes gives label, confidence, margin and entropy (nats), decides by
 * `settings`, writes each row's record at its `origin`, and lists the rows that stay.
 * logits: `f32[rows, classes]`; settings: an `ExitSettings`; classThresholds: `f32[classes]`, a threshold for each label,
 * or `f32[1]` where the settings ask for none; origin: `u32[rows]`; records: an `ExitRecord` per row of the batch, changed
 * in place. Results, both `u32[next]`: `order`, the rows that stay in the order they had, and `nextOrigin`, where in the
 * batch each came from; of a single row there is no order to speak of, and neither is written.
 */
export const exitCheck = defineOp<
  { logits: Operand; settings: Operand; classThresholds: Operand; origin: Operand; records: Operand },
  'order' | 'nextOrigin',
  ExitCheckAttributes
>({
  name: 'exit-check',
  infer({ logits, settings, classThresholds, origin, records }, { next }) {
    const { rows } = logits;
    // One row per sample: a decision is a sample's.
    const rowsFit = rows && logits.shape[0] === rows.max && origin.rows === rows && origin.shape.join() === String(rows.max);
    const fits = logits.dtype === 'f32' && logits.shape.length === 2 && logits.shape[1]! > 0 && origin.dtype === 'u32';
    if (!rowsFit || !fits || sizeOf(settings.shape) * 4 !== ExitSettings.size) {
      throw expected('exit-check', 'logits f32[rows, classes], origin u32[rows] of the same rows and ExitSettings', logits, origin, settings);
    }
    if (classThresholds.dtype !== 'f32' || ![1, logits.shape[1]].includes(sizeOf(classThresholds.shape))) {
      throw expected('exit-check', `thresholds f32[${logits.shape[1]}] by class, or f32[1]`, classThresholds);
    }
    if (sizeOf(records.shape) * 4 < ExitRecord.size * rows.max) {
      throw expected('exit-check', `records of ${rows.max} x ${ExitRecord.size} bytes`, records);
    }
    if (next && (next === rows || next.max !== rows.max)) {
      throw expected('exit-check', `rows that follow of their own, at most ${rows.max}`, { dtype: 'u32', shape: [next.max], rows: next });
    }
    const list = { dtype: 'u32', shape: [rows.max], rows: next ?? rows } as const;
    return { order: list, nextOrigin: list };
  },
  lower({ logits, settings, classThresholds, origin, records }, { order, nextOrigin }, { next }, { scratch }) {
    const [count, classes] = logits.shape as [number, number];
    const shared = { settings, classThresholds, records, logits, origin };
    const params = { classes };
    if (next && count > 1 && count <= GROUP && classes < WIDE) {
      const bind = { ...shared, order, nextOrigin, next: liveCountOf(next) };
      return [dispatch(exitCheckGroupKernel, { bind, params, grid: [1], rows: logits.rows! })];
    }
    // Of a single row, whether it stays is the live count of those that follow.
    const single = next && count === 1;
    const stays = single ? liveCountOf(next) : scratch({ dtype: 'u32', shape: [count], rows: logits.rows! });
    const bind = { ...shared, stays };
    const check =
      classes < WIDE
        ? dispatch(exitCheckKernel, { bind, params, grid: linearGrid(1, 64), rows: logits.rows! })
        : dispatch(exitCheckWideKernel, { bind, params, grid: linearGrid(1, 1), rows: logits.rows! });
    if (!next || single) return [check];
    const compaction = { settings, stays, origin, order, nextOrigin, next: liveCountOf(next) };
    return [check, dispatch(compactKernel, { bind: compaction, grid: [1], rows: logits.rows! })];
  },
  gradient: none('a decision is not differentiable; train with the losses of the exits'),
});
