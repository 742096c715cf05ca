import { describe, expect, it } from 'vitest';
import {
  assertDisjoint,
  createDataset,
  fingerprint,
  imageAt,
  sharedItems,
  slice,
  split,
  subset,
  type Dataset,
} from '../../src/data/dataset.ts';
import { ArgumentError, DataError } from '../../src/errors.ts';
import { withByte } from './idx-bytes.ts';

/** Six items of [2, 1, 2]: pixels 0..3, 4..7, ... */
const six: Dataset = createDataset({
  name: 'six',
  shape: [2, 1, 2],
  images: Uint8Array.from({ length: 24 }, (_, pixel) => pixel),
  labels: Uint8Array.of(0, 1, 2, 0, 1, 2),
  classNames: ['a', 'b', 'c'],
  difficulty: Float32Array.of(0, 0.25, 0.5, 0.75, 1, 0),
});

describe('createDataset', () => {
  it('names the parts that disagree', () => {
    expect(() => createDataset({ ...six, images: new Uint8Array(23) })).toThrow(
      new DataError('six: expected 24 pixels for 6 labels of shape [2, 1, 2], got 23'),
    );
    expect(() => createDataset({ ...six, difficulty: new Float32Array(5) })).toThrow(/expected 6 difficulties/);
    expect(() => createDataset({ ...six, classNames: ['a', 'b'] })).toThrow(
      new DataError('six: expected labels below 2, the number of classes, got 2 at item 2'),
    );
  });
});

describe('slice, subset and split', () => {
  it('slices views', () => {
    const part = slice(six, 2, 4);
    expect([...part.labels]).toEqual([2, 0]);
    expect([...part.images]).toEqual([8, 9, 10, 11, 12, 13, 14, 15]);
    expect([...part.difficulty!]).toEqual([0.5, 0.75]);
    expect(part.images.buffer).toBe(six.images.buffer);
    expect(slice(six, 3, 3).labels).toHaveLength(0);
    for (const [start, end] of [[-1, 2], [3, 2], [0, 7], [0.5, 2]] as const) {
      expect(() => slice(six, start, end)).toThrow(ArgumentError);
    }
  });

  it('copies a subset in the order asked for, repeats included', () => {
    const part = subset(six, [5, 0, 5], 'chosen');
    expect(part.name).toBe('chosen');
    expect([...part.labels]).toEqual([2, 0, 2]);
    expect([...part.images]).toEqual([20, 21, 22, 23, 0, 1, 2, 3, 20, 21, 22, 23]);
    expect([...part.difficulty!]).toEqual([0, 0, 0]);
    expect(part.images.buffer).not.toBe(six.images.buffer);
    expect(() => subset(six, [0, 6])).toThrow(/expected indices in 0\.\.5, got 6 at place 1/);
    expect(() => subset(six, [-1])).toThrow(ArgumentError);
  });

  it('keeps labels beyond 255', () => {
    const classNames = Array.from({ length: 301 }, (_, label) => String(label));
    const wide = createDataset({ ...six, labels: Uint16Array.of(0, 300, 2, 3, 4, 5), classNames });
    expect([...subset(wide, [1]).labels]).toEqual([300]);
    expect([...slice(wide, 1, 2).labels]).toEqual([300]);
  });

  it('takes the last items for validation and says which in the names', () => {
    const { train, validation } = split(six, { validation: 2 });
    expect([...train.labels]).toEqual([0, 1, 2, 0]);
    expect([...imageAt(validation, 0)]).toEqual([16, 17, 18, 19]);
    expect([train.name, validation.name]).toEqual(['six[0..4)', 'six[4..6)']);
    for (const count of [0, 6, 7, 1.5]) expect(() => split(six, { validation: count })).toThrow(ArgumentError);
  });
});

describe('fingerprint', () => {
  it('depends on shape, labels and pixels in order, and on nothing else', () => {
    const digits = fingerprint(six);
    expect(digits).toMatch(/^[0-9a-f]{16}$/);
    expect(fingerprint({ ...six, name: 'other', images: Uint8Array.from(six.images) })).toBe(digits);
    const changed = (images: Uint8Array) => fingerprint({ ...six, images });
    const others = [
      fingerprint({ ...six, shape: [1, 2, 2] }),
      fingerprint({ ...six, labels: Uint8Array.of(1, 0, 2, 0, 1, 2) }),
      ...[0, 11, 23].map((place) => changed(withByte(six.images, place, 99))),
      changed(Uint8Array.from(six.images).reverse()),
      fingerprint(slice(six, 0, 5)),
    ];
    expect(new Set([digits, ...others]).size).toBe(others.length + 1);
  });
});

describe('sharedItems and assertDisjoint', () => {
  it('find images by their pixels, whatever their places, labels and names', () => {
    const other = { ...subset(six, [4, 0], 'other'), labels: Uint8Array.of(2, 2) };
    expect(sharedItems(six, other)).toEqual([0, 1]);
    expect(sharedItems(slice(six, 0, 3), other)).toEqual([1]);
    expect(() => assertDisjoint(slice(six, 0, 3, 'first'), other)).toThrow(
      new ArgumentError(
        'first and other: expected no image in both, got 1 of 2, first item 1 of other; leave them out, as ' +
          'sharedItems lists them, or split anew',
      ),
    );
  });

  it('take images for different that differ in one pixel or in shape', () => {
    const other = { ...six, images: six.images.map((pixel, at) => (at % 4 === 3 ? pixel + 1 : pixel)) };
    expect(sharedItems(six, other)).toEqual([]);
    expect(sharedItems(six, { ...six, shape: [1, 2, 2] })).toEqual([]);
    expect(() => assertDisjoint(slice(six, 0, 3), slice(six, 3, 6))).not.toThrow();
    expect(() => assertDisjoint(six, slice(six, 2, 2))).not.toThrow();
  });
});
