import { sizeOf } from '../tensor/spec.ts';
import type { Rows, Spec } from '../tensor/spec.ts';
import { dispatch, expected, liveCountOf } from './define.ts';
import type { Dispatch, LiveCount, LowerContext, Operand, Value } from './define.ts';
import type { ExitKernels } from './exit-kernels.ts';
import { compactKernel } from './generated/compact.ts';
import { ExitRecord, ExitSettings } from './generated/exit-check.ts';

/** What a row's scores are judged by, and where the answer goes: the same for every operation that decides. */
export interface Decision {
  /** An `ExitSettings`. */
  settings: Operand;
  /**
   * `f32[classes]`, a threshold for each label, or `f32[1]` where the settings ask for none; of kernels of one's own
   * the parameters.
   */
  classThresholds: Operand;
  /** `u32[rows]`: where in the batch each row came from. */
  origin: Operand;
  /** An `ExitRecord` per row of the batch, changed in place. */
  records: Operand;
}

/** Of a decision: the rows that stay in the order they had, and where in the batch each came from. */
export type Staying = 'order' | 'nextOrigin';

type Specs<T> = { readonly [K in keyof T]: Spec };
type Values<T> = { readonly [K in keyof T]: Value };

/** @throws ShapeError */
export function inferDecision(
  op: string,
  rows: Rows,
  classes: number,
  decision: Specs<Decision>,
  { next, kernels }: { next?: Rows; kernels?: ExitKernels },
): { readonly [K in Staying]: Spec } {
  const { settings, classThresholds, origin, records } = decision;
  const originFits = origin.dtype === 'u32' && origin.rows === rows && origin.shape.join() === String(rows.max);
  if (!originFits || sizeOf(settings.shape) * 4 !== ExitSettings.size) {
    throw expected(op, `origin u32[${rows.label}] of the same rows and ExitSettings`, origin, settings);
  }
  const sizes = kernels?.params ? [kernels.params.size / 4] : [1, classes];
  if (classThresholds.dtype !== 'f32' || !sizes.includes(sizeOf(classThresholds.shape))) {
    throw expected(op, `thresholds f32[${classes}] by class, or f32[1]`, classThresholds);
  }
  if (sizeOf(records.shape) * 4 < ExitRecord.size * rows.max) {
    throw expected(op, `records of ${rows.max} x ${ExitRecord.size} bytes`, records);
  }
  if (next && (next === rows || next.max !== rows.max)) {
    const got = { dtype: 'u32', shape: [next.max], rows: next } as const;
    throw expected(op, `rows that follow of their own, at most ${rows.max}`, got);
  }
  const list = { dtype: 'u32', shape: [rows.max], rows: next ?? rows } as const;
  return { order: list, nextOrigin: list };
}

/** Where a kernel says of each row whether it stays: of a single row, that is the live count of those that follow. */
export function staysOf(rows: Rows, next: Rows | undefined, { scratch }: LowerContext): Value | LiveCount {
  return next && rows.max === 1 ? liveCountOf(next) : scratch({ dtype: 'u32', shape: [rows.max], rows });
}

/** The launches that list the rows that stay, where a kernel has left that in `stays`. */
export function regroup(
  { settings, origin }: Values<Decision>,
  stays: Value | LiveCount,
  outputs: { readonly [K in Staying]: Value },
  next?: Rows,
): Dispatch[] {
  if (!next || stays.kind === 'live') return [];
  const bind = { settings, stays, origin, ...outputs, next: liveCountOf(next) };
  return [dispatch(compactKernel, { bind, grid: [1], rows: origin.rows! })];
}

/** The launches of an operation that decides, with kernels of one's own where there are such. */
export function withKernels(launches: readonly Dispatch[], kernels: ExitKernels | undefined): Dispatch[] {
  return launches.map((launch) => {
    const kernel = kernels?.linked?.[launch.kernel.name];
    if (!kernel) return launch;
    return { ...launch, kernel, bind: { ...launch.bind, criterion: launch.bind['classThresholds']! } };
  });
}
