import { describe, expect, it } from 'vitest';
import { createDataset, fingerprint, imageAt, type Dataset } from '../../src/data/dataset.ts';
import { shiftLabels } from '../../src/data/label-shift.ts';
import { ArgumentError } from '../../src/errors.ts';

/** Items of one pixel pair, which spells the item's number; the classes come in turn. */
const dataset = (count: number, classes: number): Dataset =>
  createDataset({
    name: 'numbers',
    shape: [1, 1, 2],
    images: Uint8Array.from({ length: 2 * count }, (_, at) => (at % 2 === 0 ? at >> 9 : at >> 1)),
    labels: Uint8Array.from({ length: count }, (_, item) => item % classes),
    classNames: Array.from({ length: classes }, (_, label) => `class ${label}`),
  });

const counts = ({ labels, classNames }: Dataset): number[] =>
  classNames.map((_, label) => labels.filter((each) => each === label).length);

const numbers = (shifted: Dataset): number[] =>
  Array.from(shifted.labels, (_, item) => 256 * imageAt(shifted, item)[0]! + imageAt(shifted, item)[1]!);

const thousand = dataset(1000, 4);

describe('shiftLabels', () => {
  it('keeps as many items as there are at the given frequencies, each once and in order', () => {
    const shifted = shiftLabels(thousand, { weights: [4, 2, 1, 0], seed: 1 });
    expect(counts(shifted)).toEqual([250, 125, 63, 0]);
    expect(shifted.name).toBe('numbers+label-shift');
    const kept = numbers(shifted);
    expect([...new Set(kept)].sort((a, b) => a - b)).toEqual(kept);
    expect(Array.from(shifted.labels)).toEqual(kept.map((number) => number % 4));
  });

  it('takes the scarcest class as the measure', () => {
    const uneven = shiftLabels(thousand, { weights: [10, 10, 10, 1], seed: 1 });
    expect(counts(uneven)).toEqual([250, 250, 250, 25]);
    expect(counts(shiftLabels(uneven, { weights: [1, 1, 1, 1], seed: 1 }))).toEqual([25, 25, 25, 25]);
    expect(counts(shiftLabels(uneven, { weights: [0, 0, 0, 7], seed: 1 }))).toEqual([0, 0, 0, 25]);
  });

  const ratios = [[1, 2], [2, 5], [3, 10], [4, 20], [5, 50]] as const;
  it.each(ratios)('severity %i makes a class %i times another', (severity, ratio) => {
    const shifted = shiftLabels(dataset(5000, 10), { severity, seed: 3 });
    const descending = counts(shifted).sort((a, b) => b - a);
    expect(descending[0]).toBe(500);
    descending.forEach((count, rank) => expect(Math.abs(count - 500 / ratio ** (rank / 9))).toBeLessThanOrEqual(0.5));
    expect(shifted.name).toBe(`numbers+label-shift-${severity}`);
  });

  it('draws items, and the order of classes, by the seed', () => {
    const print = (seed: number) => fingerprint(shiftLabels(thousand, { severity: 3, seed }));
    expect(print(1)).toBe(print(1));
    expect(print(2)).not.toBe(print(1));
    const frequent = (seed: number) => counts(shiftLabels(thousand, { severity: 3, seed })).indexOf(250);
    expect(new Set(Array.from({ length: 30 }, (_, seed) => frequent(seed))).size).toBe(4);
    const weights = [1, 1, 1, 0.5];
    expect(fingerprint(shiftLabels(thousand, { weights, seed: 1 })))
      .not.toBe(fingerprint(shiftLabels(thousand, { weights, seed: 2 })));
  });

  it('shifts between the classes that are there', () => {
    const three = shiftLabels(thousand, { weights: [1, 1, 0, 1], seed: 1 });
    const shifted = counts(shiftLabels(three, { severity: 1, seed: 1 }));
    expect(shifted[2]).toBe(0);
    expect(shifted.sort((a, b) => b - a)).toEqual([250, 177, 125, 0]);
    expect(counts(shiftLabels(three, { weights: [0, 1, 0, 1], seed: 1 }))).toEqual([0, 250, 0, 250]);
  });

  it.each<[string, Parameters<typeof shiftLabels>[1], Dataset]>([
    [
      'expected 4 finite weights of 0 or more, one a class and one above 0, got [1, 2]',
      { weights: [1, 2], seed: 1 },
      thousand,
    ],
    ['one above 0, got [0, 0, 0, 0]', { weights: [0, 0, 0, 0], seed: 1 }, thousand],
    ['one above 0, got [1, -1, 1, 1]', { weights: [1, -1, 1, 1], seed: 1 }, thousand],
    ['one above 0, got [1, NaN, 1, 1]', { weights: [1, NaN, 1, 1], seed: 1 }, thousand],
    ['one above 0, got [1, Infinity, 1, 1]', { weights: [1, Infinity, 1, 1], seed: 1 }, thousand],
    [
      'expected items of class 1 in numbers for its weight of 2, got none; give it the weight 0',
      { weights: [1, 2], seed: 1 },
      { ...dataset(5, 1), classNames: ['class 0', 'class 1'] },
    ],
    ['expected a severity of 1, 2, 3, 4 or 5, got 6', { severity: 6, seed: 1 }, thousand],
    ['expected a severity of 1, 2, 3, 4 or 5, got NaN', { severity: NaN, seed: 1 }, thousand],
    ['expected items of two classes or more, got 1 in numbers', { severity: 1, seed: 1 }, dataset(5, 1)],
  ])('%s', (message, options, from) => {
    expect(() => shiftLabels(from, options)).toThrow(ArgumentError);
    expect(() => shiftLabels(from, options)).toThrow(message);
  });
});
