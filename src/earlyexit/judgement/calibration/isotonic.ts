import { judged } from '../calibration.ts';
import type { Said } from '../calibration.ts';
import type { Fit } from './temperature.ts';

/** A confidence becomes the value of the last step that begins at it or below; below all of them, of the first. */
export interface IsotonicScaling extends Fit {
  readonly kind: 'isotonic';
  /** The confidences at which steps begin, ascending. */
  readonly from: readonly number[];
  /** Ascending too. */
  readonly values: readonly number[];
}

/**
 * Isotonic regression of being right on the confidence (Zadrozny and Elkan 2002, "Transforming classifier scores into
 * accurate multiclass probability estimates", section 2). It assumes an order and nothing else, and needs samples for
 * that: below about 1,000 Platt scaling does better (Niculescu-Mizil and Caruana 2005, "Predicting good probabilities
 * with supervised learning", section 6). Samples that are not finite are left out.
 * @throws ArgumentError for no samples, or other numbers of scores and labels
 */
export function fitIsotonic(said: readonly Said[], labels: ArrayLike<number>): IsotonicScaling {
  const known = judged('fitIsotonic', said, labels).sort((a, b) => a.confidence - b.confidence);
  const from = [...new Set(known.map(({ confidence }) => confidence))];
  const groups = new Map(from.map((confidence) => [confidence, { right: 0, count: 0 }]));
  for (const { confidence, right } of known) {
    const group = groups.get(confidence)!;
    group.right += Number(right);
    group.count++;
  }
  const counts = [...groups.values()];
  const shares = counts.map(({ right, count }) => right / count);
  const blocks = poolAdjacentViolators(shares, counts.map(({ count }) => count));
  return {
    kind: 'isotonic',
    from: blocks.map(({ first }) => from[first]!),
    values: blocks.map(({ value }) => value),
    samples: known.length,
    leftOut: said.length - known.length,
  };
}

/** A run of values that share their weighted mean; `first`: where it begins. */
export interface Block {
  readonly first: number;
  readonly value: number;
  readonly weight: number;
}

/**
 * The ascending sequence nearest to some values in weighted squares, by pooling adjacent violators (Ayer et al. 1955,
 * "An empirical distribution function for sampling with incomplete information"). Blocks of equal value are one.
 */
export function poolAdjacentViolators(values: readonly number[], weights: readonly number[]): Block[] {
  const blocks: Block[] = [];
  values.forEach((own, first) => {
    let block: Block = { first, value: own, weight: weights[first]! };
    for (let last = blocks.at(-1); last && last.value >= block.value; last = blocks.at(-1)) {
      blocks.pop();
      const weight = last.weight + block.weight;
      const value = (last.value * last.weight + block.value * block.weight) / weight;
      block = { first: last.first, value, weight };
    }
    blocks.push(block);
  });
  return blocks;
}
