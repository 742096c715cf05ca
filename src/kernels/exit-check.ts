import { ArgumentError } from '../errors.ts';
import type { Rows } from '../tensor/spec.ts';
import { defineOp, dispatch, expected, linearGrid, liveCountOf, none } from './define.ts';
import type { Grid, Operand } from './define.ts';
import { inferDecision, regroup, staysOf, withKernels } from './exit-decision.ts';
import type { Decision, Staying } from './exit-decision.ts';
import { takeLinear } from './exit-head.ts';
import type { ExitKernels } from './exit-kernels.ts';
import { exitCheckGroupKernel } from './generated/exit-check-group.ts';
import { exitCheckJoinKernel } from './generated/exit-check-join.ts';
import { ExitPart, exitCheckSplitHalfKernel, exitCheckSplitKernel } from './generated/exit-check-split.ts';
import { exitCheckSubgroupHalfKernel, exitCheckSubgroupKernel } from './generated/exit-check-subgroup.ts';
import { exitCheckWideHalfKernel, exitCheckWideKernel } from './generated/exit-check-wide.ts';
import { ExitRecord, ExitSettings, exitCheckHalfKernel, exitCheckKernel } from './generated/exit-check.ts';
import type { Kernel } from './kernel.ts';

export { ExitRecord, ExitSettings };

/** What stands in place of the decision of a row that goes on. */
export const GO_ON = 0xffffffff;
/** Set in the label of a row that had a NaN or infinite logit; only the last exit answers for such a row. */
export const NOT_FINITE = 0x80000000;

/**
 * Who computes a row's scores: an invocation, a subgroup (needs the feature `subgroups`), a workgroup, or several
 * workgroups of which each takes a part of the classes. Labels and flags are the same whoever does it; scores differ in
 * the last bits, since sums have another order: of `subgroup` it depends on the device, of the others it does not.
 */
export type ExitVariant = 'row' | 'subgroup' | 'workgroup' | 'split';

/** From so many classes on a workgroup shares a row; below, one invocation does it alone, without barriers. */
const WIDE = 2048;
/** From so many classes on several workgroups share a row; below, the second launch costs more than they save. */
const VERY_WIDE = 65_536;
/** Classes of a workgroup that shares its row with others. */
export const SPLIT_CLASSES = 8192;
/** Rows that one workgroup checks and regroups in one launch. */
const GROUP = 64;

type CheckKernel = Kernel<keyof Decision | 'logits' | 'stays', { readonly classes: number }, undefined>;

/** The variants of one launch in which several invocations share a row. */
const SHARED: Readonly<Record<'subgroup' | 'workgroup', { full: CheckKernel; half: CheckKernel; grid: Grid }>> = {
  subgroup: { full: exitCheckSubgroupKernel, half: exitCheckSubgroupHalfKernel, grid: linearGrid(1, 4) },
  workgroup: { full: exitCheckWideKernel, half: exitCheckWideHalfKernel, grid: linearGrid(1, 1) },
};

/** By classes alone, never by rows: a row has the same bits alone and in a batch. */
const variantFor = (classes: number): ExitVariant =>
  classes < WIDE ? 'row' : classes < VERY_WIDE ? 'workgroup' : 'split';

export interface ExitCheckAttributes {
  /** The rows that follow, as many as stay: their live count is written, and their order. Left out at the last exit. */
  readonly next?: Rows;
  /** The logits are pairs of f16, `u32[rows, ceil(classes / 2)]`, the first of a pair in the lower half. */
  readonly half?: { readonly classes: number };
  /** Behind the logits of a row, in a column more, its halting score: f32, and for the variant `row` alone. */
  readonly halting?: boolean;
  /** Chosen by the number of classes if left out. */
  readonly variant?: ExitVariant;
  /** In place of the kernels here; `whole` ones take f32 logits. */
  readonly kernels?: ExitKernels;
}

/**
 * The fused exit check: one pass over the classes gives label, confidence, margin and entropy (nats), decides by
 * `settings`, writes each row's record at its `origin`, and lists the rows that stay.
 * logits: `f32[rows, classes]`, with `halting` `f32[rows, classes + 1]`, or what `half` says; settings: an
 * `ExitSettings`; classThresholds: `f32[classes]`, a threshold for each label, or `f32[1]` where the settings ask for
 * none; origin: `u32[rows]`; records: an `ExitRecord` per row of the batch, changed in place. Results, both `u32[next]`:
 * `order`, the rows that stay in the order they had, and `nextOrigin`, where in the batch each came from; of a single
 * row there is no order to speak of, and neither is written.
 */
export const exitCheck = defineOp<{ logits: Operand } & Decision, Staying, ExitCheckAttributes>({
  name: 'exit-check',
  infer({ logits, ...decision }, { next, half, halting = false, variant = 'row', kernels }) {
    const { rows, dtype, shape } = logits;
    const classes = half?.classes ?? shape[1]! - Number(halting);
    const words = half ? Math.ceil(classes / 2) : classes + Number(halting);
    // One row per sample: a decision is a sample's.
    const fits = rows && shape.length === 2 && shape[0] === rows.max && shape[1] === words && classes > 0;
    if (!fits || dtype !== (half ? 'u32' : 'f32') || !Number.isInteger(classes)) {
      const full = `f32[rows, classes${halting ? ' + 1' : ''}]`;
      const wanted = half ? `u32[rows, ${words}], pairs of ${classes} f16` : full;
      throw expected('exit-check', `logits ${wanted}`, logits);
    }
    if (variant !== 'row' && variant !== 'split' && !Object.hasOwn(SHARED, variant)) {
      throw new ArgumentError(`exit-check: expected variant row, subgroup, workgroup or split, got ${String(variant)}`);
    }
    if (halting && (variant !== 'row' || half || kernels?.whole)) {
      const got = half ? 'pairs of f16' : kernels?.whole ? 'an exit kernel of your own' : `variant ${variant}`;
      throw new ArgumentError(`exit-check: expected f32 logits and variant row with a halting score, got ${got}`);
    }
    return inferDecision('exit-check', rows, classes, decision, { next, kernels });
  },
  lower({ logits, ...decision }, outputs, { next, half, halting = false, variant, kernels }, context) {
    const rows = logits.rows!;
    const classes = half?.classes ?? logits.shape[1]! - Number(halting);
    const chosen = variant ?? (halting ? 'row' : variantFor(classes));
    const perRow = { classes, halting: Number(halting) };
    const bind = { ...decision, logits };
    if (chosen === 'row' && !half && !kernels?.whole && next && rows.max > 1 && rows.max <= GROUP) {
      const all = { ...bind, ...outputs, next: liveCountOf(next) };
      const group = dispatch(exitCheckGroupKernel, { bind: all, params: perRow, grid: [1], rows });
      return withKernels([group], kernels);
    }
    const stays = staysOf(rows, next, context);
    const after = regroup(decision, stays, outputs, next);
    if (kernels?.whole) {
      const { kernel, rowsPerWorkgroup } = kernels.whole;
      const own = { ...bind, criterion: decision.classThresholds, stays };
      const grid = linearGrid(1, rowsPerWorkgroup);
      return [dispatch(kernel, { bind: own, params: { classes }, grid, rows }), ...after];
    }
    const all = { ...bind, stays };
    if (chosen === 'row') {
      const kernel = half ? exitCheckHalfKernel : exitCheckKernel;
      const check = dispatch(kernel, { bind: all, params: perRow, grid: linearGrid(1, 64), rows });
      return withKernels([check, ...after], kernels);
    }
    if (chosen !== 'split') {
      const { grid, [half ? 'half' : 'full']: kernel } = SHARED[chosen];
      const check = dispatch(kernel, { bind: all, params: { classes }, grid, rows });
      return withKernels([check, ...after], kernels);
    }
    const params = { classes, parts: Math.ceil(classes / SPLIT_CLASSES) };
    const words = params.parts * exitCheckSplitKernel.workgroupSize[0] * (ExitPart.size / 4);
    const found = context.scratch({ dtype: 'u32', shape: [rows.max, words], rows });
    const { settings } = decision;
    const split = half ? exitCheckSplitHalfKernel : exitCheckSplitKernel;
    const launches = [
      dispatch(split, { bind: { settings, logits, found }, params, grid: linearGrid(params.parts, 1), rows }),
      dispatch(exitCheckJoinKernel, { bind: { ...decision, found, stays }, params, grid: linearGrid(1, 1), rows }),
      ...after,
    ];
    return withKernels(launches, kernels);
  },
  gradient: none('a decision is not differentiable; train with the losses of the exits'),
  takes(before, through, attributes, inputs) {
    const { logits: _, ...decision } = inputs;
    return through === 'logits' ? takeLinear(before, attributes, decision) : undefined;
  },
});
