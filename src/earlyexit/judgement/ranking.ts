import { ArgumentError } from '../../errors.ts';

/**
 * Area under the ROC curve: how likely a positive scores above a negative, ties counted half. Exact, by the statistic
 * of Mann and Whitney (1947; Hanley and McNeil 1982, "The meaning and use of the area under a ROC curve"). Constant
 * scores give 0.5: all are ties.
 * @throws ArgumentError without positives or without negatives, or for a score that is NaN
 */
export function auroc(positives: ArrayLike<number>, negatives: ArrayLike<number>): number {
  const [above, below] = [sorted('auroc', positives, 'positives'), sorted('auroc', negatives, 'negatives')];
  let wins = 0;
  let beaten = 0;
  let reached = 0;
  for (const score of above) {
    while (beaten < below.length && below[beaten]! < score) beaten++;
    while (reached < below.length && below[reached]! <= score) reached++;
    wins += (beaten + reached) / 2;
  }
  return wins / (above.length * below.length);
}

/**
 * The share of the negatives that pass the strictest threshold which at least `tpr` of the positives pass: FPR95 for
 * 0.95 (Liang, Li and Srikant 2018, "Enhancing the reliability of out-of-distribution image detection in neural
 * networks"). A score that equals the threshold passes, so constant scores give 1.
 * @throws ArgumentError as `auroc`, or unless 0 < tpr <= 1
 */
export function fprAtTpr(
  positives: ArrayLike<number>,
  negatives: ArrayLike<number>,
  { tpr = 0.95 }: { tpr?: number } = {},
): number {
  if (!(tpr > 0 && tpr <= 1)) throw new ArgumentError(`fprAtTpr: expected tpr in (0, 1], got ${tpr}`);
  const [above, below] = [sorted('fprAtTpr', positives, 'positives'), sorted('fprAtTpr', negatives, 'negatives')];
  const threshold = above[above.length - leastCount(tpr, above.length)]!;
  return below.filter((score) => score >= threshold).length / below.length;
}

/** What a score is worth for answering only where it is sure. */
export interface SelectiveRisks {
  /** The share of errors among the k surest samples at index k - 1: risk at a coverage of k / n. */
  readonly risks: Float64Array;
  /** Mean of the risks: the area under the risk-coverage curve, AURC. */
  readonly area: number;
}

/**
 * The risk-coverage curve (Geifman and El-Yaniv 2017, "Selective classification for deep neural networks") and the area
 * under it (Geifman, Uziel and El-Yaniv 2019, "Bias-reduced uncertainty estimation for deep neural classifiers"). Among
 * ties the errors are spread evenly, the mean over all orders: constant scores give the error rate throughout.
 * @throws ArgumentError for no samples, other lengths, or a score that is NaN
 */
export function selectiveRisks(scores: ArrayLike<number>, right: ArrayLike<number>): SelectiveRisks {
  const count = scores.length;
  if (right.length !== count) {
    throw new ArgumentError(`selectiveRisks: expected as many answers as scores, got ${right.length} and ${count}`);
  }
  sorted('selectiveRisks', scores, 'scores');
  const order = Uint32Array.from({ length: count }, (_, sample) => sample);
  order.sort((a, b) => compare(scores[b]!, scores[a]!));
  const risks = new Float64Array(count);
  let errors = 0;
  for (let start = 0, end = 0; start < count; start = end) {
    let wrong = 0;
    for (; end < count && scores[order[end]!] === scores[order[start]!]; end++) wrong += Number(!right[order[end]!]);
    for (let k = start + 1; k <= end; k++) risks[k - 1] = (errors + (wrong * (k - start)) / (end - start)) / k;
    errors += wrong;
  }
  return { risks, area: risks.reduce((sum, risk) => sum + risk, 0) / count };
}

/**
 * The risk where at least this share of the samples is answered, the surest first.
 * @throws ArgumentError unless 0 < coverage <= 1
 */
export function riskAtCoverage({ risks }: SelectiveRisks, coverage: number): number {
  if (!(coverage > 0 && coverage <= 1)) {
    throw new ArgumentError(`riskAtCoverage: expected a coverage in (0, 1], got ${coverage}`);
  }
  return risks[leastCount(coverage, risks.length) - 1]!;
}

/** The least k with k / count >= share, whatever rounding makes of a share such as 0.07. */
const leastCount = (share: number, count: number): number => Math.max(1, Math.ceil(share * count - 1e-9 * count));

/** Not by their difference, which is NaN of two infinities. */
const compare = (a: number, b: number): number => Number(a > b) - Number(a < b);

function sorted(what: string, scores: ArrayLike<number>, name: string): Float64Array {
  if (scores.length === 0) throw new ArgumentError(`${what}: expected ${name}, got none`);
  const list = Float64Array.from(scores).sort();
  if (!Number.isNaN(list.at(-1)!)) return list;
  throw new ArgumentError(`${what}: expected scores that are numbers, got NaN among the ${name}; -Infinity ranks last`);
}
