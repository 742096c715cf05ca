import { ArgumentError } from '../../errors.ts';
import { Random } from '../../random.ts';

/** An estimate and the interval that holds the true value with the level asked for. */
export interface Interval {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

export interface BootstrapInterval extends Interval {
  /** The standard deviation of the estimate over the draws. */
  readonly standardError: number;
}

export interface BootstrapOptions {
  /** 1 where left out. */
  readonly seed?: number;
  /** Data sets drawn; 1,000 where left out. */
  readonly draws?: number;
  /** 0.95 where left out. */
  readonly level?: number;
}

/** A number that `count` samples give: of those at `indices`, `[count]`, among which one may come twice. */
export interface Statistic {
  readonly count: number;
  readonly of: (indices: Uint32Array) => number;
}

/**
 * The score interval of a share, `(k + z^2 / 2 +- z sqrt(k (n - k) / n + z^2 / 4)) / (n + z^2)` (Wilson 1927, "Probable
 * inference, the law of succession, and statistical inference"; recommended by Brown, Cai and DasGupta 2001, "Interval
 * estimation for a binomial proportion", section 3.1.1). Of 3 samples it is wide, but right.
 * @throws ArgumentError unless 0 <= successes <= count, integers, and count >= 1, or for a level not between 0 and 1
 */
export function wilson(successes: number, count: number, { level = 0.95 }: { level?: number } = {}): Interval {
  if (!(Number.isInteger(count) && count >= 1)) {
    throw new ArgumentError(`wilson: expected a count of 1 or more, got ${count}; a share of no samples is unknown`);
  }
  if (!(Number.isInteger(successes) && successes >= 0 && successes <= count)) {
    throw new ArgumentError(`wilson: expected successes from 0 to ${count}, got ${successes}`);
  }
  checkLevel('wilson', level);
  const z = normalQuantile((1 + level) / 2);
  const centre = successes + (z * z) / 2;
  const reach = z * Math.sqrt((successes * (count - successes)) / count + (z * z) / 4);
  const total = count + z * z;
  // Without successes, or with nothing else, one end is 0 or 1 exactly, which rounding would miss.
  const low = successes === 0 ? 0 : (centre - reach) / total;
  const high = successes === count ? 1 : (centre + reach) / total;
  return { value: successes / count, low, high };
}

/** As `wilson`, but null for a share of no samples. */
export const rate = (successes: number, count: number, options: { level?: number } = {}): Interval | null =>
  count === 0 ? null : wilson(successes, count, options);

/**
 * Percentile interval and standard error of a statistic, or of the mean of values, over data sets of the same size
 * drawn with replacement, by seed (Efron 1979, "Bootstrap methods: another look at the jackknife"; Efron and Tibshirani
 * 1993, "An introduction to the bootstrap", sections 6.2 and 13.3). Constant values give an interval of no width: that
 * is what these samples know, not a certainty.
 * @throws ArgumentError for no samples, values that are not finite, fewer than 2 draws, or a level not between 0 and 1;
 * what a statistic throws of a draw on which it is not defined
 */
export function bootstrap(
  values: ArrayLike<number> | Statistic,
  { seed = 1, draws = 1000, level = 0.95 }: BootstrapOptions = {},
): BootstrapInterval {
  checkDraws('bootstrap', draws, level);
  const { count, of } = statistic(values);
  if (!(Number.isInteger(count) && count >= 1)) {
    throw new ArgumentError(`bootstrap: expected samples, got ${count === 0 ? 'none' : `a count of ${count}`}`);
  }
  const estimate = (indices: Uint32Array): number => {
    const value = of(indices);
    if (Number.isFinite(value)) return value;
    throw new ArgumentError(`bootstrap: expected finite values, got ${value}`);
  };
  const indices = Uint32Array.from({ length: count }, (_, sample) => sample);
  const value = estimate(indices);
  const random = new Random(seed);
  const drawn = Float64Array.from({ length: draws }, () => {
    for (let place = 0; place < count; place++) indices[place] = random.below(count);
    return estimate(indices);
  });
  return spreadOf(value, drawn, level);
}

/** The percentile interval and the standard error of a value, from what it was over 2 draws or more. */
export function spreadOf(value: number, drawn: ArrayLike<number>, level: number): BootstrapInterval {
  const sorted = Float64Array.from(drawn).sort();
  const mean = sorted.reduce((sum, one) => sum + one, 0) / sorted.length;
  const variance = sorted.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (sorted.length - 1);
  const tail = Math.max(0, Math.ceil(((1 - level) / 2) * sorted.length) - 1);
  return { value, low: sorted[tail]!, high: sorted.at(-1 - tail)!, standardError: Math.sqrt(variance) };
}

/**
 * Bootstrap of `first - second`, two statistics of the same samples: both see the same draws, so that what they share
 * cancels.
 * @throws ArgumentError for different numbers of samples; as `bootstrap`
 */
export function bootstrapDifference(
  first: ArrayLike<number> | Statistic,
  second: ArrayLike<number> | Statistic,
  options: BootstrapOptions = {},
): BootstrapInterval {
  const [one, other] = [statistic(first), statistic(second)];
  if (one.count !== other.count) {
    throw new ArgumentError(
      `bootstrapDifference: expected the same samples on both sides, got ${one.count} and ${other.count}`,
    );
  }
  return bootstrap({ count: one.count, of: (indices) => one.of(indices) - other.of(indices) }, options);
}

function statistic(values: ArrayLike<number> | Statistic): Statistic {
  if ('of' in values) return values;
  const mean = (indices: Uint32Array): number => {
    let sum = 0;
    for (const index of indices) sum += values[index]!;
    return sum / indices.length;
  };
  return { count: values.length, of: mean };
}

/**
 * The z below which a standard normal variable falls with this probability, by Newton's steps on the series
 * `1/2 + density (z + z^3 / 3 + z^5 / 15 + ...)` (Marsaglia 2004, "Evaluating the normal distribution"). To 1e-9 for
 * probabilities from 1e-6 to 1 - 1e-6.
 */
export function normalQuantile(probability: number): number {
  if (probability < 0.5) return -normalQuantile(1 - probability);
  let z = 0;
  // From 0 the steps rise towards the quantile, where the distribution is concave, and end by rounding.
  for (;;) {
    let sum = 0;
    let term = z;
    for (let odd = 3; sum + term !== sum; odd += 2) {
      sum += term;
      term *= (z * z) / odd;
    }
    const density = Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
    const next = z + (probability - 0.5 - density * sum) / density;
    if (!(next > z)) return z;
    z = next;
  }
}

/** @throws ArgumentError for fewer than 2 draws, or a level not between 0 and 1; `what` names the caller */
export function checkDraws(what: string, draws: number, level: number): void {
  checkLevel(what, level);
  if (Number.isInteger(draws) && draws >= 2) return;
  throw new ArgumentError(`${what}: expected 2 draws or more, got ${draws}`);
}

function checkLevel(what: string, level: number): void {
  if (level > 0 && level < 1) return;
  throw new ArgumentError(`${what}: expected a level between 0 and 1, got ${level}`);
}
