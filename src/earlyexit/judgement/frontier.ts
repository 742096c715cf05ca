import { ArgumentError } from '../../errors.ts';
import { greatestThreshold } from '../criteria.ts';
import type { CriterionKind, ThresholdCriterion } from '../criteria.ts';
import { barOf, checkTable, endsOf, rightAtExits, sureness } from './answers.ts';
import { undominated } from './curves.ts';
import type { OperatingPoint } from './curves.ts';
import type { ScoreTable } from './scores.ts';

export interface FrontierOptions {
  /** `entropy` where left out. */
  readonly measure?: CriterionKind;
  /** Thresholds tried for each exit, the one that nobody passes among them; of two exits 256, else 64. */
  readonly candidates?: number;
  /** Of a sample that leaves at each exit (index k - 1 for exit k), in any unit; `table.macs` where left out. */
  readonly cost?: readonly number[];
}

/**
 * Thresholds, one per exit but the last, that no others beat in accuracy and in mean cost together; in the order of
 * both. Candidates are quantiles of the scores at each exit; every point is what `replay` gives.
 *
 * Choices are extended exit by exit, and those that others beat are dropped. For two and three exits none is dropped
 * before it is complete, so no combination of candidates is missed. For more no such merging is exact: what a threshold
 * is worth depends on which samples the earlier ones left over, and to choose among them all contains maximum coverage,
 * which is NP-hard. What was missed is looked for by changing one threshold of a found choice at a time (Pareto local
 * search; Paquete, Chiarandini and Stuetzle 2004).
 *
 * Give it validation data, never the test set: the points fit the data they are made on.
 * @throws ArgumentError for no samples, one exit, candidates that are not 2 to 256, or a cost that is not one finite
 * number per exit
 */
export function frontier(
  table: ScoreTable,
  {
    measure = 'entropy',
    candidates = table.exits.length === 2 ? MOST_EXTENDED : 64,
    cost: costs = table.macs,
  }: FrontierOptions = {},
): (OperatingPoint & { readonly criterion: ThresholdCriterion })[] {
  checkTable('frontier', table, 2);
  if (!(Number.isInteger(candidates) && candidates >= 2 && candidates <= MOST_EXTENDED)) {
    throw new ArgumentError(`frontier: expected 2 to ${MOST_EXTENDED} candidates, got ${candidates}`);
  }
  if (costs.length !== table.exits.length || !costs.every(Number.isFinite)) {
    const expected = `a finite cost for each of ${table.exits.length} exits`;
    throw new ArgumentError(`frontier: expected ${expected}, got [${costs.join(', ')}]`);
  }
  const grid = gridOf(table, measure, candidates, costs);
  const { temperatures, dataset: { labels: { length: samples } } } = table;
  return search(grid).map(({ picks, accuracy, cost }) => ({
    criterion: {
      kind: measure,
      thresholds: picks.map((pick, exit) => grid.thresholds[exit]![pick]!),
      ...(temperatures && { temperatures }),
    },
    accuracy: accuracy / samples,
    cost: cost / samples,
  }));
}

/** Most choices extended at a time. */
const MOST_EXTENDED = 256;
/** Of the local search: later ones hardly find anything. */
const MOST_ROUNDS = 12;

interface Grid {
  /** Candidates of each exit but the last, from the one that fewest samples pass. */
  readonly thresholds: readonly (readonly number[])[];
  /** For each of these exits and each sample, the index of the first candidate that it passes; else their number. */
  readonly passes: readonly Uint16Array[];
  /** Of all exits. */
  readonly right: readonly Uint8Array[];
  readonly costs: readonly number[];
}

interface Choice {
  /** Index of the candidate, for each exit but the last. */
  readonly picks: readonly number[];
  /** Sums over the samples, of right answers and of costs. */
  readonly accuracy: number;
  readonly cost: number;
}

function gridOf(
  table: ScoreTable,
  measure: CriterionKind,
  candidates: number,
  costs: readonly number[],
): Grid {
  const early = table.exits.slice(0, -1).map((scores) => sureness(scores, measure));
  const most = greatestThreshold(measure, table.classes);
  const [strictest, loosest] = endsOf(measure, table.classes);
  const thresholds = early.map((values) => {
    const sorted = values.filter((value) => value > -Infinity).sort().reverse();
    const ranks = Array.from({ length: candidates - 2 }, (_, k) => ((k + 1) * sorted.length) / (candidates - 1));
    const quantiles = sorted.length > 0 ? ranks.map((rank) => Math.abs(sorted[Math.floor(rank)]!)) : [];
    // Over thousands of classes rounding takes an entropy beyond what a threshold may be.
    return [...new Set([strictest, ...quantiles.map((value) => Math.min(value, most)), loosest])];
  });
  const passes = early.map((values, exit) => {
    const bounds = thresholds[exit]!.map((threshold) => barOf(measure, threshold));
    return Uint16Array.from(values, (value) => firstBelow(bounds, value));
  });
  return { thresholds, passes, right: rightAtExits(table), costs };
}

/** Index of the first of falling bounds that is below the value; their number if none is. */
function firstBelow(bounds: readonly number[], value: number): number {
  let [low, high] = [0, bounds.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (bounds[middle]! < value) high = middle;
    else low = middle + 1;
  }
  return low;
}

function search(grid: Grid): Choice[] {
  const exits = [...grid.thresholds.keys()];
  let kept: Choice[] = [{ picks: exits.map(() => 0), accuracy: 0, cost: 0 }];
  for (const exit of exits) {
    kept = best(kept).flatMap(({ picks }) => neighbours(grid, picks, [exit]));
  }
  let found = undominated(kept);
  if (exits.length <= 2) return found;
  const seen = new Set<string>();
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const fresh = spread(found, MOST_EXTENDED).filter(({ picks }) => !seen.has(picks.join()));
    if (fresh.length === 0) break;
    for (const { picks } of fresh) seen.add(picks.join());
    found = undominated([...found, ...fresh.flatMap(({ picks }) => undominated(neighbours(grid, picks, exits)))]);
  }
  return found;
}

/** Those that none beats, then those that only these beat, and so on, until there are enough. */
function best(choices: readonly Choice[]): readonly Choice[] {
  if (choices.length <= MOST_EXTENDED) return choices;
  const taken = new Set<Choice>();
  for (let rest = choices; taken.size < MOST_EXTENDED; rest = rest.filter((choice) => !taken.has(choice))) {
    for (const choice of spread(undominated(rest), MOST_EXTENDED - taken.size)) taken.add(choice);
  }
  return [...taken];
}

/** At most so many, evenly. */
const spread = (choices: readonly Choice[], most: number): readonly Choice[] =>
  choices.length <= most
    ? choices
    : Array.from({ length: most }, (_, place) => choices[Math.floor(((place + 0.5) * choices.length) / most)]!);

/** The choices that differ from `picks` at one of `exits`, with all candidates there: in one pass over the samples. */
function neighbours(
  { thresholds, passes, right, costs }: Grid,
  picks: readonly number[],
  exits: readonly number[],
): Choice[] {
  // What changes once a candidate is passed, by the samples that pass none before it.
  const gains = exits.map((exit) => thresholds[exit]!.map(() => ({ accuracy: 0, cost: 0 })));
  const total = { accuracy: 0, cost: 0 };
  const leavesFrom = (exit: number, sample: number): number => {
    let at = exit;
    while (at < picks.length && passes[at]![sample]! > picks[at]!) at++;
    return at;
  };
  for (let sample = 0; sample < right[0]!.length; sample++) {
    const at = leavesFrom(0, sample);
    total.accuracy += right[at]![sample]!;
    total.cost += costs[at]!;
    for (let place = 0; place < exits.length && exits[place]! <= at; place++) {
      const exit = exits[place]!;
      const gain = gains[place]![passes[exit]![sample]!];
      if (!gain) continue;
      const later = exit < at ? at : leavesFrom(exit + 1, sample);
      gain.accuracy += right[exit]![sample]! - right[later]![sample]!;
      gain.cost += costs[exit]! - costs[later]!;
    }
  }
  return exits.flatMap((exit, place) => {
    const sums = runningSums(gains[place]!);
    const now = sums[picks[exit]!]!;
    return sums.map((sum, pick) => ({
      picks: picks.with(exit, pick),
      accuracy: total.accuracy + sum.accuracy - now.accuracy,
      cost: total.cost + sum.cost - now.cost,
    }));
  });
}

function runningSums(gains: readonly Omit<Choice, 'picks'>[]): Omit<Choice, 'picks'>[] {
  const sum = { accuracy: 0, cost: 0 };
  return gains.map(({ accuracy, cost }) => {
    sum.accuracy += accuracy;
    sum.cost += cost;
    return { ...sum };
  });
}
