import type { RiskBound } from './guarantee.ts';

/**
 * A test and a bound of the mean of independent losses in [0, 1], whatever their distribution, at any number of them.
 * The two say the same: the bound is at most `level` just where the p-value is at most `delta`.
 */
export interface MeanBound {
  /**
   * Of the hypothesis that the mean is above `level`: where it holds, at most `delta` with no more than that
   * probability. In [0, 1]; `delta` is what it will be compared with.
   */
  pValue(losses: Float64Array, level: number, delta: number): number;
  /** Below the mean with probability `delta` at most. In [0, 1]. */
  upperBound(losses: Float64Array, delta: number): number;
}

/**
 * The smaller of Hoeffding's and Bentkus' p-value, for mean loss `r` and level `a`
 * `min(exp(-n h(min(r, a), a)), e P(Bin(n, a) <= ceil(n r)))` with
 * `h(r, a) = r ln(r / a) + (1 - r) ln((1 - r) / (1 - a))` (Bates et al. 2021, "Distribution-free, risk-controlling
 * prediction sets", section 3.1; Angelopoulos et al. 2021, "Learn then test"). For losses of 0 and 1.
 */
export const hoeffdingBentkus: MeanBound = {
  pValue(losses, level) {
    const count = losses.length;
    const sum = losses.reduce((total, loss) => total + loss, 0);
    const hoeffding = Math.exp(-count * divergence(Math.min(sum / count, level), level));
    return Math.min(hoeffding, Math.E * binomialTail(Math.ceil(sum), count, level));
  },
  upperBound(losses, delta) {
    return leastLevel((level) => hoeffdingBentkus.pValue(losses, level, delta) <= delta);
  },
};

/**
 * By betting against the mean: where it is above `a`, the wealth `K_i = prod_{j <= i} (1 - v_j (L_j - a))` ever exceeds
 * `1 / delta` with probability `delta` at most, so `1 / max_i K_i` is a p-value. The bets are
 * `v_i = min(1, sqrt(2 ln(1 / delta) / (n s_{i-1})))` with `m_i = (1/2 + sum_{j <= i} L_j) / (i + 1)` and
 * `s_i = (1/4 + sum_{j <= i} (L_j - m_j)^2) / (i + 1)` (Waudby-Smith and Ramdas 2020, "Estimating means of bounded
 * random variables by betting"; Bates et al. 2021, section 3.1). Adapts to losses of small variance, and depends on
 * their order, which must be random.
 */
export const waudbySmithRamdas: MeanBound = {
  pValue: (losses, level, delta) => Math.min(1, 1 / mostWealth(losses, betsOn(losses, delta), level)),
  upperBound(losses, delta) {
    const bets = betsOn(losses, delta);
    return leastLevel((level) => mostWealth(losses, bets, level) >= 1 / delta);
  },
};

export const BOUNDS: Readonly<Record<RiskBound, MeanBound>> = {
  'hoeffding-bentkus': hoeffdingBentkus,
  'waudby-smith-ramdas': waudbySmithRamdas,
};

function betsOn(losses: Float64Array, delta: number): Float64Array {
  const scale = (2 * Math.log(1 / delta)) / losses.length;
  let [sum, squares, variance] = [0.5, 0.25, 0.25];
  return losses.map((loss, index) => {
    const bet = Math.min(1, Math.sqrt(scale / variance));
    sum += loss;
    squares += (loss - sum / (index + 2)) ** 2;
    variance = squares / (index + 2);
    return bet;
  });
}

function mostWealth(losses: Float64Array, bets: Float64Array, level: number): number {
  let [wealth, most] = [1, 0];
  for (let index = 0; index < losses.length; index++) {
    wealth *= 1 - bets[index]! * (losses[index]! - level);
    if (wealth > most) most = wealth;
  }
  return most;
}

/** The least level in [0, 1] that passes, where all above it do; 1 if none does. */
function leastLevel(passes: (level: number) => boolean): number {
  let [low, high] = [0, 1];
  for (let halving = 0; halving < 50; halving++) {
    const middle = (low + high) / 2;
    if (passes(middle)) high = middle;
    else low = middle;
  }
  return high;
}

/** Kullback-Leibler divergence of two coins, in nats. */
function divergence(share: number, level: number): number {
  const part = (p: number, q: number): number => (p > 0 ? p * Math.log(p / q) : 0);
  return part(share, level) + part(1 - share, 1 - level);
}

/** P(X <= successes) for X binomial: relative to 1e-9 for up to a million trials. */
export function binomialTail(successes: number, trials: number, probability: number): number {
  if (successes >= trials || probability <= 0) return 1;
  if (successes < 0 || probability >= 1) return 0;
  const odds = probability / (1 - probability);
  let sum = 0;
  // Terms fall away from the mean: the tail that does not hold it is summed, until the rest is lost in rounding.
  if (successes <= trials * probability) {
    let term = binomialProbability(successes, trials, probability);
    for (let at = successes; term > sum * Number.EPSILON; at--) {
      sum += term;
      term *= at / ((trials - at + 1) * odds);
    }
    return sum;
  }
  let term = binomialProbability(successes + 1, trials, probability);
  for (let at = successes + 1; term > sum * Number.EPSILON; at++) {
    sum += term;
    term *= ((trials - at) * odds) / (at + 1);
  }
  return 1 - sum;
}

/**
 * P(X = successes) without the cancellation of log factorials (Loader 2000, "Fast and accurate computation of binomial
 * probabilities").
 */
function binomialProbability(successes: number, trials: number, probability: number): number {
  const failures = trials - successes;
  if (successes === 0) return Math.exp(trials * Math.log1p(-probability));
  if (failures === 0) return probability ** trials;
  const logarithm =
    stirlingError(trials) -
    stirlingError(successes) -
    stirlingError(failures) -
    trials * divergence(successes / trials, probability);
  return Math.exp(logarithm) * Math.sqrt(trials / (2 * Math.PI * successes * failures));
}

/** `ln n! - ln(sqrt(2 pi n) (n / e)^n)`: from the factorial while a double holds it, then from the series in 1 / n. */
function stirlingError(n: number): number {
  if (n > 18) return (1 / 12 - (1 / 360 - (1 / 1260 - 1 / 1680 / n ** 2) / n ** 2) / n ** 2) / n;
  let factorial = 1;
  for (let factor = 2; factor <= n; factor++) factorial *= factor;
  return Math.log(factorial) - 0.5 * Math.log(2 * Math.PI * n) - n * Math.log(n) + n;
}
