import { describe, expect, it } from 'vitest';
import { createDataset, fingerprint, imageAt, type Dataset } from '../../src/data/dataset.ts';
import { mix } from '../../src/data/mix.ts';
import { ArgumentError } from '../../src/errors.ts';

/** Items of one pixel: `first`, `first + 1`, ... */
const dataset = (name: string, count: number, first: number, classNames = ['a', 'b', 'c']): Dataset =>
  createDataset({
    name,
    shape: [1, 1, 1],
    images: Uint8Array.from({ length: count }, (_, item) => first + item),
    labels: Uint8Array.from({ length: count }, (_, item) => (item + 1) % classNames.length),
    classNames,
  });

const known = dataset('known', 100, 0);
const unknown = dataset('unknown', 60, 150, ['unknown']);

describe('mix', () => {
  it('replaces exactly the share of items, and leaves the others where they were', () => {
    const { dataset: stream, foreign } = mix(known, unknown, { share: 0.3, seed: 1 });
    expect(stream).toMatchObject({ name: 'known+0.3(unknown)', classNames: ['a', 'b', 'c'], shape: [1, 1, 1] });
    expect(foreign.filter((flag) => flag === 1)).toHaveLength(30);
    const strangers: number[] = [];
    foreign.forEach((flag, place) => {
      const [pixel] = imageAt(stream, place);
      if (flag === 1) strangers.push(pixel!);
      else expect([pixel, stream.labels[place]]).toEqual([place, known.labels[place]]);
    });
    expect(new Set(strangers).size).toBe(30);
    expect(Math.min(...strangers)).toBeGreaterThanOrEqual(150);
  });

  it('gives items of other classes the label 0, and keeps the labels of the same classes', () => {
    const strange = mix(known, unknown, { share: 0.5, seed: 2 });
    strange.foreign.forEach((flag, place) => {
      if (flag) expect(strange.dataset.labels[place]).toBe(0);
    });
    const other = dataset('other', 100, 150);
    const { dataset: stream, foreign } = mix(known, other, { share: 0.5, seed: 2 });
    foreign.forEach((flag, place) => {
      if (flag) expect(stream.labels[place]).toBe(other.labels[stream.images[place]! - 150]);
    });
  });

  it('keeps labels above 255, and difficulties where both have them', () => {
    const classNames = Array.from({ length: 300 }, (_, label) => `${label}`);
    const low = { ...dataset('low', 4, 0, classNames), difficulty: new Float32Array(4) };
    const high = { ...dataset('high', 4, 9, classNames), labels: Uint16Array.of(299, 299, 299, 299) };
    expect([...mix(low, high, { share: 1, seed: 1 }).dataset.labels]).toEqual([299, 299, 299, 299]);
    expect(mix(low, high, { share: 1, seed: 1 }).dataset.difficulty).toBeUndefined();
    const hard = { ...high, difficulty: Float32Array.of(1, 1, 1, 1) };
    const { dataset: stream, foreign } = mix(low, hard, { share: 0.5, seed: 1 });
    expect([...stream.difficulty!]).toEqual([...foreign]);
  });

  it('goes by the seed, changes neither source, and takes shares of 0 and 1', () => {
    const before = [known, unknown].map(fingerprint);
    const print = (seed: number) => fingerprint(mix(known, unknown, { share: 0.3, seed }).dataset);
    expect(print(1)).toBe(print(1));
    expect(print(2)).not.toBe(print(1));
    expect(mix(known, unknown, { share: 0, seed: 1 }).dataset.images).toEqual(known.images);
    expect(mix(unknown, known, { share: 1, seed: 1 }).foreign.every((flag) => flag === 1)).toBe(true);
    expect([known, unknown].map(fingerprint)).toEqual(before);
  });

  it('draws from all of both', () => {
    const places = new Set<number>();
    const items = new Set<number>();
    for (let seed = 0; seed < 100; seed++) {
      const { dataset: stream, foreign } = mix(known, unknown, { share: 0.1, seed });
      foreign.forEach((flag, place) => {
        if (!flag) return;
        places.add(place);
        items.add(stream.images[place]!);
      });
    }
    expect([places.size, items.size]).toEqual([100, 60]);
  });

  it('refuses shares outside [0, 1], other shapes, and a second source that is too small', () => {
    for (const share of [-0.1, 1.1, NaN]) {
      expect(() => mix(known, unknown, { share, seed: 1 }))
        .toThrow(new ArgumentError(`mix: expected a share in [0, 1], got ${share}`));
    }
    const wide: Dataset = { ...unknown, shape: [1, 1, 2], labels: new Uint8Array(30) };
    expect(() => mix(known, wide, { share: 0.1, seed: 1 }))
      .toThrow(new ArgumentError('mix: expected images of [1, 1, 1] as in known, got [1, 1, 2] in unknown'));
    expect(() => mix(known, unknown, { share: 0.7, seed: 1 })).toThrow(new ArgumentError(
      'mix: expected at least 70 items in unknown, 0.7 of the 100 in known, got 60; ' +
        'give a smaller share or a slice of known',
    ));
  });
});
