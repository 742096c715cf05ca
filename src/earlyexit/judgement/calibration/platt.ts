import { judged } from '../calibration.ts';
import type { Said } from '../calibration.ts';
import { minimize } from './newton.ts';
import type { Fit } from './temperature.ts';

/** A confidence `c` becomes `sigmoid(slope c + intercept)`. */
export interface PlattScaling extends Fit {
  readonly kind: 'platt';
  /** Below 0 where the exit is the less often right the surer it is. */
  readonly slope: number;
  readonly intercept: number;
}

/**
 * Platt scaling of an exit's confidence in its answer (Platt 1999, "Probabilistic outputs for support vector machines",
 * section 2.1), whose targets `(n+ + 1) / (n+ + 2)` and `1 / (n- + 2)` keep it finite where all answers are right, or
 * wrong; by Newton's steps on a loss that cannot overflow (Lin, Lin and Weng 2007, "A note on Platt's probabilistic
 * outputs for support vector machines"). Of a constant confidence the slope is 0. Samples that are not finite are left
 * out.
 * @throws ArgumentError for no samples, or other numbers of scores and labels
 */
export function fitPlatt(said: readonly Said[], labels: ArrayLike<number>): PlattScaling {
  const known = judged('fitPlatt', said, labels);
  const right = known.filter((sample) => sample.right).length;
  const wrong = known.length - right;
  const targetOf = (sample: { right: boolean }): number => (sample.right ? (right + 1) / (right + 2) : 1 / (wrong + 2));
  const fit = { kind: 'platt', samples: known.length, leftOut: said.length - known.length } as const;
  if (known.every(({ confidence }) => confidence === known[0]!.confidence)) {
    const mean = known.reduce((sum, sample) => sum + targetOf(sample), 0) / known.length;
    return { ...fit, slope: 0, intercept: Math.log(mean / (1 - mean)) };
  }

  // Confidences crowd near 1: about their mean, and in units of their deviation, rounding does no harm.
  const mean = known.reduce((sum, { confidence }) => sum + confidence, 0) / known.length;
  const variance = known.reduce((sum, { confidence }) => sum + (confidence - mean) ** 2, 0) / known.length;
  const deviation = Math.sqrt(variance);
  const points = known.map((sample) => ({ x: (sample.confidence - mean) / deviation, target: targetOf(sample) }));

  const value = ([slope, intercept]: Float64Array): number =>
    points.reduce((sum, { x, target }) => {
      const score = slope! * x + intercept!;
      return sum + Math.max(score, 0) + Math.log1p(Math.exp(-Math.abs(score))) - target * score;
    }, 0);
  const derivatives = ([slope, intercept]: Float64Array) => {
    const gradient = new Float64Array(2);
    const hessian = new Float64Array(4);
    for (const { x, target } of points) {
      const probability = sigmoid(slope! * x + intercept!);
      const curvature = probability * (1 - probability);
      gradient[0]! += (probability - target) * x;
      gradient[1]! += probability - target;
      hessian[0]! += curvature * x ** 2;
      hessian[2]! += curvature * x;
      hessian[3]! += curvature;
    }
    return { gradient, hessian };
  };
  const start = Float64Array.of(0, Math.log((right + 1) / (wrong + 1)));
  const [slope, intercept] = minimize({ value, derivatives }, start);
  return { ...fit, slope: slope! / deviation, intercept: intercept! - (slope! * mean) / deviation };
}

/** Of a great negative number 0, not NaN. */
export const sigmoid = (score: number): number =>
  score >= 0 ? 1 / (1 + Math.exp(-score)) : Math.exp(score) / (1 + Math.exp(score));
