import { ArgumentError } from '../../errors.ts';
import { ruleOf } from '../criterion-steps.ts';
import { greatestThreshold, looksBack, resolveCriterion } from '../criteria.ts';
import type { Criterion, CriterionKind } from '../criteria.ts';
import type { ChosenThresholds } from '../model.ts';
import { checkBuilt } from '../network.ts';
import type { Scores } from '../records.ts';
import type { ScoresSoFar } from '../criterion-steps.ts';
import { accuracyOf, isRight, madeOn } from './scores.ts';
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
export function exitShares(table: ScoreTable, criterion: Criterion): number[] {
  const at = replay(table, criterion);
  return table.exits.map((_, exit) => at.filter((left) => left === exit).length / at.length);
}

/** Scores with what the exits before gave: in f32, as the kernel has them. */
function soFar(scores: Scores, before: ScoresSoFar | undefined): ScoresSoFar {
  const known = before !== undefined && before.streak > 0;
  const streak = !scores.finite ? 0 : known && before.label === scores.label ? before.streak + 1 : 1;
  const change = known ? Math.fround(Math.abs(scores.confidence - before.confidence)) : Infinity;
  return { ...scores, streak, change };
}

/**
 * The thresholds under which most compute is saved while accuracy on this data falls by at most `maxAccuracyLoss` below
 * that of the full network. One value serves all exits; candidates are the scores that occur.
 *
 * Give it validation data, never the test set: the choice fits the data it is made on.
 * @throws ArgumentError for a network without early exits, no samples, or a loss out of range
 */
export function chooseThresholds(
  table: ScoreTable,
  { criterion = 'entropy', maxAccuracyLoss = 0.002 }: { criterion?: CriterionKind; maxAccuracyLoss?: number } = {},
): ChosenThresholds {
  const { dataset, exits, macs } = table;
  const count = dataset.labels.length;
  if (exits.length < 2) {
    throw new ArgumentError('chooseThresholds: the network has one exit; there is nothing to choose');
  }
  if (count === 0) throw new ArgumentError(`chooseThresholds: expected samples, got none in ${dataset.name}`);
  if (!(maxAccuracyLoss >= 0 && maxAccuracyLoss <= 1)) {
    throw new ArgumentError(`chooseThresholds: expected maxAccuracyLoss in [0, 1], got ${maxAccuracyLoss}`);
  }
  const accuracyFull = accuracyOf(table, exits.length);

  const judge = (threshold: number) => {
    const values = new Array<number>(exits.length - 1).fill(threshold);
    const at = replay(table, { kind: criterion, thresholds: values });
    const right = at.reduce(
      (sum, exit, sample) => sum + Number(isRight(exits[exit]![sample]!, dataset.labels[sample]!)),
      0,
    );
    const cost = at.reduce((sum, exit) => sum + macs[exit]!, 0) / count;
    const shares = exits.map((_, exit) => at.filter((left) => left === exit).length / count);
    return { values, accuracy: right / count, cost, shares };
  };
  // A threshold that nothing passes keeps the full network's answers, whatever the data.
  let best = judge(criterion === 'entropy' ? 0 : 1);
  for (const threshold of candidates(table, criterion)) {
    const tried = judge(threshold);
    if (tried.accuracy >= accuracyFull - maxAccuracyLoss && tried.cost < best.cost) best = tried;
  }
  return {
    criterion,
    values: best.values,
    ...(table.temperatures && { temperatures: table.temperatures }),
    chosenOn: madeOn(table),
    maxAccuracyLoss,
    achieved: { accuracy: best.accuracy, accuracyFull, shares: best.shares },
  };
}

/** Candidates tried at most: more cannot be told apart on a few thousand samples. */
const MOST_CANDIDATES = 400;

/** Values between which decisions change, spread evenly over the samples. */
function candidates({ exits, classes }: ScoreTable, criterion: CriterionKind): number[] {
  const scores = exits
    .slice(0, -1)
    .flatMap((list) => list.filter(({ finite }) => finite).map((score) => score[criterion]));
  // Over thousands of classes rounding takes an entropy beyond what a threshold may be.
  const most = greatestThreshold(criterion, classes);
  const sorted = [...new Set(scores.map((score) => Math.min(score, most)))].sort((a, b) => a - b);
  const stride = Math.max(1, Math.ceil(sorted.length / MOST_CANDIDATES));
  return sorted.filter((_, index) => index % stride === 0);
}
