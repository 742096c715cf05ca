import { entropy, Random, replay } from '../../node.ts';
import type { ScoreTable } from '../../node.ts';
import { isRight } from '../../earlyexit/judgement/scores.ts';

/** What thresholds do on one part of the data. */
export interface Point {
  readonly thresholds: readonly number[];
  /** Multiply-accumulates per sample in the mean. */
  readonly macs: number;
  readonly accuracy: number;
}

/** Thresholds tried for each exit: quantiles of its entropies, and none leaving. */
const QUANTILES = 16;

/** For each sample, whether the answer at the exit where it leaves is right. */
export function answers(scores: ScoreTable, thresholds: readonly number[]): { right: Uint8Array; macs: number } {
  const at = replay(scores, entropy(...thresholds));
  const { labels } = scores.dataset;
  const right = Uint8Array.from(at, (exit, sample) => Number(isRight(scores.exits[exit]![sample]!, labels[sample]!)));
  return { right, macs: at.reduce((sum, exit) => sum + scores.macs[exit]!, 0) / at.length };
}

export const mean = (values: ArrayLike<number>): number =>
  Array.prototype.reduce.call(values, (sum, value) => (sum as number) + value, 0) as number / values.length;

/** What pairs and triples of thresholds, one per exit but the last, give on this part. */
export function pointsOf(scores: ScoreTable): Point[] {
  const grids = scores.exits.slice(0, -1).map((list) => {
    const sorted = list.map(({ entropy: nats }) => nats).sort((a, b) => a - b);
    const quantile = (k: number): number => sorted[Math.ceil((k * sorted.length) / QUANTILES) - 1]!;
    return [0, ...Array.from({ length: QUANTILES }, (_, k) => quantile(k + 1))];
  });
  const combinations = grids.reduce<number[][]>(
    (lists, grid) => lists.flatMap((list) => grid.map((value) => [...list, value])),
    [[]],
  );
  return combinations.map((thresholds) => {
    const { right, macs } = answers(scores, thresholds);
    return { thresholds, macs, accuracy: mean(right) };
  });
}

/** The most accurate that costs at most so much; `undefined` if none does. */
export const bestWithin = (points: readonly Point[], macs: number): Point | undefined =>
  points.filter((point) => point.macs <= macs).sort((a, b) => b.accuracy - a.accuracy || a.macs - b.macs)[0];

/** The standard deviation of the mean over samples drawn anew with replacement (Efron 1979): 1,000 times, by seed. */
export function bootstrap(values: ArrayLike<number>, seed = 1): number {
  const random = new Random(seed);
  const means = Array.from({ length: 1000 }, () => {
    let sum = 0;
    for (let draw = 0; draw < values.length; draw++) sum += values[random.below(values.length)]!;
    return sum / values.length;
  });
  const centre = mean(means);
  return Math.sqrt(mean(means.map((value) => (value - centre) ** 2)));
}
