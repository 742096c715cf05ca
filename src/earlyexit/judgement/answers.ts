import { ArgumentError } from '../../errors.ts';
import { CRITERIA, greatestThreshold } from '../criteria.ts';
import type { Criterion, CriterionKind } from '../criteria.ts';
import type { Scores } from '../records.ts';
import { isRight } from './scores.ts';
import type { ScoreTable } from './scores.ts';
import { replay } from './thresholds.ts';

/** What a criterion makes of every sample of a score table. */
export interface Answers {
  /** Index of the exit where each sample leaves, k - 1 for exit k. */
  readonly at: Uint16Array;
  /** 1 where the answer given there is right. */
  readonly right: Uint8Array;
  readonly accuracy: number;
  /** Multiply-accumulates per sample in the mean. */
  readonly macs: number;
}

/**
 * Replays a criterion. Samples with scores that are not finite never leave early, and an answer of theirs is wrong.
 * @throws ArgumentError for no samples; as `replay`
 */
export function answers(table: ScoreTable, criterion: Criterion): Answers {
  checkTable('answers', table);
  return answersAt(table, replay(table, criterion));
}

/** The answers of samples that leave at given exits, where these cost `macs`. */
export function answersAt(table: ScoreTable, at: Uint16Array, macs: readonly number[] = table.macs): Answers {
  const { exits, dataset: { labels } } = table;
  const right = Uint8Array.from(at, (exit, sample) => Number(isRight(exits[exit]![sample]!, labels[sample]!)));
  const spent = Float64Array.from(at, (exit) => macs[exit]!);
  return { at, right, accuracy: sumOf(right) / at.length, macs: sumOf(spent) / at.length };
}

/** Whether each exit is right, asked of all samples: 1 or 0, `[exit - 1][sample]`. */
export const rightAtExits = ({ exits, dataset: { labels } }: ScoreTable): Uint8Array[] =>
  exits.map((list) => Uint8Array.from(list, (scores, sample) => Number(isRight(scores, labels[sample]!))));

/**
 * How sure a measure says an exit is: the more, the greater, so the entropy is negated. Samples with scores that are
 * not finite are the least sure of all, -Infinity.
 */
export const sureness = (scores: readonly Scores[], measure: CriterionKind): Float64Array =>
  Float64Array.from(scores, (score) => {
    const value = measure === 'entropy' ? -score.entropy : score[measure];
    return score.finite && !Number.isNaN(value) ? value : -Infinity;
  });

/** What the sureness must be above for a threshold to let a sample go, in f32 as exits compare. */
export const barOf = (measure: CriterionKind, threshold: number): number =>
  Math.fround(measure === 'entropy' ? -threshold : threshold);

/** The threshold that no sample passes, and the one that all but the least sure do. */
export const endsOf = (measure: CriterionKind, classes: number): [strictest: number, loosest: number] => {
  const most = greatestThreshold(measure, classes);
  return measure === 'entropy' ? [0, most] : [most, 0];
};

/** The measure that a criterion compares; entropy where it compares none, or several. */
export const comparedMeasure = ({ kind }: Criterion): CriterionKind =>
  CRITERIA.find((measure) => measure === kind) ?? 'entropy';

export const sumOf = (values: ArrayLike<number>): number => {
  let sum = 0;
  for (let index = 0; index < values.length; index++) sum += values[index]!;
  return sum;
};

export const meanOf = (values: ArrayLike<number>): number => sumOf(values) / values.length;

/** @throws ArgumentError for no samples, or fewer than `least` exits; `what` names the caller */
export function checkTable(what: string, { dataset, exits }: ScoreTable, least = 1): void {
  if (dataset.labels.length === 0) throw new ArgumentError(`${what}: expected samples, got none in ${dataset.name}`);
  if (exits.length >= least) return;
  throw new ArgumentError(
    `${what}: expected ${least} exits or more, got ${exits.length}; a network with one exit has nothing to decide`,
  );
}
