import { ArgumentError } from '../../errors.ts';
import type { Scores } from '../records.ts';
import { isRight } from './scores.ts';

/**
 * Expected calibration error: how far confidence is from accuracy, `sum_b |B_b| / n |acc(B_b) - conf(B_b)|` over `bins`
 * bins of equal width (Naeini et al. 2015; Guo et al. 2017, "On calibration of modern neural networks", equation 3). A
 * share, 0 at best. `scores`: what one exit said of each sample. Samples with scores that are not finite are left out.
 * @throws ArgumentError for no samples, or a number of bins that is none
 */
export function calibrationError(
  scores: readonly Scores[],
  labels: ArrayLike<number>,
  { bins = 15 }: { bins?: number } = {},
): number {
  if (!(Number.isInteger(bins) && bins >= 1)) {
    throw new ArgumentError(`calibrationError: expected 1 bin or more, got ${bins}`);
  }
  const gaps = new Array<number>(bins).fill(0);
  let count = 0;
  scores.forEach((score, sample) => {
    if (!score.finite) return;
    const bin = Math.min(bins - 1, Math.floor(score.confidence * bins));
    gaps[bin]! += Number(isRight(score, labels[sample]!)) - score.confidence;
    count++;
  });
  if (count === 0) throw new ArgumentError('calibrationError: expected samples with finite scores, got none');
  return gaps.reduce((sum, gap) => sum + Math.abs(gap), 0) / count;
}
