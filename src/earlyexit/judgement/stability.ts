import { Random } from '../../random.ts';
import { criterionOf } from '../criteria.ts';
import type { ThresholdCriterion } from '../criteria.ts';
import type { ChosenThresholds } from '../model.ts';
import { answers, answersAt, barOf, checkTable, comparedMeasure, sureness } from './answers.ts';
import { bootstrapDifference, checkDraws, spreadOf } from './intervals.ts';
import type { BootstrapInterval, BootstrapOptions } from './intervals.ts';
import { pickSamples } from './sampling.ts';
import type { ScoreTable } from './scores.ts';
import { replay, sharesAt } from './thresholds.ts';

/** How far one threshold is a matter of the samples it was chosen on. */
export interface ThresholdStability {
  /** Counted from 1. */
  readonly exit: number;
  /** The class whose threshold it is, where there is one for each. */
  readonly label?: number;
  /** As chosen, with its spread over choices on resampled data. */
  readonly threshold: BootstrapInterval;
  /** Between the ends of that interval, the other thresholds as chosen: by how much these differ. */
  readonly span: {
    readonly accuracy: number;
    /** Of all samples, those that leave at this exit. */
    readonly share: number;
  };
  /**
   * What a sample more that leaves here wins in right answers, below 0 where it costs some: in the mean over the 5 % of
   * the waiting samples (at least 20) nearest to the threshold, against leaving later. Null where none waits.
   */
  readonly slope: BootstrapInterval | null;
  /** The span is more than `UNSTABLE` allows. */
  readonly unstable: boolean;
}

/** A threshold is called unstable where within its interval accuracy, or the share that leaves there, moves by more. */
export const UNSTABLE = { accuracy: 0.005, share: 0.1 } as const;

export type StabilityOptions = BootstrapOptions;

/**
 * Chooses anew on data sets of the same size drawn with replacement, and looks at what that does to each threshold.
 * `choose` is what made the choice: `(table) => tuneTo(table, { maxAccuracyLoss: 0.002 })`. 100 draws where left out:
 * each costs a choice.
 * @throws ArgumentError for no samples, one exit, fewer than 2 draws or a level not between 0 and 1; what `choose`
 * throws
 */
export function stability(
  table: ScoreTable,
  choose: (table: ScoreTable) => Pick<ChosenThresholds, 'criterion' | 'values' | 'classValues' | 'temperatures'>,
  { seed = 1, draws = 100, level = 0.95 }: StabilityOptions = {},
): ThresholdStability[] {
  checkTable('stability', table, 2);
  checkDraws('stability', draws, level);
  const chosen = criterionOf(choose(table));
  const random = new Random(seed);
  const drawn = Array.from({ length: draws }, () => entriesOf(criterionOf(choose(resampled(table, random)))));
  const { at } = answers(table, chosen);
  return entriesOf(chosen).map(({ exit, label, threshold: value }, place) => {
    const threshold = spreadOf(value, drawn.map((entries) => entries[place]!.threshold), level);
    const [strict, loose] = [threshold.low, threshold.high].map((end) => {
      const left = answers(table, withThreshold(chosen, exit, label, end));
      return { accuracy: left.accuracy, share: sharesAt(left.at, table.exits.length)[exit - 1]! };
    }) as [ThresholdStability['span'], ThresholdStability['span']];
    const span = {
      accuracy: Math.abs(loose.accuracy - strict.accuracy),
      share: Math.abs(loose.share - strict.share),
    };
    return {
      exit,
      ...(label !== undefined && { label }),
      threshold,
      span,
      slope: slopeAt(table, chosen, { exit, label, threshold: value }, at, { seed, level }),
      unstable: exceeds(span.accuracy, UNSTABLE.accuracy) || exceeds(span.share, UNSTABLE.share),
    };
  });
}

/** Shares of samples are compared: a difference of two that is the limit is not above it for its rounding. */
const exceeds = (span: number, most: number): boolean => span > most + 1e-12;

interface Entry {
  readonly exit: number;
  readonly label?: number | undefined;
  readonly threshold: number;
}

/** Every threshold with its place. */
const entriesOf = ({ thresholds, classThresholds }: ThresholdCriterion): Entry[] =>
  classThresholds
    ? classThresholds.flatMap((own, index) => own.map((threshold, label) => ({ exit: index + 1, label, threshold })))
    : thresholds.map((threshold, index) => ({ exit: index + 1, threshold }));

function withThreshold(
  criterion: ThresholdCriterion,
  exit: number,
  label: number | undefined,
  value: number,
): ThresholdCriterion {
  const { thresholds, classThresholds = [] } = criterion;
  if (label === undefined) return { ...criterion, thresholds: thresholds.with(exit - 1, value) };
  const own = classThresholds[exit - 1]!.with(label, value);
  return { ...criterion, classThresholds: classThresholds.with(exit - 1, own) };
}

/** A table of as many samples, drawn with replacement. */
const resampled = (table: ScoreTable, random: Random): ScoreTable => {
  const { length } = table.dataset.labels;
  return pickSamples(table, Uint32Array.from({ length }, () => random.below(length)));
};

/** Of the samples nearest to a threshold, of which at least so many are looked at. */
const NEAREST = { share: 0.05, least: 20 };

function slopeAt(
  table: ScoreTable,
  criterion: ThresholdCriterion,
  { exit, label, threshold }: Entry,
  at: Uint16Array,
  options: BootstrapOptions,
): BootstrapInterval | null {
  const scores = table.exits[exit - 1]!;
  const measure = comparedMeasure(criterion);
  const sure = sureness(scores, measure);
  const waiting = [...sure.keys()]
    .filter((sample) => at[sample]! >= exit - 1 && sure[sample]! > -Infinity)
    .filter((sample) => label === undefined || scores[sample]!.label === label)
    .sort((a, b) => sure[b]! - sure[a]!);
  if (waiting.length === 0) return null;
  const bar = barOf(measure, threshold);
  const passing = waiting.filter((sample) => sure[sample]! > bar).length;
  const width = Math.min(waiting.length, Math.max(NEAREST.least, Math.round(NEAREST.share * waiting.length)));
  const start = Math.min(Math.max(0, passing - Math.floor(width / 2)), waiting.length - width);
  const near = waiting.slice(start, start + width);
  const others = table.exits.map((_, index) => index + 1).filter((other) => other !== exit);
  const later = answersAt(table, replay(table, criterion, { exits: others }));
  const here = answersAt(table, at.map(() => exit - 1));
  const pick = (right: Uint8Array): number[] => near.map((sample) => right[sample]!);
  return bootstrapDifference(pick(here.right), pick(later.right), options);
}
