import { ArgumentError } from '../errors.ts';
import { ExitSettings } from '../kernels/exit-check.ts';
import { writeStruct } from '../kernels/kernel.ts';

/**
 * What an exit decides by, on the softmax of its logits: `entropy` leaves below the threshold (nats), `confidence` (the
 * greatest probability) and `margin` (the greatest minus the second) leave above it; all strictly.
 */
export const CRITERIA = ['entropy', 'confidence', 'margin'] as const;
export type CriterionKind = (typeof CRITERIA)[number];

export interface Criterion {
  readonly kind: CriterionKind;
  /** One per exit but the last. */
  readonly thresholds: readonly number[];
  /** Divides the logits before the softmax; one per exit, 1 where left out. */
  readonly temperatures?: readonly number[];
}

/** The criterion words of the kernel. */
const WORDS = { entropy: 0, confidence: 1, margin: 2, always: 3 } as const;

const makeCriterion =
  (kind: CriterionKind) =>
  (...thresholds: number[]): Criterion => ({ kind, thresholds });

/** Leaves where the entropy in nats is below the exit's threshold: `entropy(0.025)`; one threshold serves all exits. */
export const entropy = makeCriterion('entropy');
/** Leaves where the greatest probability is above the exit's threshold. */
export const confidence = makeCriterion('confidence');
/** Leaves where the greatest probability exceeds the second by more than the exit's threshold. */
export const margin = makeCriterion('margin');

/** Whether scores let a row leave: the rule of the kernel, whose threshold is an f32, for replaying recorded scores. */
export function leaves(kind: CriterionKind, threshold: number, scores: { entropy: number; confidence: number; margin: number }): boolean {
  const limit = Math.fround(threshold);
  return kind === 'entropy' ? scores.entropy < limit : scores[kind] > limit;
}

/** Scores in f32, and thresholds chosen among them, may be this much beyond the range. */
const ROUNDING = 1 + 1e-6;

/** The greatest score there is; entropy in nats. */
export const greatestThreshold = (kind: CriterionKind, classes: number): number =>
  kind === 'entropy' ? Math.log(classes) : 1;

/**
 * The criterion with one threshold for each exit but the last.
 * @throws ArgumentError for an unknown kind, a threshold that is no number or out of range, or a wrong count
 */
export function resolveCriterion(criterion: Criterion, exits: number, classes: number): Criterion {
  const { kind, thresholds, temperatures } = criterion;
  if (!CRITERIA.includes(kind)) throw new ArgumentError(`criterion: expected one of ${CRITERIA.join(', ')}, got '${String(kind)}'`);
  const all = thresholds.length === 1 ? new Array<number>(exits - 1).fill(thresholds[0]!) : thresholds;
  if (all.length !== exits - 1) {
    throw new ArgumentError(`${kind}: expected ${exits - 1} thresholds, one per exit but the last, or one for all; got ${thresholds.length}`);
  }
  const most = greatestThreshold(kind, classes);
  for (const threshold of all) {
    if (!(threshold >= 0 && threshold <= most * ROUNDING)) {
      throw new ArgumentError(
        `${kind}: expected thresholds from 0 to ${Number(most.toFixed(4))}${kind === 'entropy' ? ` nats (log of ${classes} classes)` : ''}, got ${threshold}`,
      );
    }
  }
  if (temperatures && (temperatures.length !== exits || temperatures.some((value) => !(value > 0 && value < Infinity)))) {
    throw new ArgumentError(`${kind}: expected ${exits} positive temperatures, one per exit, got [${temperatures.join(', ')}]`);
  }
  return { kind, thresholds: all, ...(temperatures && { temperatures }) };
}

/** The settings of one exit as the kernel reads them. `forced` overrides the criterion. */
export function exitSettings(criterion: Criterion, exit: number, forced?: 'always'): Uint32Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(ExitSettings.size));
  writeStruct(ExitSettings, view, 0, {
    criterion: WORDS[forced ?? criterion.kind],
    threshold: criterion.thresholds[exit - 1] ?? 0,
    inverseTemperature: 1 / (criterion.temperatures?.[exit - 1] ?? 1),
    exit,
  });
  return new Uint32Array(view.buffer);
}
