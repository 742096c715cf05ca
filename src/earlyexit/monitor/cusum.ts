import { sumOf } from '../judgement/answers.ts';
import { wilson } from '../judgement/intervals.ts';

/** What a chart looks for: that the share of samples which leave at an exit has moved to `share`. */
export interface Chart {
  /** Counted from 1. */
  readonly exit: number;
  /** That of the shares still in order that is nearest to what is looked for, and what is looked for. */
  readonly from: number;
  readonly share: number;
}

export interface ChartOptions {
  /** The odds of leaving at an exit are looked for changed by these factors, up and down. */
  readonly ratios?: readonly number[];
  /**
   * The level of the Wilson interval of a share: a calibration record knows it no better, and what lies within is in
   * order.
   */
  readonly level?: number;
}

/**
 * A chart for each exit, factor and direction, from the numbers of samples that left at each exit in order. An exit at
 * which all of them may leave, or none, has none where it could not move further.
 */
export function exitCharts(counts: readonly number[], options: ChartOptions = {}): Chart[] {
  const { ratios = [1.5, 3], level = 0.99 } = options;
  if (counts.length < 2) return [];
  const total = sumOf(counts);
  return counts.flatMap((count, index) => {
    const { low, high } = wilson(count, total, { level });
    return [...ratios.map((ratio) => [high, ratio]), ...ratios.map((ratio) => [low, 1 / ratio])]
      .filter(([from]) => from! > 0 && from! < 1)
      .map(([from, ratio]) => ({ exit: index + 1, from: from!, share: moved(from!, ratio!) }));
  });
}

const moved = (share: number, ratio: number): number => (ratio * share) / (1 - share + ratio * share);

/**
 * Cumulative sums of log-likelihood ratios (Page 1954, "Continuous inspection schemes"): of each chart
 * `S = max(0, S + k ln(q / p) + (n - k) ln((1 - q) / (1 - p)))` for `k` of `n` samples that leave at the exit, with `p`
 * the share in order and `q` the one looked for.
 *
 * `exp(S)` is never above the Shiryaev-Roberts statistic R, and in order `R - n` is a supermartingale, so that a chart
 * reaches `h` within `n` samples with probability `n exp(-h)` at most (Doob's inequality; Pollak 1985, "Optimal
 * detection of a change in distribution"). The threshold is the `h` for which all charts together do so with
 * probability `falseAlarms` within `horizon` samples.
 */
export class Cusum {
  readonly charts: readonly Chart[];
  readonly threshold: number;
  readonly sums: Float64Array;

  constructor(charts: readonly Chart[], { falseAlarms, horizon }: { falseAlarms: number; horizon: number }) {
    this.charts = charts;
    this.threshold = Math.log((horizon * charts.length) / falseAlarms);
    this.sums = new Float64Array(charts.length);
  }

  /** Numbers of samples that left at each exit; gives the chart that is highest above the threshold, if any is. */
  add(counts: readonly number[]): { chart: Chart; sum: number } | undefined {
    const total = sumOf(counts);
    let highest = -1;
    this.charts.forEach(({ exit, from, share }, index) => {
      const count = counts[exit - 1]!;
      const evidence = count * Math.log(share / from) + (total - count) * Math.log((1 - share) / (1 - from));
      this.sums[index] = Math.max(0, this.sums[index]! + evidence);
      if (this.sums[index]! >= Math.max(this.threshold, this.sums[highest] ?? 0)) highest = index;
    });
    return highest < 0 ? undefined : { chart: this.charts[highest]!, sum: this.sums[highest]! };
  }

  reset(): void {
    this.sums.fill(0);
  }
}
