import { ArgumentError } from '../../errors.ts';
import { CRITERIA } from '../criteria.ts';
import type { Criterion, CriterionKind } from '../criteria.ts';
import { checkTable, sumOf, sureness } from './answers.ts';
import { wilson } from './intervals.ts';
import type { Interval } from './intervals.ts';
import { auroc, fprAtTpr } from './ranking.ts';
import type { ScoreTable } from './scores.ts';
import { replay } from './thresholds.ts';

/** How well a measure at one exit tells known inputs from unknown ones. */
export interface UnknownJudgement {
  /** Counted from 1. */
  readonly exit: number;
  readonly measure: CriterionKind;
  /** How likely the exit is surer of a known input than of an unknown one; 0.5 where it says the same of all. */
  readonly auroc: number;
  /** The share of unknown inputs of which it is as sure as of the 95 % of known ones it is surest of. */
  readonly fpr95: number;
}

/**
 * Detection of inputs of classes the network does not know, for every exit and measure, known inputs the positives
 * (Hendrycks and Gimpel 2017, "A baseline for detecting misclassified and out-of-distribution examples"). Labels of
 * `unknown` are not looked at. Of inputs with scores that are not finite an exit is the least sure.
 * @throws ArgumentError for no samples, or tables of other exits
 */
export function judgeUnknown(
  known: ScoreTable,
  unknown: ScoreTable,
  { measures = CRITERIA }: { measures?: readonly CriterionKind[] } = {},
): UnknownJudgement[] {
  for (const table of [known, unknown]) checkTable('judgeUnknown', table);
  if (known.exits.length !== unknown.exits.length || known.classes !== unknown.classes) {
    const [one, other] = [known, unknown].map(({ exits, classes }) => `${exits.length} exits of ${classes} classes`);
    throw new ArgumentError(`judgeUnknown: expected scores of the same network, got ${one} and ${other}`);
  }
  return known.exits.flatMap((scores, index) =>
    measures.map((measure): UnknownJudgement => {
      const [inside, outside] = [sureness(scores, measure), sureness(unknown.exits[index]!, measure)];
      return { exit: index + 1, measure, auroc: auroc(inside, outside), fpr95: fprAtTpr(inside, outside) };
    }),
  );
}

/**
 * The share of unknown inputs that leaves before the last exit, sure of an answer that cannot be right: in all, and at
 * each exit but the last, with Wilson intervals.
 * @throws ArgumentError for no samples, one exit, or a level not between 0 and 1; as `replay`
 */
export function wrongfulExits(
  unknown: ScoreTable,
  criterion: Criterion,
  { level = 0.95 }: { level?: number } = {},
): { share: Interval; byExit: Interval[] } {
  checkTable('wrongfulExits', unknown, 2);
  const at = replay(unknown, criterion);
  const last = unknown.exits.length - 1;
  const shareOf = (leaves: (exit: number) => boolean): Interval =>
    wilson(sumOf(at.map((exit) => Number(leaves(exit)))), at.length, { level });
  return {
    share: shareOf((exit) => exit < last),
    byExit: unknown.exits.slice(0, -1).map((_, index) => shareOf((exit) => exit === index)),
  };
}
