import { describe, expect, it } from 'vitest';
import { binomialTail, hoeffdingBentkus, waudbySmithRamdas } from '../../src/earlyexit/judgement/bounds.ts';
import { Random } from '../../src/random.ts';

/** Within 1e-6 of the value, relative to it. */
const expectValue = (value: number, expected: number): void => {
  expect(Math.abs(value / expected - 1)).toBeLessThan(1e-6);
};

/** P(X <= k) in integers, for a probability in hundredths. */
function exactTail(successes: number, trials: number, hundredths: bigint): number {
  let [choose, sum] = [1n, 0n];
  for (let k = 0; k <= successes; k++) {
    sum += choose * hundredths ** BigInt(k) * (100n - hundredths) ** BigInt(trials - k);
    choose = (choose * BigInt(trials - k)) / BigInt(k + 1);
  }
  return Number((sum * 10n ** 30n) / 100n ** BigInt(trials)) / 1e30;
}

/** So many losses of 1 among others of 0. */
const coins = (ones: number, count: number): Float64Array =>
  Float64Array.from({ length: count }, (_, at) => Number(at < ones));

describe('the binomial tail', () => {
  it('is the sum of its terms', () => {
    for (const trials of [1, 2, 3, 19, 20, 30, 75]) {
      for (const hundredths of [5, 30, 50, 97]) {
        for (let successes = 0; successes < trials; successes++) {
          const exact = exactTail(successes, trials, BigInt(hundredths));
          if (exact > 1e-15) expectValue(binomialTail(successes, trials, hundredths / 100), exact);
        }
      }
    }
  });

  it('has the values of tables, and of 50 digits where trials are many', () => {
    expectValue(binomialTail(2, 20, 0.1), 0.676926805189466);
    expectValue(binomialTail(3, 10, 0.5), 0.171875);
    expectValue(binomialTail(50, 1000, 0.07), 0.00592963332051684);
    expectValue(binomialTail(99_500, 1_000_000, 0.1), 0.0478776384626176);
    expectValue(binomialTail(100_500, 1_000_000, 0.1), 0.952296753767803);
    expectValue(binomialTail(499_000, 1_000_000, 0.5), 0.022804149932691);
    expectValue(binomialTail(10, 1_000_000, 2e-5), 0.0108111372023989);
  });

  it('ends where it must', () => {
    expect([binomialTail(-1, 5, 0.5), binomialTail(5, 5, 0.5)]).toEqual([0, 1]);
    expect([binomialTail(0, 5, 0), binomialTail(4, 5, 1)]).toEqual([1, 0]);
  });
});

describe('Hoeffding-Bentkus', () => {
  it.each([
    [coins(0, 100), 0.05, 0.005920529220334054],
    [coins(2, 100), 0.05, 0.2969189511670025],
    [coins(8, 200).map((loss, at) => (at === 7 ? 0.5 : loss)), 0.08, 0.049255537056130616],
    [coins(30, 1000), 0.05, 0.003471430513793329],
  ])('has the p-value of the formula, case %#', (losses, level, expected) => {
    expectValue(hoeffdingBentkus.pValue(losses, level, 0.1), expected);
  });

  it('has 1 - delta^(1/n) as its bound where no loss was seen', () => {
    expectValue(hoeffdingBentkus.upperBound(coins(0, 100), 0.1), 1 - 0.1 ** (1 / 100));
    expectValue(hoeffdingBentkus.upperBound(coins(30, 1000), 0.05), 0.043415464419068725);
    expect(hoeffdingBentkus.upperBound(coins(3, 3), 0.1)).toBe(1);
    expect(hoeffdingBentkus.pValue(coins(60, 1000), 0.05, 0.1)).toBe(1);
  });
});

describe('Waudby-Smith-Ramdas', () => {
  const small = Float64Array.from({ length: 200 }, (_, at) => 0.1 * Number(at % 10 === 0) + 0.3 * Number(at % 7 === 3));
  const rare = Float64Array.from({ length: 300 }, (_, at) => Number(at % 25 === 12));

  it('bets as the formula says, by hand for two losses', () => {
    // With delta 0.9 and n 2 the first bet is sqrt(2 ln(1 / 0.9) / (2 * 1/4)); after a loss of 0 the mean is 1/4, the
    // variance (1/4 + 1/16) / 2, and the second sqrt(2 ln(1 / 0.9) / (2 * 5/32)).
    const [first, second] = [1 / 4, 5 / 32].map((variance) => Math.sqrt(Math.log(1 / 0.9) / variance));
    const wealth = (1 + first! * 0.3) * (1 + second! * 0.3);
    expectValue(waudbySmithRamdas.pValue(Float64Array.of(0, 0), 0.3, 0.9), 1 / wealth);
    expectValue(waudbySmithRamdas.pValue(Float64Array.of(0, 1), 0.3, 0.9), 1 / (1 + first! * 0.3));
  });

  it('has the values of the formula in another language', () => {
    expectValue(waudbySmithRamdas.pValue(small, 0.1, 0.1), 0.0004116566713934877);
    expectValue(waudbySmithRamdas.upperBound(small, 0.1), 0.07083089247059136);
    expectValue(waudbySmithRamdas.pValue(rare, 0.08, 0.05), 0.1294838030079188);
    expectValue(waudbySmithRamdas.upperBound(rare, 0.05), 0.08459750370623093);
  });

  it('is far below the other bound where losses hardly vary', () => {
    const narrow = coins(0, 500).map((_, at) => 0.5 + 0.01 * (at % 3));
    expect(waudbySmithRamdas.upperBound(narrow, 0.1)).toBeLessThan(hoeffdingBentkus.upperBound(narrow, 0.1) - 0.03);
  });
});

it.each([['Hoeffding-Bentkus', hoeffdingBentkus], ['Waudby-Smith-Ramdas', waudbySmithRamdas]])(
  'the bound of %s is the least level whose test passes',
  (_, bound) => {
    const random = new Random(1);
    for (const [count, delta] of [[3, 0.2], [50, 0.1], [400, 0.01]] as const) {
      const losses = Float64Array.from({ length: count }, () => Number(random.uniform() < 0.1) * random.uniform());
      const upper = bound.upperBound(losses, delta);
      expect(bound.pValue(losses, Math.min(1, upper + 1e-6), delta)).toBeLessThanOrEqual(delta);
      expect(bound.pValue(losses, upper - 1e-6, delta)).toBeGreaterThan(delta);
    }
  },
);
