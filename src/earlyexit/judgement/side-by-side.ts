import { ArgumentError } from '../../errors.ts';
import type { Criterion } from '../criteria.ts';
import { answers, meanOf, rightAtExits, sumOf } from './answers.ts';
import { checkTimes, meanOver } from './exit-times.ts';
import type { ExitTimes } from './exit-times.ts';
import { bootstrapDifference, wilson } from './intervals.ts';
import type { BootstrapInterval, BootstrapOptions, Interval } from './intervals.ts';
import { mcnemar } from './paired.ts';
import type { PairedTest } from './paired.ts';
import { madeOn } from './scores.ts';
import type { ScoreTable } from './scores.ts';
import { macsWithoutExits } from './sweep.ts';
import { leavingAt } from './thresholds.ts';

/** A network under a criterion on one set of samples. */
export interface Run {
  readonly name: string;
  readonly table: ScoreTable;
  readonly criterion: Criterion;
  /** Multiply-accumulates of each head: `network.macs.heads`. */
  readonly heads: readonly number[];
  /** Of its training, where that is known. */
  readonly seed?: number | undefined;
  /** Where they were measured. */
  readonly times?: ExitTimes | undefined;
}

export interface RunSummary {
  readonly name: string;
  readonly judgedOn: { readonly dataset: string; readonly fingerprint: string; readonly samples: number };
  readonly seed?: number;
  readonly criterion: Criterion;
  readonly accuracy: Interval;
  /** Of the last exit, asked of all samples. */
  readonly accuracyFull: Interval;
  /** Per sample; `full` is the network without exits. */
  readonly macs: { readonly mean: number; readonly full: number };
  /** As measured, of a single call; `full` is the network without exits. */
  readonly milliseconds?: Pick<ExitTimes, 'adapter' | 'policy'> & { readonly mean: number; readonly full: number };
  /** Of the samples, those that leave at each exit. */
  readonly shares: readonly Interval[];
}

/** A run against the first, both with their exits. */
export interface RunComparison extends PairedTest {
  /** Accuracy minus that of the first. */
  readonly difference: BootstrapInterval;
  /** No chance of these samples: the p-value is at most 1 minus the level, over the number of comparisons. */
  readonly significant: boolean;
}

export interface SideBySide {
  readonly runs: readonly RunSummary[];
  /** Of each run but the first; null where it was judged on other samples than the first. */
  readonly comparisons: readonly (RunComparison | null)[];
}

/**
 * Runs next to each other, and where they were judged on the same samples, whether each differs from the first by more
 * than chance: McNemar's test at a level that holds for all comparisons together (Bonferroni; Dunn 1961, "Multiple
 * comparisons among means"). That says something of these weights: other seeds of a training may come out otherwise.
 * @throws ArgumentError for no runs or samples, a level not between 0 and 1, or times of other exits; as `replay`
 */
export function sideBySide(runs: readonly Run[], options: BootstrapOptions = {}): SideBySide {
  const [first, ...others] = runs;
  if (!first) throw new ArgumentError('sideBySide: expected runs, got none');
  const paired = others.filter((other) => sharesSamples(first, other)).length;
  const { level = 0.95 } = options;
  return {
    runs: runs.map((run) => summaryOf(run, level)),
    comparisons: others.map((other) => {
      if (!sharesSamples(first, other)) return null;
      return compareRuns(first, other, { ...options, level: 1 - (1 - level) / paired });
    }),
  };
}

/**
 * Whether `second` differs from `first` by more than chance at this level: paired, so that what is hard for both cancels.
 * @throws ArgumentError for runs over other samples; as `replay`
 */
export function compareRuns(first: Run, second: Run, options: BootstrapOptions = {}): RunComparison {
  if (!sharesSamples(first, second)) {
    const [one, other] = [first, second].map(({ table }) => madeOn(table));
    throw new ArgumentError(
      `compareRuns: expected the same samples on both sides, got ${one!.dataset} (fingerprint ${one!.fingerprint}) and ` +
        `${other!.dataset} (${other!.fingerprint}); judge both on one data set`,
    );
  }
  const [one, other] = [first, second].map(({ table, criterion }) => answers(table, criterion).right) as [
    Uint8Array,
    Uint8Array,
  ];
  const test = mcnemar(one, other);
  const { level = 0.95 } = options;
  return {
    ...test,
    difference: bootstrapDifference(other, one, options),
    significant: test.pValue <= 1 - level,
  };
}

const sharesSamples = (first: Run, second: Run): boolean =>
  madeOn(first.table).fingerprint === madeOn(second.table).fingerprint;

function summaryOf({ name, table, criterion, heads, seed, times }: Run, level: number): RunSummary {
  const { at, right, macs } = answers(table, criterion);
  const rate = (hits: number): Interval => wilson(hits, at.length, { level });
  const shares = leavingAt(at, table.exits.length).map(rate);
  return {
    name,
    judgedOn: madeOn(table),
    ...(seed !== undefined && { seed }),
    criterion,
    accuracy: rate(sumOf(right)),
    accuracyFull: rate(sumOf(rightAtExits(table).at(-1)!)),
    macs: { mean: macs, full: macsWithoutExits(table.macs, heads) },
    ...(times && { milliseconds: millisecondsOf(times, shares) }),
    shares,
  };
}

function millisecondsOf(times: ExitTimes, shares: readonly Interval[]): RunSummary['milliseconds'] {
  checkTimes('sideBySide', times, shares.length);
  const { adapter, policy, full } = times;
  return { adapter, policy, mean: meanOver(times, shares.map(({ value }) => value)), full: meanOf(full) };
}
