import { expect, it } from 'vitest';
import { imageAt } from '../../src/data/dataset.ts';
import type { Dataset } from '../../src/data/dataset.ts';
import { createNormalizer } from '../../src/data/normalization.ts';
import { evenDifficulty, parity, PARITY_NORMALIZATION, paritySplit } from '../../src/data/parity.ts';

const { difficulty: _, ...plain } = { ...parity({ bits: 1 }), name: 'plain' };

const rowsOf = (dataset: Dataset): string[] =>
  Array.from(dataset.labels, (_, index) => imageAt(dataset, index).join(''));

it('has every vector but that of zeros, with the parity of its ones', () => {
  const dataset = parity({ bits: 2 });
  // Bytes 0, 1 and 2 are -1, 0 and 1.
  expect(rowsOf(dataset)).toEqual(['00', '01', '02', '10', '12', '20', '21', '22']);
  expect(Array.from(dataset.labels)).toEqual([0, 0, 1, 0, 1, 1, 1, 0]);
  expect(Array.from(dataset.difficulty!)).toEqual([1, 0.5, 1, 0.5, 0.5, 1, 0.5, 1]);
  expect(dataset.shape).toEqual([1, 1, 2]);
  const eight = parity();
  expect(new Set(rowsOf(eight)).size).toBe(3 ** 8 - 1);
  expect(eight.labels.length).toBe(3 ** 8 - 1);
});

it('is read as -1, 0 and 1', () => {
  const normalize = createNormalizer([1, 1, 3], PARITY_NORMALIZATION);
  expect(Array.from(normalize(Uint8Array.of(0, 1, 2)))).toEqual([-1, 0, 1]);
});

it('comes in parts that share no input, a fifth of all held out', () => {
  const parts = paritySplit({ seed: 1 });
  expect([parts.train, parts.validation, parts.test].map(({ labels }) => labels.length)).toEqual([4723, 525, 1312]);
  const all = [parts.train, parts.validation, parts.test].flatMap(rowsOf);
  expect(all.sort()).toEqual(rowsOf(parity()).sort());
});

it('holds out what the seed says, however much of the rest is for validation', () => {
  const heldOut = (seed: number, validation?: number): string[] =>
    rowsOf(paritySplit({ bits: 5, seed, ...(validation && { validation }) }).test);
  expect(heldOut(1, 0.3)).toEqual(heldOut(1));
  expect(heldOut(2)).not.toEqual(heldOut(1));
});

it('comes evenly by the number of active bits, every input still there', () => {
  const { train } = paritySplit({ bits: 4, seed: 1 });
  const even = evenDifficulty(train);
  const counts = [0.25, 0.5, 0.75, 1].map((share) => even.difficulty!.filter((value) => value === share).length);
  expect(new Set(counts).size).toBe(1);
  expect(even.labels.length).toBe(4 * Math.max(...counts));
  expect(new Set(rowsOf(even))).toEqual(new Set(rowsOf(train)));
});

it.each<[string, () => unknown]>([
  ['evenDifficulty: expected difficulties, got none in plain', () => evenDifficulty(plain)],
  ['parity: expected 1 to 12 bits, got 13', () => parity({ bits: 13 })],
  ['parity: expected 1 to 12 bits, got 0', () => paritySplit({ bits: 0, seed: 1 })],
  ['paritySplit: expected heldOut between 0 and 1, got 1', () => paritySplit({ seed: 1, heldOut: 1 })],
  ['paritySplit: expected validation between 0 and 1, got 0', () => paritySplit({ seed: 1, validation: 0 })],
  ['paritySplit: expected shares that leave every part inputs of 2', () => paritySplit({ bits: 1, seed: 1 })],
  ['Random: expected a seed', () => paritySplit({ seed: -1 })],
])('%s', (message, make) => expect(make).toThrow(message));
