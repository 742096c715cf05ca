import type { Scores } from '../../src/earlyexit/records.ts';
import { Random } from '../../src/random.ts';

/** The scores of a row in double precision. */
export function oracle(logits: ArrayLike<number>, temperature = 1): Omit<Scores, 'finite'> {
  const z = Array.from(logits, (value) => value / temperature);
  let greatest = -Infinity;
  for (const value of z) greatest = Math.max(greatest, value);
  const label = z.indexOf(greatest);
  const total = z.reduce((sum, value) => sum + Math.exp(value - greatest), 0);
  const weighted = z.reduce((sum, value) => sum + (value - greatest) * Math.exp(value - greatest), 0);
  let second = -Infinity;
  for (const [index, value] of z.entries()) if (index !== label) second = Math.max(second, value);
  return {
    label,
    confidence: 1 / total,
    margin: (1 - Math.exp(second - greatest)) / total,
    entropy: Math.log(total) - weighted / total,
  };
}

export function logitsFor(rows: number, classes: number, seed: number, spread = 4): Float32Array {
  const random = new Random(seed);
  return Float32Array.from({ length: rows * classes }, () => spread * random.normal());
}
