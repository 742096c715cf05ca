import { ArgumentError } from '../../errors.ts';
import type { Criterion } from '../criteria.ts';
import { answers, checkTable, sumOf } from './answers.ts';
import { wilson } from './intervals.ts';
import type { Interval } from './intervals.ts';
import type { ScoreTable } from './scores.ts';

/** What a criterion does on one set of samples. */
export interface OperatingPoint {
  readonly criterion: Criterion;
  readonly accuracy: number;
  /** Per sample in the mean: multiply-accumulates, unless `frontier` was asked for another cost. */
  readonly cost: number;
}

type Traded = Pick<OperatingPoint, 'accuracy' | 'cost'>;

/** Those that no other beats in accuracy and in cost together, in the order of both. */
export function undominated<T extends Traded>(points: readonly T[]): T[] {
  let best = -Infinity;
  return points
    .toSorted((a, b) => a.cost - b.cost || b.accuracy - a.accuracy)
    .filter(({ accuracy }) => {
      if (!(accuracy > best)) return false;
      best = accuracy;
      return true;
    });
}

/** The most accurate that costs at most so much; undefined if none does. */
export const bestWithin = <T extends Traded>(points: readonly T[], { cost }: { cost: number }): T | undefined =>
  undominated(points.filter((point) => point.cost <= cost)).at(-1);

/** The cheapest that is at least so accurate; undefined if none is. */
export const cheapestWith = <T extends Traded>(
  points: readonly T[],
  { accuracy }: { accuracy: number },
): T | undefined => undominated(points.filter((point) => point.accuracy >= accuracy))[0];

export interface CurvePoint {
  /** In what the points cost. */
  readonly budget: number;
  readonly criterion: Criterion;
  /** On the samples judged. */
  readonly accuracy: Interval;
  /**
   * Multiply-accumulates on the samples judged: above the budget where these stay longer than those that the points
   * were made on.
   */
  readonly macs: number;
}

/**
 * Accuracy against compute on `table`, with Wilson intervals: for each budget the best of `points`, which `frontier`
 * makes, of other samples than those judged. Budgets below all points are left out.
 * @throws ArgumentError for no samples, no points, or a level not between 0 and 1; as `replay`
 */
export function accuracyCurve(
  table: ScoreTable,
  points: readonly OperatingPoint[],
  { budgets, level = 0.95 }: { budgets: readonly number[]; level?: number },
): CurvePoint[] {
  checkTable('accuracyCurve', table);
  if (points.length === 0) throw new ArgumentError('accuracyCurve: expected points, got none; frontier makes them');
  return budgets.flatMap((budget) => {
    const best = bestWithin(points, { cost: budget });
    if (!best) return [];
    const { right, macs } = answers(table, best.criterion);
    return [{ budget, criterion: best.criterion, accuracy: wilson(sumOf(right), right.length, { level }), macs }];
  });
}
