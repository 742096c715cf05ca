import type { Criterion } from '../criteria.ts';
import { answers, answersAt, checkTable, rightAtExits } from './answers.ts';
import type { Answers } from './answers.ts';
import { rate } from './intervals.ts';
import type { Interval } from './intervals.ts';
import type { ScoreTable } from './scores.ts';

/**
 * What leaving at the first exit that is right would give; a sample that no exit gets right leaves at exit 1, as going
 * on is of no use to it. No criterion is more accurate, and none as accurate is cheaper.
 * @throws ArgumentError for no samples
 */
export function oracle(table: ScoreTable): Answers {
  checkTable('oracle', table);
  const right = rightAtExits(table);
  const first = Uint16Array.from(right[0]!, (_, sample) => Math.max(0, right.findIndex((exit) => exit[sample] === 1)));
  return answersAt(table, first);
}

/** How often samples of one kind should have left earlier, or later. */
export interface Thinking {
  readonly count: number;
  /** Right at an exit before the last, wrong at the last; null without samples. */
  readonly overthinking: Interval | null;
  /** Left with a wrong answer where the last exit has the right one; null without samples. */
  readonly premature: Interval | null;
}

export interface ThinkingReport extends Thinking {
  /** How far the criterion is from the oracle: right answers it misses, as a share, and multiply-accumulates more. */
  readonly gap: { readonly accuracy: number; readonly macs: number };
  /** In the order of the data's classes; one without samples has a count of 0. */
  readonly byClass: readonly (Thinking & { readonly name: string })[];
  /**
   * The easy, middle and hard third, with the greatest difficulty in each; only of data that know it. Samples of one
   * difficulty stay together, so thirds may differ in size, and be empty.
   */
  readonly byDifficulty?: readonly (Thinking & { readonly upTo: number })[];
}

/**
 * Overthinking, of the destructive kind (Kaya, Hong and Dumitras 2019, "Shallow-deep networks: understanding and
 * mitigating network overthinking"), which a criterion can spare, and premature exits, which it causes; overall, by
 * class and by difficulty, with Wilson intervals. Answers from scores that are not finite are wrong.
 * @throws ArgumentError for no samples, one exit, or a level not between 0 and 1; as `replay`
 */
export function judgeThinking(
  table: ScoreTable,
  criterion: Criterion,
  { level = 0.95 }: { level?: number } = {},
): ThinkingReport {
  checkTable('judgeThinking', table, 2);
  const { labels, classNames, difficulty } = table.dataset;
  const [left, best] = [answers(table, criterion), oracle(table)];
  const right = rightAtExits(table);
  const last = right.at(-1)!;
  const think = (of: (sample: number) => boolean): Thinking => {
    const samples = [...labels.keys()].filter(of);
    const wasted = samples.filter((sample) => !last[sample] && best.right[sample]);
    const missed = samples.filter((sample) => last[sample] && !left.right[sample]);
    return {
      count: samples.length,
      overthinking: rate(wasted.length, samples.length, { level }),
      premature: rate(missed.length, samples.length, { level }),
    };
  };
  return {
    ...think(() => true),
    gap: { accuracy: best.accuracy - left.accuracy, macs: left.macs - best.macs },
    byClass: classNames.map((name, index) => ({ name, ...think((sample) => labels[sample] === index) })),
    ...(difficulty && {
      byDifficulty: thirds(difficulty).map(({ above, upTo }) => ({
        upTo,
        ...think((sample) => difficulty[sample]! > above && difficulty[sample]! <= upTo),
      })),
    }),
  };
}

/** Cut at the values a third and two thirds down the sorted list. */
function thirds(difficulty: Float32Array): { above: number; upTo: number }[] {
  const sorted = difficulty.toSorted();
  const cuts = [1, 2, 3].map((third) => sorted[Math.ceil((third * sorted.length) / 3) - 1]!);
  return cuts.map((upTo, index) => ({ above: cuts[index - 1] ?? -Infinity, upTo }));
}
