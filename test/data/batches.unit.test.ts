import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { batches, type BatchOptions } from '../../src/data/batches.ts';
import { createDataset, type Dataset } from '../../src/data/dataset.ts';
import { createNormalizer, statistics } from '../../src/data/normalization.ts';
import { Random } from '../../src/random.ts';
import { ArgumentError } from '../../src/errors.ts';

/** Items of [2, 1, 3] with random pixels; the label is the item's number modulo 7. */
function randomItems(count: number): Dataset {
  const random = new Random(8);
  return createDataset({
    name: 'random items',
    shape: [2, 1, 3],
    images: Uint8Array.from({ length: count * 6 }, () => random.below(256)),
    labels: Uint8Array.from({ length: count }, (_, item) => item % 7),
    classNames: ['0', '1', '2', '3', '4', '5', '6'],
  });
}

const order = (dataset: Dataset, options: BatchOptions) =>
  [...batches(dataset, options)].flatMap(({ indices }) => [...indices]);

describe('batches', () => {
  it('gives every item exactly once, in full batches but for the last', () => {
    fc.assert(fc.property(
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 1, max: 50 }),
      fc.option(fc.integer({ min: 0, max: 1000 }), { nil: undefined }),
      (count, batch, seed) => {
        const rows: number[] = [];
        const seen: number[] = [];
        for (const part of batches(randomItems(count), { batch, seed })) {
          rows.push(part.rows);
          seen.push(...part.indices);
          expect([part.x.length, part.y.length, part.indices.length]).toEqual([part.rows * 6, part.rows, part.rows]);
          expect([...part.y]).toEqual(Array.from(part.indices, (item) => item % 7));
        }
        expect([...seen].sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, item) => item));
        expect(rows.slice(0, -1).every((full) => full === batch)).toBe(true);
        expect(rows).toHaveLength(Math.ceil(count / batch));
      },
    ), { seed: 1 });
  });

  it('shuffles by seed and epoch, and not at all without a seed', () => {
    const items = randomItems(50);
    const first = order(items, { batch: 8, seed: 1 });
    expect(order(items, { batch: 3, seed: 1, epoch: 0 })).toEqual(first);
    expect(order(items, { batch: 8, seed: 1, epoch: 1 })).not.toEqual(first);
    expect(order(items, { batch: 8, seed: 2 })).not.toEqual(first);
    expect(order(items, { batch: 8, epoch: 3 })).toEqual([...items.labels.keys()]);
  });

  it('normalises pixels channel by channel into one buffer that every batch shares', () => {
    const items = randomItems(5);
    const normalize = { mean: [0.25, 0.5], std: [0.5, 2] };
    const buffers = new Set<ArrayBufferLike>();
    for (const { x, indices } of batches(items, { batch: 2, seed: 3, normalize })) {
      buffers.add(x.buffer);
      indices.forEach((item, row) => {
        for (let pixel = 0; pixel < 6; pixel++) {
          const channel = pixel < 3 ? 0 : 1;
          const value = (items.images[item * 6 + pixel]! / 255 - normalize.mean[channel]!) / normalize.std[channel]!;
          expect(x[row * 6 + pixel]).toBe(Math.fround(value));
        }
      });
    }
    expect(buffers.size).toBe(1);
  });

  it('refuses what it cannot do when called, before the first batch is asked for', () => {
    const items = randomItems(5);
    for (const batch of [0, -1, 1.5, NaN]) expect(() => batches(items, { batch })).toThrow(ArgumentError);
    expect(() => batches(items, { batch: 1, epoch: -1 })).toThrow(/epoch/);
    expect(() => batches(items, { batch: 1, seed: 0.5 })).toThrow(/seed/);
    expect(() => batches(items, { batch: 1, normalize: { mean: [0], std: [1] } })).toThrow(/2 channels/);
    expect(() => batches(items, { batch: 1, normalize: { mean: [0, 0], std: [1, 0] } })).toThrow(/std > 0/);
    expect(() => batches(items, { batch: 1, normalize: { mean: [0, NaN], std: [1, 1] } })).toThrow(ArgumentError);
  });
});

describe('statistics', () => {
  it('is exact where the answer is known', () => {
    const items = createDataset({
      name: 'known',
      shape: [2, 1, 2],
      images: Uint8Array.of(0, 255, 51, 51, 255, 0, 51, 51),
      labels: Uint8Array.of(0, 0),
      classNames: ['0'],
    });
    expect(statistics(items)).toEqual({ mean: [0.5, 0.2], std: [0.5, 0] });
    expect(() => createNormalizer(items.shape, statistics(items))).toThrow(ArgumentError);
  });

  it('agrees with the definition and leaves mean 0 and deviation 1 behind', () => {
    const items = randomItems(2000);
    const normalization = statistics(items);
    const values = createNormalizer(items.shape, normalization)(items.images);
    for (const channel of [0, 1]) {
      const mine = Array.from(values).filter((_, at) => Math.floor(at / 3) % 2 === channel);
      const mean = mine.reduce((sum, value) => sum + value, 0) / mine.length;
      const variance = mine.reduce((sum, value) => sum + (value - mean) ** 2, 0) / mine.length;
      expect(mean).toBeCloseTo(0, 6);
      expect(variance).toBeCloseTo(1, 6);
    }
    expect(() => statistics({ ...items, images: new Uint8Array(0) })).toThrow(ArgumentError);
  });
});
