import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { imageAt, type Dataset } from '../../src/data/dataset.ts';
import { proceduralDigits, proceduralSplit } from '../../src/data/procedural-digits.ts';
import { ArgumentError } from '../../src/errors.ts';

const sha256 = ({ images, labels }: Dataset) => createHash('sha256').update(images).update(labels).digest('hex');

/** The label of the nearest image of `known` by Euclidean distance. */
function nearestLabel(known: Dataset, image: Uint8Array): number {
  let nearest = 0;
  let least = Infinity;
  for (let item = 0; item < known.labels.length; item++) {
    const other = imageAt(known, item);
    let distance = 0;
    for (let pixel = 0; pixel < image.length && distance < least; pixel++) {
      distance += (image[pixel]! - other[pixel]!) ** 2;
    }
    if (distance < least) [nearest, least] = [item, distance];
  }
  return known.labels[nearest]!;
}

function nearestNeighbourAccuracy(known: Dataset, asked: Dataset): number {
  const right = asked.labels.filter((label, item) => nearestLabel(known, imageAt(asked, item)) === label);
  return right.length / asked.labels.length;
}

describe('proceduralDigits', () => {
  it('makes the same bytes on every machine: saved models and quoted figures depend on them', () => {
    expect(sha256(proceduralDigits({ count: 1000, seed: 1 })))
      .toBe('ea5f0f2bf7314da9dd843f5ce25efadc6fd8b06d7b61c54d13a938b6a9aaf9a9');
    expect(sha256(proceduralSplit({ seed: 1, train: 10, validation: 10, test: 1000 }).test))
      .toBe('9f984863d9bff05d0d4455bd99c5294cb281c0130a6cf60aac38c2e44fa58785');
  });

  it('balances the classes and spreads the difficulty over its range', () => {
    const { labels, difficulty, shape, classNames } = proceduralDigits({ count: 1003, seed: 2 });
    const counts = classNames.map((_, digit) => labels.filter((label) => label === digit).length);
    expect(counts).toEqual([101, 101, 101, 100, 100, 100, 100, 100, 100, 100]);
    expect([...labels.subarray(0, 20)]).not.toEqual([...Array(20).keys()].map((item) => item % 10));
    expect(shape).toEqual([1, 28, 28]);
    const tenths = Array.from({ length: 10 }, (_, tenth) =>
      difficulty!.filter((value) => Math.floor(value * 10) === tenth).length);
    expect(Math.min(...tenths)).toBeGreaterThan(60);
    expect(Math.max(...tenths)).toBeLessThan(140);
  });

  it('takes one difficulty, or a range', () => {
    expect(proceduralDigits({ count: 3, seed: 1, difficulty: 0.5 }).difficulty).toEqual(Float32Array.of(0.5, 0.5, 0.5));
    const { difficulty } = proceduralDigits({ count: 200, seed: 1, difficulty: [0.25, 0.5] });
    expect(Math.min(...difficulty!)).toBeGreaterThanOrEqual(0.25);
    expect(Math.max(...difficulty!)).toBeLessThanOrEqual(0.5);
  });

  it('is harder to read the more difficult it is', () => {
    const known = proceduralDigits({ count: 600, seed: 3 });
    const accuracy = [0, 0.4, 0.7, 1].map((difficulty) =>
      nearestNeighbourAccuracy(known, proceduralDigits({ count: 200, seed: 4, difficulty })));
    expect(accuracy[0]).toBeGreaterThan(0.98);
    expect(accuracy).toEqual([...accuracy].sort((a, b) => b - a));
    expect(accuracy[3]).toBeLessThan(accuracy[0]! - 0.3);
    expect(accuracy[3]).toBeGreaterThan(0.2); // a tenth is chance
  });

  it('draws on black with full ink where it is easy', () => {
    const easy = proceduralDigits({ count: 100, seed: 5, difficulty: 0 });
    for (let item = 0; item < 100; item++) {
      const image = imageAt(easy, item);
      const inked = image.filter((pixel) => pixel > 127).length;
      expect(Math.max(...image)).toBe(255);
      expect(image[0]).toBe(0);
      expect(inked).toBeGreaterThan(25);
      expect(inked).toBeLessThan(200);
    }
  });

  it('keeps the three parts apart: none depends on the size of another, and no image comes twice', () => {
    const parts = proceduralSplit({ seed: 6, train: 300, validation: 100, test: 100 });
    const { test } = proceduralSplit({ seed: 6, train: 20, validation: 10, test: 100 });
    expect(sha256(test)).toBe(sha256(parts.test));
    const images = Object.values(parts).flatMap((part: Dataset) =>
      Array.from(part.labels, (_, item) => imageAt(part, item).join()));
    expect(new Set(images).size).toBe(500);
    expect(Object.values(parts).map(({ name }) => name)).toEqual([
      'procedural(seed 6)/train', 'procedural(seed 6)/validation', 'procedural(seed 6)/test',
    ]);
  });

  it('refuses counts, seeds and difficulties outside their range', () => {
    for (const count of [0, -1, 1.5, NaN]) expect(() => proceduralDigits({ count, seed: 1 })).toThrow(ArgumentError);
    for (const difficulty of [-0.1, 1.1, NaN, [0.5, 0.2], [0, 2]] as const) {
      expect(() => proceduralDigits({ count: 1, seed: 1, difficulty: difficulty as number })).toThrow(/difficulty/);
    }
    expect(() => proceduralSplit({ seed: -1 })).toThrow(/seed/);
  });
});
