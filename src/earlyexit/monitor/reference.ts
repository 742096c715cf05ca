import { ArgumentError } from '../../errors.ts';
import type { Criterion } from '../criteria.ts';
import { checkTable } from '../judgement/answers.ts';
import { madeOn } from '../judgement/scores.ts';
import type { ScoreTable } from '../judgement/scores.ts';
import { replay } from '../judgement/thresholds.ts';
import { checkBins, histogramsOf, measureOf } from './histograms.ts';
import type { Outcome, ScoreBins } from './histograms.ts';

/** What samples do that nothing has happened to: where they leave, with what labels and scores. Plain JSON. */
export interface Reference extends ScoreBins {
  readonly classes: number;
  /** All samples. */
  readonly samples: number;
  /** The data set and its fingerprint. */
  readonly dataset: string;
  readonly fingerprint: string;
  /** The samples that left at each exit: see `ExitHistogram`. */
  readonly exits: readonly ReferenceExit[];
}

export interface ReferenceExit {
  readonly labels: readonly number[];
  readonly scores: readonly number[];
  readonly notFinite: number;
}

export interface ReferenceOptions {
  /**
   * Quantiles of the scores at each exit, 10 where left out; or given bins, of a classifier that counts with them
   * already.
   */
  readonly bins?: number | ScoreBins;
  /** The exits that the classifier builds, ascending; all where left out. */
  readonly exits?: readonly number[];
}

/**
 * The calibration record that a monitor compares with, from what every exit said of validation data: that a classifier
 * with this criterion would have met. The bins are its own quantiles, so that each holds as much.
 * @throws ArgumentError for no samples, or a number of bins below 2; as `replay`
 */
export function referenceOf(table: ScoreTable, criterion: Criterion, options: ReferenceOptions = {}): Reference {
  const { bins = 10, exits: built } = options;
  checkTable('referenceOf', table);
  const { classes, exits } = table;
  const outcomes = Array.from(
    replay(table, criterion, built && { exits: built }),
    (at, sample): Outcome => ({ ...exits[at]![sample]!, exit: at + 1 }),
  );
  const { measure, edges } = typeof bins === 'number' ? quantileBins(table, criterion, outcomes, bins) : bins;
  const histograms = histogramsOf(outcomes, classes, { measure, edges });
  return {
    measure,
    edges,
    classes,
    ...madeOn(table),
    exits: histograms.map(({ labels, scores, notFinite }) => ({ labels: [...labels], scores: [...scores], notFinite })),
  };
}

/** Of the scores that samples leave with; where none does, of all scores at the exit. */
function quantileBins(table: ScoreTable, criterion: Criterion, outcomes: readonly Outcome[], bins: number): ScoreBins {
  if (!(Number.isInteger(bins) && bins >= 2)) {
    throw new ArgumentError(`referenceOf: expected 2 bins or more, got ${bins}`);
  }
  const measure = measureOf(criterion);
  const edges = table.exits.map((list, index) => {
    const scoresOf = (of: readonly Pick<Outcome, 'finite' | typeof measure>[]): number[] =>
      of.filter(({ finite }) => finite).map(({ [measure]: score }) => score!);
    const leaving = scoresOf(outcomes.filter(({ exit }) => exit === index + 1));
    return quantiles(leaving.length > 0 ? leaving : scoresOf(list), bins);
  });
  return { measure, edges };
}

/** Scores that part others into as many equal parts, each once. Without any scores one edge must do. */
function quantiles(scores: readonly number[], parts: number): number[] {
  const sorted = scores.toSorted((a, b) => a - b);
  const picked = Array.from(
    { length: parts - 1 },
    (_, part) => sorted[Math.floor(((part + 1) * sorted.length) / parts)],
  );
  return [...new Set(picked.map((score) => score ?? 0))];
}

/** Samples that left at an exit. */
export const leftAt = ({ labels, notFinite }: ReferenceExit): number =>
  labels.reduce((sum, count) => sum + count, notFinite);

/** @throws ArgumentError for a record whose parts do not fit each other, or without samples */
export function checkReference(what: string, reference: Reference): void {
  checkBins(what, reference);
  const { classes, edges, exits, samples } = reference;
  const whole = (counts: readonly number[], length: number): boolean =>
    counts.length === length && counts.every((count) => Number.isSafeInteger(count) && count >= 0);
  const fits =
    exits.length === edges.length &&
    exits.every(({ labels, scores, notFinite }, index) =>
      whole(labels, classes) && whole(scores, edges[index]!.length + 1) && whole([notFinite], 1));
  if (fits && samples >= 1 && exits.reduce((sum, exit) => sum + leftAt(exit), 0) === samples) return;
  throw new ArgumentError(`${what}: expected a calibration record as of referenceOf(), got one that does not add up`);
}
