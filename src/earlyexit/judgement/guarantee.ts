/** How thresholds are certified, see `certify`. */
export const RISK_METHODS = ['conformal', 'ucb', 'fixed-sequence', 'bonferroni'] as const;
export type RiskMethod = (typeof RISK_METHODS)[number];

/** By what the mean of losses is bounded, see `bounds.ts`. */
export const RISK_BOUNDS = ['hoeffding-bentkus', 'waudby-smith-ramdas'] as const;
export type RiskBound = (typeof RISK_BOUNDS)[number];

/**
 * What is known of the risk under thresholds, for samples drawn as those of the calibration set were and for the
 * weights that scored them: under another distribution, or after more training, nothing.
 */
export interface Guarantee {
  /** The loss whose mean is bounded. */
  readonly risk: string;
  /** The risk is at most this. */
  readonly level: number;
  readonly method: RiskMethod;
  /**
   * The calibration set misleads, and the risk is above the level, with this probability at most. Without one
   * (conformal) the level bounds the risk in expectation: on average over calibration sets, not for this one.
   */
  readonly delta?: number;
  readonly bound?: RiskBound;
  /** Thresholds that were tried. */
  readonly candidates: number;
  /** Mean loss on the calibration set. */
  readonly observed: number;
  /** What was compared with the level. Picked out of many it guarantees nothing by itself: the level is what holds. */
  readonly upperBound: number;
  readonly calibration: { readonly dataset: string; readonly fingerprint: string; readonly samples: number };
  /** Classes of which the calibration set has no sample, if there are any: of those alone nothing is known. */
  readonly emptyClasses?: number;
  /** Day, `2026-11-22`. */
  readonly date: string;
}
