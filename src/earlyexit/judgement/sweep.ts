import type { Criterion, CriterionKind } from '../criteria.ts';
import { answers, checkTable, rightAtExits, sumOf } from './answers.ts';
import { accuracyCurve } from './curves.ts';
import type { CurvePoint } from './curves.ts';
import { exitDepths } from './depth.ts';
import type { DepthOptions, ExitDepth } from './depth.ts';
import { frontier } from './frontier.ts';
import { bootstrapDifference, wilson } from './intervals.ts';
import type { BootstrapInterval, Interval } from './intervals.ts';
import { judgeThinking, oracle } from './overthinking.ts';
import type { ThinkingReport } from './overthinking.ts';
import type { ScoreTable } from './scores.ts';

export interface SweepOptions extends DepthOptions {
  /** What exits decide by along the curve; entropy where left out. */
  readonly measure?: CriterionKind;
  /** Points of the curve at most; 12 where left out. */
  readonly points?: number;
}

/** Accuracy against compute over all thresholds, and what one criterion among them does. */
export interface SweepReport {
  readonly judgedOn: { readonly dataset: string; readonly samples: number };
  readonly chosenOn: { readonly dataset: string; readonly samples: number };
  /** The network without exits. */
  readonly full: { readonly accuracy: Interval; readonly macs: number };
  /** From cheap to dear; of thresholds chosen on the other data. */
  readonly curve: readonly CurvePoint[];
  /** Leaving at the first exit that is right: what no criterion beats. */
  readonly oracle: { readonly accuracy: number; readonly macs: number };
  readonly criterion: Criterion;
  readonly accuracy: Interval;
  /** With exits minus without, on the same samples. */
  readonly gain: BootstrapInterval;
  /** Multiply-accumulates per sample in the mean. */
  readonly macs: number;
  readonly exits: readonly ExitDepth[];
  readonly thinking: ThinkingReport;
}

/**
 * Judges every operating point of a network from recorded scores: thresholds are chosen on `validation`, judged on
 * `table`, which should share no samples with it. Samples with scores that are not finite never leave early and are
 * wrong.
 * @throws ArgumentError for no samples, one exit, or options out of range; as `replay`
 */
export function sweep(
  table: ScoreTable,
  validation: ScoreTable,
  criterion: Criterion,
  { measure = 'entropy', points = 12, ...options }: SweepOptions,
): SweepReport {
  checkTable('sweep', table, 2);
  const { heads, level } = options;
  const found = frontier(validation, { measure });
  const kept = found.filter((_, place) => {
    const bin = (at: number): number => Math.floor((at * points) / found.length);
    return place === found.length - 1 || bin(place) < bin(place + 1);
  });
  const budgets = kept.map(({ macs }) => macs);
  const left = answers(table, criterion);
  const best = oracle(table);
  const last = rightAtExits(table).at(-1)!;
  const accuracyOf = (right: Uint8Array): Interval => wilson(sumOf(right), right.length, options);
  return {
    judgedOn: nameOf(table),
    chosenOn: nameOf(validation),
    full: { accuracy: accuracyOf(last), macs: macsWithoutExits(table.macs, heads) },
    curve: accuracyCurve(table, found, { budgets, ...(level !== undefined && { level }) }),
    oracle: { accuracy: best.accuracy, macs: best.macs },
    criterion,
    accuracy: accuracyOf(left.right),
    gain: bootstrapDifference(left.right, last, options),
    macs: left.macs,
    exits: exitDepths(table, criterion, options),
    thinking: judgeThinking(table, criterion, options),
  };
}

const nameOf = ({ dataset }: ScoreTable): SweepReport['judgedOn'] => ({
  dataset: dataset.name,
  samples: dataset.labels.length,
});

/** Trunk and last head, from what leaving at each exit costs, heads on the way counted. */
export const macsWithoutExits = (macs: readonly number[], heads: readonly number[]): number =>
  heads.slice(0, -1).reduce((rest, head) => rest - head, macs.at(-1)!);
