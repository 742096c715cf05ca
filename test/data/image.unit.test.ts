import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { borderMean, fitImage, invert, toColour, toGrayscale, type RgbaImage } from '../../src/data/image.ts';
import { resize, type PlanarImage } from '../../src/data/resize.ts';
import { ArgumentError, DataError } from '../../src/errors.ts';

const rgba = (width: number, height: number, ...data: number[]): RgbaImage =>
  ({ width, height, data: Uint8Array.from(data) });

const grey = (height: number, width: number, ...pixels: number[]): PlanarImage =>
  ({ shape: [1, height, width], pixels: Uint8Array.from(pixels) });

describe('toGrayscale and toColour', () => {
  const primaries = rgba(4, 1, 255, 0, 0, 255, 0, 255, 0, 255, 0, 0, 255, 255, 255, 255, 255, 255);

  it('weighs the colours by BT.601', () => {
    expect([...toGrayscale(primaries).pixels]).toEqual([76, 150, 29, 255]);
  });

  it('separates the planes', () => {
    const { shape, pixels } = toColour(primaries);
    expect(shape).toEqual([3, 1, 4]);
    expect([...pixels]).toEqual([255, 0, 0, 255, 0, 255, 0, 255, 0, 0, 255, 255]);
  });

  it('shows the background where the picture is transparent', () => {
    const glass = rgba(3, 1, 0, 0, 0, 0, 0, 0, 0, 51, 200, 200, 200, 255);
    expect([...toGrayscale(glass).pixels]).toEqual([255, 204, 200]);
    expect([...toGrayscale(glass, 0).pixels]).toEqual([0, 0, 200]);
    expect([...toColour(glass, 100).pixels.subarray(0, 3)]).toEqual([100, 80, 200]);
  });

  it('refuses bytes that are not four a pixel', () => {
    expect(() => toGrayscale(rgba(2, 1, 1, 2, 3))).toThrow(
      new DataError('image: expected 4 bytes for each of 2 x 1 pixels, got 3 bytes'),
    );
    expect(() => toColour(rgba(0, 1))).toThrow(DataError);
  });
});

describe('resize', () => {
  it('averages the area where it shrinks, also by no whole factor', () => {
    expect([...resize(grey(2, 4, 0, 100, 50, 50, 100, 200, 50, 50), 1, 2).pixels]).toEqual([100, 50]);
    // Each of two pixels covers one and a half of three.
    expect([...resize(grey(1, 3, 0, 90, 255), 1, 2).pixels]).toEqual([30, 200]);
  });

  it('is linear between pixel centres where it grows', () => {
    expect([...resize(grey(1, 2, 0, 200), 1, 4).pixels]).toEqual([0, 50, 150, 200]);
    expect([...resize(grey(2, 1, 0, 200), 4, 1).pixels]).toEqual([0, 50, 150, 200]);
  });

  it('keeps channels apart', () => {
    const image: PlanarImage = { shape: [2, 1, 2], pixels: Uint8Array.of(0, 100, 200, 250) };
    expect([...resize(image, 1, 1).pixels]).toEqual([50, 225]);
  });

  it('returns the same bytes for the same size, a constant for a constant, and stays within the range', () => {
    const sizes = fc.integer({ min: 1, max: 12 });
    const noise = fc.infiniteStream(fc.nat(255));
    fc.assert(fc.property(sizes, sizes, sizes, sizes, noise, (height, width, tall, wide, pixel) => {
      const image = grey(height, width, ...pixel.take(height * width));
      expect(resize(image, height, width)).toEqual(image);
      const { pixels } = resize(image, tall, wide);
      expect(Math.min(...pixels)).toBeGreaterThanOrEqual(Math.min(...image.pixels));
      expect(Math.max(...pixels)).toBeLessThanOrEqual(Math.max(...image.pixels));
      const flat = { ...image, pixels: image.pixels.fill(137) };
      expect(resize(flat, tall, wide).pixels.every((value) => value === 137)).toBe(true);
    }), { seed: 3 });
  });

  it('refuses sizes that are no whole numbers', () => {
    for (const size of [0, -1, 1.5, NaN]) expect(() => resize(grey(1, 1, 0), size, 1)).toThrow(ArgumentError);
  });
});

describe('fitImage', () => {
  const paper = rgba(2, 2, ...Array(3).fill([255, 255, 255, 255]).flat(), 0, 0, 0, 255);

  it('converts, scales, and inverts only if asked', () => {
    expect(fitImage(paper, [1, 1, 1])).toEqual(grey(1, 1, 191));
    expect(fitImage(paper, [1, 2, 2], { invert: true })).toEqual(grey(2, 2, 0, 0, 0, 255));
    expect(fitImage(paper, [3, 1, 1]).shape).toEqual([3, 1, 1]);
    expect(() => fitImage(paper, [2, 1, 1])).toThrow(/1 or 3 channels/);
  });

  it('leaves the guess between dark-on-light and light-on-dark to the caller, with the border as evidence', () => {
    const dark = grey(3, 3, 10, 20, 30, 40, 255, 60, 70, 80, 90);
    expect(borderMean(dark)).toBe(50);
    expect(borderMean(invert(dark))).toBe(205);
    expect(borderMean(grey(1, 1, 9))).toBe(9);
    expect(borderMean(grey(3, 1, 1, 2, 3))).toBe(2);
    expect(borderMean({ shape: [2, 1, 2], pixels: Uint8Array.of(0, 10, 20, 30) })).toBe(15);
  });
});
