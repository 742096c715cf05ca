import { ArgumentError } from '../../errors.ts';
import { CRITERIA, criterionOf, greatestThreshold } from '../criteria.ts';
import type { CriterionKind } from '../criteria.ts';
import type { ChosenThresholds } from '../model.ts';
import { answers, barOf, checkTable, endsOf, sureness } from './answers.ts';
import { bestWithin, cheapestWith } from './curves.ts';
import { checkTimes, lateOver, lateShares, meanTimes } from './exit-times.ts';
import type { ExitTimes } from './exit-times.ts';
import { frontier } from './frontier.ts';
import { classThresholds } from './per-class.ts';
import { accuracyOf, madeOn } from './scores.ts';
import type { ScoreTable } from './scores.ts';
import { exitShares, sharesAt } from './thresholds.ts';

/** What thresholds are to achieve on the data they are chosen on. */
export type TuningTarget =
  /**
   * The cheapest that lose at most so much accuracy against the full network, a share; with `perClass`, a threshold for
   * each class that an exit may answer, see `classThresholds`.
   */
  | { readonly maxAccuracyLoss: number; readonly perClass?: boolean }
  /** The most accurate that cost at most so many multiply-accumulates per sample in the mean. */
  | { readonly macs: number }
  /** The most accurate that take at most so many milliseconds per sample in the mean. */
  | { readonly milliseconds: number; readonly times: ExitTimes }
  /** The most accurate with which at most the share `late` of the samples, 0.01 where left out, takes longer. */
  | { readonly deadlineMs: number; readonly late?: number; readonly times: ExitTimes }
  /** Those with which these shares of the samples leave at each exit, see `thresholdsForShares`. */
  | { readonly shares: readonly number[] };

/**
 * Thresholds of their own for each exit but the last that reach a target: points of the `frontier`, unless the target
 * is shares or asks for a threshold per class. Targets of time take what `measureExitTimes` gives, and hold for its
 * adapter and policy.
 *
 * Give it validation data, never the test set: the choice fits the data it is made on; `stability` says how much.
 * @throws ArgumentError for no samples, one exit, or a target that is out of range or that nothing reaches
 */
export function tuneTo(
  table: ScoreTable,
  target: TuningTarget,
  { criterion = 'entropy' }: { criterion?: CriterionKind } = {},
): ChosenThresholds {
  checkChoice('tuneTo', table, criterion);
  return chosenOn(table, { criterion, ...reach(table, target, criterion) });
}

/**
 * The one threshold for all exits under which most compute is saved while accuracy on this data falls by at most
 * `maxAccuracyLoss` below that of the full network; candidates are the scores that occur. `tuneTo` has one for each
 * exit.
 *
 * Give it validation data, never the test set: the choice fits the data it is made on.
 * @throws ArgumentError for a network without early exits, no samples, or a loss out of range
 */
export function chooseThresholds(
  table: ScoreTable,
  { criterion = 'entropy', maxAccuracyLoss = 0.002 }: { criterion?: CriterionKind; maxAccuracyLoss?: number } = {},
): ChosenThresholds {
  checkChoice('chooseThresholds', table, criterion);
  checkLoss('chooseThresholds', maxAccuracyLoss);
  const least = accuracyOf(table, table.exits.length) - maxAccuracyLoss;
  const judge = (threshold: number) => {
    const values = table.exits.slice(1).map(() => threshold);
    return { values, ...answers(table, { kind: criterion, thresholds: values }) };
  };
  // A threshold that nothing passes keeps the full network's answers, whatever the data.
  let best = judge(endsOf(criterion, table.classes)[0]);
  for (const threshold of candidates(table, criterion)) {
    const tried = judge(threshold);
    if (tried.accuracy >= least && tried.macs < best.macs) best = tried;
  }
  return chosenOn(table, { criterion, values: best.values, maxAccuracyLoss });
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

/** What was chosen, with all that can be said of it on the data it was chosen on. */
function chosenOn(table: ScoreTable, choice: Omit<ChosenThresholds, 'chosenOn' | 'achieved'>): ChosenThresholds {
  const { exits, temperatures } = table;
  const chosen = { ...choice, ...(temperatures && { temperatures }) };
  const { at, accuracy } = answers(table, criterionOf(chosen));
  return {
    ...chosen,
    chosenOn: madeOn(table),
    achieved: { accuracy, accuracyFull: accuracyOf(table, exits.length), shares: sharesAt(at, exits.length) },
  };
}

function checkChoice(what: string, table: ScoreTable, criterion: CriterionKind): void {
  checkTable(what, table, 2);
  if (CRITERIA.includes(criterion)) return;
  throw new ArgumentError(
    `${what}: expected a criterion of ${CRITERIA.join(', ')}, got '${String(criterion)}'; ` +
      'what a network has learned of when to leave, gates or halting scores, takes no threshold chosen afterwards',
  );
}

function checkLoss(what: string, maxAccuracyLoss: number): void {
  if (maxAccuracyLoss >= 0 && maxAccuracyLoss <= 1) return;
  throw new ArgumentError(`${what}: expected maxAccuracyLoss in [0, 1], got ${maxAccuracyLoss}`);
}

type Reached = Omit<ChosenThresholds, 'criterion' | 'temperatures' | 'chosenOn' | 'achieved'>;

/** Thresholds that reach a target, and the target as it is kept with them. */
function reach(table: ScoreTable, target: TuningTarget, measure: CriterionKind): Reached {
  if ('shares' in target) {
    return { values: thresholdsForShares(table, target.shares, measure), targetShares: target.shares };
  }
  if ('macs' in target) return withinMacs(table, target.macs, measure);
  if ('times' in target) {
    checkTimes('tuneTo', target.times, table.exits.length);
    const reached = 'deadlineMs' in target ? withinDeadline(table, target, measure) : withinMs(table, target, measure);
    const { adapter, policy } = target.times;
    return { ...reached, timedOn: { adapter, policy } };
  }
  const { maxAccuracyLoss, perClass = false } = target;
  checkLoss('tuneTo', maxAccuracyLoss);
  if (perClass) {
    return { values: [], classValues: classThresholds(table, { maxAccuracyLoss, measure }), maxAccuracyLoss };
  }
  // Where none leaves nothing is lost, and what beats that on the frontier loses nothing either.
  const accuracy = accuracyOf(table, table.exits.length) - maxAccuracyLoss;
  const cheapest = cheapestWith(frontier(table, { measure }), { accuracy })!;
  return { values: cheapest.criterion.thresholds, maxAccuracyLoss };
}

function withinMacs(table: ScoreTable, macs: number, measure: CriterionKind): Reached {
  if (!(macs > 0)) throw new ArgumentError(`tuneTo: expected macs above 0, got ${macs}`);
  const values = mostAccurate(table, measure, table.macs, macs, (least) =>
    `at least the ${Math.ceil(least)} multiply-accumulates of the cheapest thresholds, got ${macs}`);
  return { values, maxMacs: macs };
}

function withinMs(
  table: ScoreTable,
  { milliseconds, times }: { milliseconds: number; times: ExitTimes },
  measure: CriterionKind,
): Reached {
  if (!(milliseconds > 0)) throw new ArgumentError(`tuneTo: expected milliseconds above 0, got ${milliseconds}`);
  const values = mostAccurate(table, measure, meanTimes(times), milliseconds, (least) =>
    `at least the ${roundedUp(least)} milliseconds of the fastest thresholds, got ${milliseconds}`);
  return { values, maxMs: milliseconds };
}

function withinDeadline(
  table: ScoreTable,
  { deadlineMs, late = 0.01, times }: { deadlineMs: number; late?: number; times: ExitTimes },
  measure: CriterionKind,
): Reached {
  if (!(deadlineMs > 0)) throw new ArgumentError(`tuneTo: expected deadlineMs above 0, got ${deadlineMs}`);
  if (!(late >= 0 && late < 1)) {
    throw new ArgumentError(`tuneTo: expected late, a share of the samples, from 0 to less than 1, got ${late}`);
  }
  const values = mostAccurate(table, measure, lateShares(times, deadlineMs), late, () =>
    `a deadline of at least ${roundedUp(leastDeadline(table, times, late, measure))} ms, which all but the share ` +
    `${late} of the samples meet if they leave as early as they can, got ${deadlineMs}`);
  return { values, deadline: { ms: deadlineMs, late } };
}

/** Of sums of costs that are no integers, as a share of the greatest. */
const ROUNDING = 1e-9;

/** The most accurate thresholds within a budget. `expected` says what would do where none are, from the least cost. */
function mostAccurate(
  table: ScoreTable,
  measure: CriterionKind,
  cost: readonly number[],
  budget: number,
  expected: (least: number) => string,
): readonly number[] {
  const points = frontier(table, { measure, cost });
  const best = bestWithin(points, { cost: budget + ROUNDING * Math.max(...cost) });
  if (best) return best.criterion.thresholds;
  throw new ArgumentError(`tuneTo: expected ${expected(points[0]!.cost)}`);
}

/** The least deadline that all but the share `late` meet where every sample leaves at the first exit it can. */
function leastDeadline(table: ScoreTable, times: ExitTimes, late: number, measure: CriterionKind): number {
  const [, loosest] = endsOf(measure, table.classes);
  const shares = exitShares(table, { kind: measure, thresholds: [loosest] });
  return times.toExit.flat().sort((a, b) => a - b).find((ms) => lateOver(times, ms, shares) <= late + ROUNDING)!;
}

/** To microseconds. */
const roundedUp = (ms: number): number => Math.ceil(ms * 1000) / 1000;

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
  const [strictest, loosest] = endsOf(measure, classes);
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
    const passed = barOf(measure, threshold);
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
