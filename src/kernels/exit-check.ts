import { sizeOf } from '../tensor/spec.ts';
import { defineOp, dispatch, expected, linearGrid, none } from './define.ts';
import type { Operand } from './define.ts';
import { exitCheckWideKernel } from './generated/exit-check-wide.ts';
import { ExitRecord, ExitSettings, exitCheckKernel } from './generated/exit-check.ts';

export { ExitRecord, ExitSettings };

/** What stands in place of the label of a row that goes on. */
export const GO_ON = 0xffffffff;
/** Set in the label of a row that had a NaN or infinite logit; only the last exit answers for such a row. */
export const NOT_FINITE = 0x80000000;

/** From here on a workgroup shares a row; below, one invocation does it alone, without barriers. */
const WIDE = 256;

/**
 * The fused exit check: one pass over the classes gives label, confidence, margin and entropy (nats), decides by
 * `settings`, writes each row's record at its `origin`, and says which rows stay.
 * logits: `f32[rows, classes]`; settings: an `ExitSettings`; origin: `u32[rows]`; records: an `ExitRecord` per row of the
 * batch, changed in place; result: `u32[rows]`, 1 for a row that goes on.
 */
export const exitCheck = defineOp<{ logits: Operand; settings: Operand; origin: Operand; records: Operand }>({
  name: 'exit-check',
  infer({ logits, settings, origin, records }) {
    // One row per sample: a decision is a sample's.
    const rowsFit = logits.rows && logits.shape[0] === logits.rows.max && origin.rows === logits.rows;
    const fits = logits.dtype === 'f32' && logits.shape.length === 2 && logits.shape[1]! > 0 && origin.dtype === 'u32';
    if (!rowsFit || !fits || origin.shape.join() !== String(logits.shape[0]) || sizeOf(settings.shape) * 4 !== ExitSettings.size) {
      throw expected('exit-check', 'logits f32[rows, classes], origin u32[rows] of the same rows and ExitSettings', logits, origin, settings);
    }
    if (sizeOf(records.shape) * 4 < ExitRecord.size * logits.shape[0]!) {
      throw expected('exit-check', `records of ${logits.shape[0]} x ${ExitRecord.size} bytes`, records);
    }
    return { y: { dtype: 'u32', shape: [logits.shape[0]!], rows: logits.rows } };
  },
  lower({ logits, settings, origin, records }, { y }) {
    const classes = logits.shape[1]!;
    const bind = { logits, settings, origin, records, stays: y };
    return classes < WIDE
      ? [dispatch(exitCheckKernel, { bind, params: { classes }, grid: linearGrid(1, 64) })]
      : [dispatch(exitCheckWideKernel, { bind, params: { classes }, grid: linearGrid(1, 1) })];
  },
  gradient: none('a decision is not differentiable; train with the losses of the exits'),
});
