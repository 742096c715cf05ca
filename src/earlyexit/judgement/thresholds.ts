import { ArgumentError } from '../../errors.ts';
import { ruleOf } from '../criterion-steps.ts';
import { looksBack, resolveCriterion } from '../criteria.ts';
import type { Criterion } from '../criteria.ts';
import { checkBuilt } from '../network.ts';
import type { Scores } from '../records.ts';
import type { ScoresSoFar } from '../criterion-steps.ts';
import type { ScoreTable } from './scores.ts';

/**
 * The exit each sample leaves at (index k - 1 for exit k), replayed from recorded scores: what a classifier under this
 * criterion does that is compiled with these `exits`, ascending from 1; all where left out.
 * A criterion that names no temperatures is replayed at those of the scores.
 * @throws ArgumentError for thresholds or exits that a classifier would not take, or temperatures that the scores are
 * not of
 */
export function replay(
  { exits, classes, halting, temperatures: recorded = exits.map(() => 1) }: ScoreTable,
  criterion: Criterion,
  { exits: built = exits.map((_, index) => index + 1) }: { exits?: readonly number[] } = {},
): Uint16Array {
  checkBuilt('replay', built, exits.length);
  const resolved = resolveCriterion(criterion, exits.length, classes, halting);
  const { temperatures } = resolved;
  if (temperatures?.some((temperature, index) => temperature !== recorded[index])) {
    throw new ArgumentError(
      `replay: expected the temperatures of the scores, [${recorded.join(', ')}], got [${temperatures.join(', ')}]; ` +
        'record scores of these by scoreExits(model, dataset, { temperatures })',
    );
  }
  const asked = built.slice(0, -1).map((exit) => ({
    exit,
    scores: exits[exit - 1]!,
    leaves: ruleOf(resolved, exit, classes),
  }));
  const history = looksBack(resolved);
  return Uint16Array.from(exits[0]!, (_, sample) => {
    let before: ScoresSoFar | undefined;
    for (const { exit, scores, leaves } of asked) {
      const said = scores[sample]!;
      if (leaves(history ? (before = soFar(said, before)) : said)) return exit - 1;
    }
    return built.at(-1)! - 1;
  });
}

/** The share of the samples that leaves at each exit under this criterion. @throws ArgumentError as `replay` */
export const exitShares = (table: ScoreTable, criterion: Criterion): number[] =>
  sharesAt(replay(table, criterion), table.exits.length);

/** The share of the samples that leaves at each of so many exits, where `at` is what `replay` gives. */
export const sharesAt = (at: Uint16Array, exits: number): number[] =>
  leavingAt(at, exits).map((samples) => samples / at.length);

/** The samples that leave at each of them. */
export const leavingAt = (at: Uint16Array, exits: number): number[] =>
  Array.from({ length: exits }, (_, exit) => at.filter((left) => left === exit).length);

/** Scores with what the exits before gave: in f32, as the kernel has them. */
function soFar(scores: Scores, before: ScoresSoFar | undefined): ScoresSoFar {
  const known = before !== undefined && before.streak > 0;
  const streak = !scores.finite ? 0 : known && before.label === scores.label ? before.streak + 1 : 1;
  const change = known ? Math.fround(Math.abs(scores.confidence - before.confidence)) : Infinity;
  return { ...scores, streak, change };
}
