import { ArgumentError } from '../../errors.ts';
import type { Criterion } from '../criteria.ts';
import { macsToExit } from '../network.ts';
import { answers, answersAt, checkTable, rightAtExits, sumOf } from './answers.ts';
import type { Answers } from './answers.ts';
import { bootstrapDifference, rate, wilson } from './intervals.ts';
import type { BootstrapInterval, BootstrapOptions, Interval } from './intervals.ts';
import type { ScoreTable } from './scores.ts';
import { replay } from './thresholds.ts';

/** What one exit does under a criterion; shares and accuracies with Wilson intervals. */
export interface ExitDepth {
  /** Counted from 1. */
  readonly exit: number;
  /** Of all samples, those that leave here. */
  readonly share: Interval;
  /** Of those that leave here, the right ones; null if none leaves. */
  readonly accuracy: Interval | null;
  /** If this exit answered for all samples. */
  readonly accuracyAll: Interval;
  /** Multiply-accumulates that samples spent in this head without leaving, per sample of all in the mean. */
  readonly wastedMacs: number;
  /** What the exit adds; null for the last, which always answers. */
  readonly value: ExitValue | null;
}

/** With the exit minus without it, under the same criterion; what would have left here leaves later. */
export interface ExitValue {
  /** With its paired bootstrap interval; below 0 where the exit costs right answers. */
  readonly accuracy: BootstrapInterval;
  /** Per sample in the mean; above 0 where the exit costs more than it saves. */
  readonly macs: number;
}

export interface DepthOptions extends BootstrapOptions {
  /** Multiply-accumulates of each head: `network.macs.heads`. */
  readonly heads: readonly number[];
}

/**
 * Where samples leave under a criterion, and what each exit is worth. Samples with scores that are not finite never
 * leave early, and an answer of theirs is wrong.
 * @throws ArgumentError for no samples, heads that are not one per exit; as `replay` and `bootstrap`
 */
export function exitDepths(table: ScoreTable, criterion: Criterion, options: DepthOptions): ExitDepth[] {
  checkTable('exitDepths', table);
  const { heads, ...bootstrapping } = options;
  const exits = table.exits.map((_, index) => index + 1);
  if (heads.length !== exits.length) {
    throw new ArgumentError(`exitDepths: expected the costs of ${exits.length} heads, got ${heads.length}`);
  }
  const all = answers(table, criterion);
  const count = all.at.length;
  const asked = rightAtExits(table);
  return exits.map((exit): ExitDepth => {
    const here = all.right.filter((_, sample) => all.at[sample] === exit - 1);
    const passed = sumOf(all.at.map((at) => Number(at >= exit)));
    const without = exit < exits.length ? answersWithout(table, criterion, exit, heads) : null;
    return {
      exit,
      share: wilson(here.length, count, options),
      accuracy: rate(sumOf(here), here.length, options),
      accuracyAll: wilson(sumOf(asked[exit - 1]!), count, options),
      wastedMacs: (heads[exit - 1]! * passed) / count,
      value: without && {
        accuracy: bootstrapDifference(all.right, without.right, bootstrapping),
        macs: all.macs - without.macs,
      },
    };
  });
}

function answersWithout(table: ScoreTable, criterion: Criterion, exit: number, heads: readonly number[]): Answers {
  const built = table.exits.map((_, index) => index + 1).filter((other) => other !== exit);
  const macs = table.macs.map((_, index) => macsToExit({ toExit: table.macs, heads }, index + 1, built));
  return answersAt(table, replay(table, criterion, { exits: built }), macs);
}
