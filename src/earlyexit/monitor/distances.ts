import { ArgumentError } from '../../errors.ts';
import { sumOf } from '../judgement/answers.ts';

function checkCells(what: string, reference: readonly number[], counts: readonly number[]): void {
  if (reference.length === counts.length && sumOf(reference) > 0 && sumOf(counts) > 0) return;
  throw new ArgumentError(
    `${what}: expected samples in as many cells on both sides, got ${sumOf(reference)} in ${reference.length} ` +
      `and ${sumOf(counts)} in ${counts.length}`,
  );
}

/**
 * Population stability index of two sets of counts over the same cells, `sum (q - p) ln(q / p)` with `p` and `q` their
 * shares. To each count half a sample is added: an empty cell says little, and not infinitely much.
 * @throws ArgumentError for other numbers of cells, or no samples
 */
export function psi(reference: readonly number[], counts: readonly number[]): number {
  checkCells('psi', reference, counts);
  const cells = counts.length;
  const share = (of: readonly number[], cell: number): number => (of[cell]! + 0.5) / (sumOf(of) + cells / 2);
  return counts.reduce((sum, _, cell) => {
    const [p, q] = [share(reference, cell), share(counts, cell)];
    return sum + (q - p) * Math.log(q / p);
  }, 0);
}

/**
 * What the index of two sets of `m` and `n` samples of one distribution exceeds with probability `alpha`: it is then
 * distributed as `(1 / m + 1 / n)` times chi-squared with a degree of freedom less than there are cells (Yurdakul and
 * Naranjo 2020, "Statistical properties of the population stability index"). Of large samples; cells should expect 20
 * samples or more.
 */
export const psiThreshold = (cells: number, m: number, n: number, alpha: number): number =>
  (1 / m + 1 / n) * chiSquaredQuantile(cells - 1, alpha);

/** What a chi-squared variable with so many degrees of freedom exceeds with probability `alpha`, by bisection. */
function chiSquaredQuantile(freedom: number, alpha: number): number {
  let [low, high] = [0, freedom];
  while (chiSquared(freedom, high) < 1 - alpha) high *= 2;
  // To the last digits of a double.
  for (let step = 0; step < 54; step++) {
    const middle = (low + high) / 2;
    if (chiSquared(freedom, middle) < 1 - alpha) low = middle;
    else high = middle;
  }
  return high;
}

/**
 * The probability that a chi-squared variable is below `x`: the incomplete gamma function
 * `z^a exp(-z) / Gamma(a + 1) (1 + z / (a + 1) + z^2 / ((a + 1) (a + 2)) + ...)` with `a` half the degrees of freedom
 * and `z = x / 2` (Abramowitz and Stegun 1964, formulas 6.5.29 and 26.4.19).
 */
function chiSquared(freedom: number, x: number): number {
  const [a, z] = [freedom / 2, x / 2];
  // Gamma(a + 1) = a (a - 1) ... down to Gamma(1) = 1, or Gamma(1/2) = sqrt(pi).
  let log = freedom % 2 === 0 ? 0 : Math.log(Math.PI) / 2;
  for (let factor = a; factor > 0; factor--) log += Math.log(factor);
  let [sum, term] = [0, Math.exp(a * Math.log(z) - z - log)];
  for (let n = 1; sum + term !== sum || n < z; n++) {
    sum += term;
    term *= z / (a + n);
  }
  return sum;
}

/**
 * Kolmogorov and Smirnov's distance of two sets of counts over the same ordered cells: the greatest difference between
 * their cumulative shares.
 * @throws ArgumentError for other numbers of cells, or no samples
 */
export function ks(reference: readonly number[], counts: readonly number[]): number {
  checkCells('ks', reference, counts);
  const [m, n] = [sumOf(reference), sumOf(counts)];
  let [before, now, greatest] = [0, 0, 0];
  counts.forEach((count, cell) => {
    before += reference[cell]! / m;
    now += count / n;
    greatest = Math.max(greatest, Math.abs(now - before));
  });
  return greatest;
}

/**
 * What that distance of two sets of `m` and `n` samples of one distribution exceeds with probability `alpha` at most,
 * `sqrt(ln(2 / alpha) / 2 (1 / m + 1 / n))` (Smirnov 1939; Wei and Dudley 2012, "Two-sample Dvoretzky-Kiefer-Wolfowitz
 * inequalities"). Binned scores, or scores with ties, have smaller distances.
 */
export const ksThreshold = (m: number, n: number, alpha: number): number =>
  Math.sqrt((Math.log(2 / alpha) / 2) * (1 / m + 1 / n));

/**
 * Which cell of fewer each cell belongs to, so that each has at least `least` of the counts: neighbours are joined, and
 * what remains at the end goes to the last.
 */
export function joinRare(counts: readonly number[], least: number): number[] {
  const cells: number[] = [];
  let [cell, held] = [0, 0];
  for (const count of counts) {
    if (held >= least) [cell, held] = [cell + 1, 0];
    cells.push(cell);
    held += count;
  }
  return held >= least ? cells : cells.map((each) => Math.min(each, Math.max(0, cell - 1)));
}

/** The counts of joined cells. */
export function joined(counts: readonly number[], cells: readonly number[]): number[] {
  const sums = new Array<number>((cells.at(-1) ?? -1) + 1).fill(0);
  counts.forEach((count, index) => (sums[cells[index]!]! += count));
  return sums;
}
