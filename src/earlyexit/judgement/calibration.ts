import { ArgumentError } from '../../errors.ts';
import type { Scores } from '../records.ts';
import { isRight } from './scores.ts';

/** What one exit said of a sample, as far as calibration looks at it. */
export type Said = Pick<Scores, 'label' | 'confidence' | 'finite'>;

/** Samples of about the same confidence: a bar of a reliability diagram. */
export interface ReliabilityBin {
  readonly count: number;
  /** Their mean. */
  readonly confidence: number;
  /** The share that is right. */
  readonly accuracy: number;
}

interface BinOptions {
  /** 15 where left out. */
  readonly bins?: number;
}

/**
 * The samples in bins of equal width over the confidence or, with `mass`, of equal count; empty ones left out, the
 * least confident first. Equal confidences share a bin, so that of constant scores there is one, and bins of equal
 * count may differ. Samples with scores that are not finite are left out.
 * @throws ArgumentError for no samples, other numbers of scores and labels, or a number of bins that is none
 */
export function reliabilityBins(
  said: readonly Said[],
  labels: ArrayLike<number>,
  { bins = 15, equal = 'width' }: BinOptions & { equal?: 'width' | 'mass' } = {},
): ReliabilityBin[] {
  if (!(Number.isInteger(bins) && bins >= 1)) {
    throw new ArgumentError(`reliabilityBins: expected 1 bin or more, got ${bins}`);
  }
  const known = judged('reliabilityBins', said, labels).sort((a, b) => a.confidence - b.confidence);
  const binOf = ({ confidence }: Judged, place: number): number =>
    equal === 'width' ? Math.min(bins - 1, Math.floor(confidence * bins)) : Math.floor((place * bins) / known.length);
  const filled = new Map<number, Judged[]>();
  let first = 0;
  known.forEach((sample, place) => {
    if (sample.confidence !== known[first]!.confidence) first = place;
    const bin = binOf(sample, first);
    const samples = filled.get(bin);
    if (samples) samples.push(sample);
    else filled.set(bin, [sample]);
  });
  return [...filled.values()].map((samples) => {
    const count = samples.length;
    return {
      count,
      confidence: samples.reduce((sum, { confidence }) => sum + confidence, 0) / count,
      accuracy: samples.reduce((sum, { right }) => sum + Number(right), 0) / count,
    };
  });
}

/**
 * Expected calibration error: how far confidence is from accuracy, `sum_b |B_b| / n |acc(B_b) - conf(B_b)|` over `bins`
 * bins of equal width (Naeini et al. 2015; Guo et al. 2017, "On calibration of modern neural networks", equation 3). A
 * share, 0 at best. `said`: what one exit said of each sample. Samples with scores that are not finite are left out.
 * @throws ArgumentError for no samples, other numbers of scores and labels, or a number of bins that is none
 */
export const calibrationError = (said: readonly Said[], labels: ArrayLike<number>, options: BinOptions = {}): number =>
  gapOf(reliabilityBins(said, labels, options));

/**
 * The same over bins of equal count, which are narrow where samples are many: confidences crowd near 1, where bins of
 * equal width tell little (Nguyen and O'Connor 2015, "Posterior calibration and exploratory analysis for natural
 * language processing models", section 3.1; Nixon et al. 2019, "Measuring calibration in deep learning", section 4).
 * Of the label given, not of all classes.
 * @throws ArgumentError as `calibrationError`
 */
export const adaptiveCalibrationError = (
  said: readonly Said[],
  labels: ArrayLike<number>,
  options: BinOptions = {},
): number => gapOf(reliabilityBins(said, labels, { ...options, equal: 'mass' }));

const gapOf = (bins: readonly ReliabilityBin[]): number => {
  const total = bins.reduce((sum, { count }) => sum + count, 0);
  const gaps = bins.map(({ count, accuracy, confidence }) => count * Math.abs(accuracy - confidence));
  return gaps.reduce((sum, gap) => sum + gap, 0) / total;
};

/** A confidence, and whether the label given with it is right. */
export interface Judged {
  readonly confidence: number;
  readonly right: boolean;
}

/**
 * Those of finite scores; `what` names the caller.
 * @throws ArgumentError if there are none, or other numbers of scores and labels
 */
export function judged(what: string, said: readonly Said[], labels: ArrayLike<number>): Judged[] {
  if (said.length !== labels.length) {
    throw new ArgumentError(`${what}: expected as many labels as scores, got ${labels.length} and ${said.length}`);
  }
  const known = said.flatMap((score, sample) =>
    score.finite ? [{ confidence: score.confidence, right: isRight(score, labels[sample]!) }] : []);
  if (known.length > 0) return known;
  throw new ArgumentError(`${what}: expected samples with finite scores, got none`);
}
