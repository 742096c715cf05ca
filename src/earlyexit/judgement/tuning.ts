import { ArgumentError } from '../../errors.ts';
import { criterionOf, greatestThreshold } from '../criteria.ts';
import type { CriterionKind } from '../criteria.ts';
import type { ChosenThresholds } from '../model.ts';
import { answers, checkTable, sureness } from './answers.ts';
import { bestWithin, cheapestWith } from './curves.ts';
import { frontier } from './frontier.ts';
import { classThresholds } from './per-class.ts';
import { accuracyOf, madeOn } from './scores.ts';
import type { ScoreTable } from './scores.ts';

/** What thresholds are to achieve on the data they are chosen on. */
export type TuningTarget =
  /**
   * The cheapest that lose at most so much accuracy against the full network, a share; with `perClass`, a threshold for
   * each class that an exit may answer, see `classThresholds`.
   */
  | { readonly maxAccuracyLoss: number; readonly perClass?: boolean }
  /** The most accurate that cost at most so many multiply-accumulates per sample in the mean. */
  | { readonly macs: number }
  /** Those with which these shares of the samples leave at each exit, see `thresholdsForShares`. */
  | { readonly shares: readonly number[] };

/**
 * Thresholds of their own for each exit but the last that reach a target. Of the first two kinds they are points of the
 * `frontier`.
 *
 * Give it validation data, never the test set: the choice fits the data it is made on; `stability` says how much.
 * @throws ArgumentError for no samples, one exit, or a target that is out of range or that nothing reaches
 */
export function tuneTo(
  table: ScoreTable,
  target: TuningTarget,
  { criterion = 'entropy' }: { criterion?: CriterionKind } = {},
): ChosenThresholds {
  checkTable('tuneTo', table, 2);
  const { exits, temperatures } = table;
  const accuracyFull = accuracyOf(table, exits.length);
  const chosen = { criterion, ...valuesFor(table, target, criterion), ...(temperatures && { temperatures }) };
  const { at, accuracy } = answers(table, criterionOf(chosen));
  const shares = exits.map((_, exit) => at.filter((left) => left === exit).length / at.length);
  return {
    ...chosen,
    chosenOn: madeOn(table),
    ...('maxAccuracyLoss' in target && { maxAccuracyLoss: target.maxAccuracyLoss }),
    ...('macs' in target && { maxMacs: target.macs }),
    ...('shares' in target && { targetShares: target.shares }),
    achieved: { accuracy, accuracyFull, shares },
  };
}

function valuesFor(
  table: ScoreTable,
  target: TuningTarget,
  measure: CriterionKind,
): Pick<ChosenThresholds, 'values' | 'classValues'> {
  if ('shares' in target) return { values: thresholdsForShares(table, target.shares, measure) };
  if ('macs' in target) {
    if (!(target.macs > 0)) throw new ArgumentError(`tuneTo: expected macs above 0, got ${target.macs}`);
    const points = frontier(table, { measure });
    const best = bestWithin(points, target);
    if (best) return { values: best.criterion.thresholds };
    throw new ArgumentError(
      `tuneTo: expected at least the ${Math.ceil(points[0]!.macs)} multiply-accumulates of the cheapest thresholds, ` +
        `got ${target.macs}`,
    );
  }
  const { maxAccuracyLoss, perClass = false } = target;
  if (!(maxAccuracyLoss >= 0 && maxAccuracyLoss <= 1)) {
    throw new ArgumentError(`tuneTo: expected maxAccuracyLoss in [0, 1], got ${maxAccuracyLoss}`);
  }
  if (perClass) return { values: [], classValues: classThresholds(table, { maxAccuracyLoss, measure }) };
  // Where none leaves nothing is lost, and what beats that on the frontier loses nothing either.
  const accuracy = accuracyOf(table, table.exits.length) - maxAccuracyLoss;
  return { values: cheapestWith(frontier(table, { measure }), { accuracy })!.criterion.thresholds };
}

/**
 * Thresholds with which the surest samples leave at each exit, as many as these shares say. Fewer leave where scores
 * are equal, since equal ones stay together, or not finite; those behind make up for it.
 * @throws ArgumentError for no samples, one exit, or shares that are no distribution over the exits
 */
export function thresholdsForShares(
  table: ScoreTable,
  shares: readonly number[],
  measure: CriterionKind = 'entropy',
): number[] {
  checkTable('thresholdsForShares', table, 2);
  const { exits, classes } = table;
  const sum = shares.reduce((total, share) => total + share, 0);
  // Shares that were rounded to a few digits still pass.
  if (shares.length !== exits.length || !shares.every((share) => share >= 0) || !(Math.abs(sum - 1) < 1e-3)) {
    const expected = `${exits.length} shares of 0 or more that sum to 1`;
    throw new ArgumentError(`thresholdsForShares: expected ${expected}, got [${shares.join(', ')}]`);
  }
  const count = exits[0]!.length;
  const most = greatestThreshold(measure, classes);
  const [strictest, loosest] = measure === 'entropy' ? [0, most] : [most, 0];
  let waiting = Array.from({ length: count }, (_, sample) => sample);
  let leaving = 0;
  return exits.slice(0, -1).map((scores, exit) => {
    leaving += shares[exit]! * count;
    const wanted = Math.max(0, Math.round(leaving) - (count - waiting.length));
    const sure = sureness(scores, measure);
    const sorted = Float64Array.from(waiting, (sample) => sure[sample]!).sort().reverse();
    // The surest that stays is not passed: comparisons are strict.
    const bar = sorted[wanted] ?? -Infinity;
    const threshold = wanted === 0 ? strictest : bar === -Infinity ? loosest : Math.min(Math.abs(bar), most);
    const passed = Math.fround(measure === 'entropy' ? -threshold : threshold);
    waiting = waiting.filter((sample) => !(sure[sample]! > passed));
    return threshold;
  });
}

/**
 * Shares in geometric progression, `share_k = z r^(k - 1)`, that cost `budget` multiply-accumulates in the mean: with
 * `q = 1 - r` each exit lets a share q of what reaches it go (Huang et al. 2018, "Multi-scale dense networks for
 * resource efficient image classification", budgeted batch classification). Beyond their formula r may exceed 1, for
 * budgets above that of equal shares. `macs`: of a sample that leaves at each exit, as a score table has them.
 * @throws ArgumentError unless the budget is between the cost of the first exit and that of the last
 */
export function geometricShares(macs: readonly number[], { budget }: { budget: number }): number[] {
  const [first, last] = [macs[0]!, macs.at(-1)!];
  if (!(budget >= first && budget <= last)) {
    const expected = `a budget from ${first} to ${last} multiply-accumulates`;
    throw new ArgumentError(`geometricShares: expected ${expected}, got ${budget}`);
  }
  const sharesOf = (logRatio: number): number[] => {
    const weights = macs.map((_, exit) => Math.exp(logRatio * (logRatio > 0 ? exit - macs.length + 1 : exit)));
    const sum = weights.reduce((total, weight) => total + weight, 0);
    return weights.map((weight) => weight / sum);
  };
  const cost = (shares: readonly number[]): number => shares.reduce((sum, share, exit) => sum + share * macs[exit]!, 0);
  let [low, high] = [-50, 50];
  for (let halving = 0; halving < 60; halving++) {
    const middle = (low + high) / 2;
    if (cost(sharesOf(middle)) > budget) high = middle;
    else low = middle;
  }
  return sharesOf(low);
}
