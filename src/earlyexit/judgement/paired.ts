import { ArgumentError } from '../../errors.ts';
import { binomialTail } from './bounds.ts';

/** Two answers to each of the same samples, compared. */
export interface PairedTest {
  /** Samples that the first alone gets right. */
  readonly onlyFirst: number;
  readonly onlySecond: number;
  /** Probability of a difference at least as large if neither is better, two-sided. */
  readonly pValue: number;
}

/**
 * McNemar's test in its exact form: if neither is better, each of the b + c samples that only one gets right falls to
 * either with probability 1/2, so `p = min(1, 2 P(X <= min(b, c)))`, X ~ Bin(b + c, 1/2) (McNemar 1947, "Note on the
 * sampling error of the difference between correlated proportions or percentages"; exact as in Fagerland, Lydersen and
 * Laake 2013, "The McNemar test for binary matched-pairs data"). Samples that both get right, or both wrong, say
 * nothing.
 * @param first 1 where right, else 0, one per sample; `second` for the same samples in the same order
 * @throws ArgumentError for different numbers of samples, or none
 */
export function mcnemar(first: ArrayLike<number>, second: ArrayLike<number>): PairedTest {
  if (first.length !== second.length || first.length === 0) {
    throw new ArgumentError(
      `mcnemar: expected the same samples on both sides, got ${first.length} and ${second.length}`,
    );
  }
  let [onlyFirst, onlySecond] = [0, 0];
  for (let sample = 0; sample < first.length; sample++) {
    if (first[sample]! > second[sample]!) onlyFirst++;
    if (first[sample]! < second[sample]!) onlySecond++;
  }
  const tail = binomialTail(Math.min(onlyFirst, onlySecond), onlyFirst + onlySecond, 0.5);
  return { onlyFirst, onlySecond, pValue: Math.min(1, 2 * tail) };
}
