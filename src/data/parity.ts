import { ArgumentError } from '../errors.ts';
import { Random } from '../random.ts';
import { createDataset, subset } from './dataset.ts';
import type { Dataset, DatasetParts } from './dataset.ts';
import type { Normalization } from './normalization.ts';

/** Turns the bytes 0, 1 and 2 into -1, 0 and 1. */
export const PARITY_NORMALIZATION: Normalization = { mean: [1 / 255], std: [1 / 255] };

/**
 * Every vector of `bits` entries that are -1, 0 or 1, but not all 0; the class is the parity of the number of ones
 * (Graves 2016, section 3.1; Banino et al. 2021, section 3.1, which draw such vectors at random). An entry of 0 is
 * inactive: difficulty is the share of those that are not. Images of `[1, 1, bits]`, with bytes 0, 1 and 2 for -1, 0
 * and 1, see `PARITY_NORMALIZATION`; in the order of the numbers that their bytes are to base 3.
 *
 * @throws ArgumentError unless there are 1 to 12 bits: 3^12 - 1 is half a million
 */
export function parity({ bits = 8 }: { bits?: number } = {}): Dataset {
  if (!(Number.isInteger(bits) && bits >= 1 && bits <= 12)) {
    throw new ArgumentError(`parity: expected 1 to 12 bits, got ${bits}`);
  }
  const rows = Array.from({ length: 3 ** bits }, (_, number) =>
    Array.from({ length: bits }, (_, place) => Math.floor(number / 3 ** (bits - 1 - place)) % 3));
  const active = rows.filter((row) => row.some((entry) => entry !== 1));
  const countOf = (row: readonly number[], wanted: (entry: number) => boolean): number => row.filter(wanted).length;
  return createDataset({
    name: `parity(${bits} bits)`,
    shape: [1, 1, bits],
    images: Uint8Array.from(active.flat()),
    labels: Uint8Array.from(active, (row) => countOf(row, (entry) => entry === 2) % 2),
    classNames: ['even', 'odd'],
    difficulty: Float32Array.from(active, (row) => countOf(row, (entry) => entry !== 1) / bits),
  });
}

/**
 * Each number of active bits as often as any other, as Graves and Banino et al. draw them: of all vectors of 8 entries
 * more than half have five or six, and in these proportions parity is hardly learned. The items of a smaller group come
 * again and again, in their order, until it is as large as the largest.
 *
 * @throws ArgumentError for data without difficulty
 */
export function evenDifficulty(dataset: Dataset): Dataset {
  const { name, difficulty } = dataset;
  if (!difficulty) throw new ArgumentError(`evenDifficulty: expected difficulties, got none in ${name}`);
  const groups = new Map<number, number[]>();
  difficulty.forEach((value, index) => {
    const group = groups.get(value);
    if (group) group.push(index);
    else groups.set(value, [index]);
  });
  const most = Math.max(...[...groups.values()].map((group) => group.length));
  const indices = [...groups.values()].flatMap((group) =>
    Array.from({ length: most }, (_, index) => group[index % group.length]!));
  return subset(dataset, indices, `${name}, even difficulty`);
}

export interface ParitySplitOptions {
  /** 8 where left out. */
  readonly bits?: number;
  readonly seed: number;
  /** Of all inputs: the share held out for the test; a fifth where left out. */
  readonly heldOut?: number;
  /** Of the rest: the share for validation; a tenth where left out. */
  readonly validation?: number;
}

/**
 * `parity` in three parts that the seed draws: no input is in two of them. The test part depends on seed and `heldOut`
 * alone, not on the size of the validation part.
 *
 * @throws ArgumentError for bits, seed or shares outside their range
 */
export function paritySplit(options: ParitySplitOptions): DatasetParts {
  const { bits, seed, heldOut = 0.2, validation = 0.1 } = options;
  for (const [name, value] of Object.entries({ heldOut, validation })) {
    if (value > 0 && value < 1) continue;
    throw new ArgumentError(`paritySplit: expected ${name} between 0 and 1, got ${value}`);
  }
  const all = parity(bits === undefined ? {} : { bits });
  const count = all.labels.length;
  const order = new Random(seed).split('parity').shuffle(Uint32Array.from({ length: count }, (_, index) => index));
  const tests = Math.round(count * heldOut);
  const validations = Math.round((count - tests) * validation);
  if (tests === 0 || validations === 0 || tests + validations === count) {
    throw new ArgumentError(`paritySplit: expected shares that leave every part inputs of ${count}; give more bits`);
  }
  const part = (name: string, start: number, end?: number): Dataset =>
    subset(all, order.subarray(start, end), `${all.name}, seed ${seed}/${name}`);
  return {
    test: part('test', 0, tests),
    validation: part('validation', tests, tests + validations),
    train: part('train', tests + validations),
  };
}
