import { finiteRows, softmaxRow } from './logits.ts';
import type { Logits } from './logits.ts';

/**
 * Brier score over all classes, `1 / n sum_i sum_k (p_ik - [y_i = k])^2` (Brier 1950, "Verification of forecasts
 * expressed in terms of probability"): 0 at best, 2 at worst. Of `logits` `[samples, classes]`; rows that are not
 * finite are left out.
 * @throws ArgumentError for logits that are not whole rows for the labels, a label that is no class, or no finite row
 */
export function brierScore(logits: Logits, labels: ArrayLike<number>): number {
  const { classes, samples } = finiteRows('brierScore', logits, labels);
  const probabilities = new Float64Array(classes);
  let sum = 0;
  for (const sample of samples) {
    softmaxRow(logits.subarray(sample * classes, (sample + 1) * classes), probabilities);
    probabilities.forEach((share, index) => (sum += (share - Number(index === labels[sample])) ** 2));
  }
  return sum / samples.length;
}

/**
 * Mean negative log-likelihood of the labels, in nats: `-1 / n sum_i log p_i,y_i`; finite for finite logits, however
 * wrong. Of `logits` `[samples, classes]`; rows that are not finite are left out.
 * @throws ArgumentError as `brierScore`
 */
export function negativeLogLikelihood(logits: Logits, labels: ArrayLike<number>): number {
  const { classes, samples } = finiteRows('negativeLogLikelihood', logits, labels);
  const probabilities = new Float64Array(classes);
  let sum = 0;
  for (const sample of samples) {
    const row = logits.subarray(sample * classes, (sample + 1) * classes);
    const { greatest, logSum } = softmaxRow(row, probabilities);
    sum += logSum - (row[labels[sample]!]! - greatest);
  }
  return sum / samples.length;
}
