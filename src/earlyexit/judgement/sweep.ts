import type { Criterion, CriterionKind } from '../criteria.ts';
import { answers, checkTable, meanOf, rightAtExits, sumOf } from './answers.ts';
import type { Answers } from './answers.ts';
import { accuracyCurve } from './curves.ts';
import type { CurvePoint } from './curves.ts';
import { exitDepths } from './depth.ts';
import type { DepthOptions, ExitDepth } from './depth.ts';
import { checkTimes, meanTimes } from './exit-times.ts';
import type { ExitTimes } from './exit-times.ts';
import { frontier } from './frontier.ts';
import { bootstrapDifference, wilson } from './intervals.ts';
import type { BootstrapInterval, Interval } from './intervals.ts';
import { judgeThinking, oracle } from './overthinking.ts';
import type { ThinkingReport } from './overthinking.ts';
import type { ScoreTable } from './scores.ts';
import { replay } from './thresholds.ts';

export interface SweepOptions extends DepthOptions {
  /** What exits decide by along the curve; entropy where left out. */
  readonly measure?: CriterionKind;
  /** Points of the curve at most; 12 where left out. */
  readonly points?: number;
  /** Where they were measured: the report then has milliseconds beside multiply-accumulates. */
  readonly times?: ExitTimes | undefined;
}

/** As measured on one adapter under one policy, per sample in the mean. */
export interface SweptTimes extends Pick<ExitTimes, 'adapter' | 'policy'> {
  /** Of the network without exits. */
  readonly full: number;
  /** Of each point of the curve. */
  readonly curve: readonly number[];
  readonly oracle: number;
  /** Under the criterion. */
  readonly mean: number;
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
  readonly milliseconds?: SweptTimes;
}

/**
 * Judges every operating point of a network from recorded scores: thresholds are chosen on `validation`, judged on
 * `table`, which should share no samples with it. Samples with scores that are not finite never leave early and are
 * wrong.
 * @throws ArgumentError for no samples, one exit, options out of range, or times of other exits; as `replay`
 */
export function sweep(
  table: ScoreTable,
  validation: ScoreTable,
  criterion: Criterion,
  { measure = 'entropy', points = 12, times, ...options }: SweepOptions,
): SweepReport {
  checkTable('sweep', table, 2);
  const { heads, level } = options;
  const found = frontier(validation, { measure });
  const kept = found.filter((_, place) => {
    const bin = (at: number): number => Math.floor((at * points) / found.length);
    return place === found.length - 1 || bin(place) < bin(place + 1);
  });
  const budgets = kept.map(({ cost }) => cost);
  const curve = accuracyCurve(table, found, { budgets, ...(level !== undefined && { level }) });
  const left = answers(table, criterion);
  const best = oracle(table);
  const last = rightAtExits(table).at(-1)!;
  const accuracyOf = (right: Uint8Array): Interval => wilson(sumOf(right), right.length, options);
  return {
    judgedOn: nameOf(table),
    chosenOn: nameOf(validation),
    full: { accuracy: accuracyOf(last), macs: macsWithoutExits(table.macs, heads) },
    curve,
    oracle: { accuracy: best.accuracy, macs: best.macs },
    criterion,
    accuracy: accuracyOf(left.right),
    gain: bootstrapDifference(left.right, last, options),
    macs: left.macs,
    exits: exitDepths(table, criterion, options),
    thinking: judgeThinking(table, criterion, options),
    ...(times && { milliseconds: sweptTimes(table, times, { curve, left, best }) }),
  };
}

function sweptTimes(
  table: ScoreTable,
  times: ExitTimes,
  { curve, left, best }: { curve: readonly CurvePoint[]; left: Answers; best: Answers },
): SweptTimes {
  checkTimes('sweep', times, table.exits.length);
  const means = meanTimes(times);
  const meanAt = (at: Uint16Array): number => sumOf(Float64Array.from(at, (exit) => means[exit]!)) / at.length;
  return {
    adapter: times.adapter,
    policy: times.policy,
    full: meanOf(times.full),
    curve: curve.map((point) => meanAt(replay(table, point.criterion))),
    oracle: meanAt(best.at),
    mean: meanAt(left.at),
  };
}

const nameOf = ({ dataset }: ScoreTable): SweepReport['judgedOn'] => ({
  dataset: dataset.name,
  samples: dataset.labels.length,
});

/** Trunk and last head, from what leaving at each exit costs, heads on the way counted. */
export const macsWithoutExits = (macs: readonly number[], heads: readonly number[]): number =>
  heads.slice(0, -1).reduce((rest, head) => rest - head, macs.at(-1)!);
