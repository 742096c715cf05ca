import { describe, expect, it } from 'vitest';
import { gaussianBlur, motionBlur } from '../../src/data/corruptions/blur.ts';
import { backgroundOf, type Corruption } from '../../src/data/corruptions/corruption.ts';
import { occlude, pixelate, rotate, shift } from '../../src/data/corruptions/geometry.ts';
import { brightness, contrast } from '../../src/data/corruptions/light.ts';
import { gaussianNoise, saltAndPepper } from '../../src/data/corruptions/noise.ts';
import { corrupt, CORRUPTIONS, type CorruptionKind } from '../../src/data/corruptions.ts';
import { createDataset, fingerprint, slice, type Dataset, type ImageShape } from '../../src/data/dataset.ts';
import { proceduralDigits } from '../../src/data/procedural-digits.ts';
import { ArgumentError, DataError } from '../../src/errors.ts';
import { Random } from '../../src/random.ts';

/** What a corruption makes of one image. */
function changed(apply: Corruption, amount: number, shape: ImageShape, pixels: readonly number[], seed = 1): number[] {
  const into = new Uint8ClampedArray(pixels.length);
  apply({ shape, pixels: Uint8Array.from(pixels) }, amount, new Random(seed), into);
  return Array.from(into);
}

/** The distinct results of many seeds, as text. */
const outcomes = (apply: Corruption, amount: number, shape: ImageShape, pixels: readonly number[]): string[] =>
  [...new Set(Array.from({ length: 40 }, (_, seed) => changed(apply, amount, shape, pixels, seed).join(' ')))].sort();

const square: ImageShape = [1, 3, 3];
const oneToNine = [1, 2, 3, 4, 5, 6, 7, 8, 9];
const grey = (count: number, value = 128) => new Array<number>(count).fill(value);

const digits = proceduralDigits({ count: 24, seed: 1, difficulty: 0 });

/** A warm blob before a light wall that darkens to one side. */
const photographs: Dataset = createDataset({
  name: 'photographs',
  shape: [3, 24, 20],
  images: Uint8Array.from({ length: 4 * 3 * 24 * 20 }, (_, at) => {
    const [x, y, channel, item] = [at % 20, Math.floor(at / 20) % 24, Math.floor(at / 480) % 3, Math.floor(at / 1440)];
    const isBlob = (x - 8 - item) ** 2 + (y - 12) ** 2 < 30;
    return isBlob ? 110 - 30 * channel : 230 - 3 * x - 4 * channel;
  }),
  labels: Uint8Array.of(0, 1, 0, 1),
  classNames: ['a', 'b'],
});

const difference = (one: Dataset, other: Dataset): number =>
  one.images.reduce((sum, pixel, at) => sum + (pixel - other.images[at]!) ** 2, 0) / one.images.length;

describe('shift', () => {
  it('moves a pixel along both axes, any way, and fills with the median of the border', () => {
    expect(backgroundOf(Uint8Array.from(oneToNine), square)).toBe(6);
    expect(outcomes(shift, 1 / 3, square, oneToNine)).toEqual([
      '5 6 6 8 9 6 6 6 6',
      '6 4 5 6 7 8 6 6 6',
      '6 6 6 2 3 6 5 6 6',
      '6 6 6 6 1 2 6 4 5',
    ]);
  });

  it('moves channels together, each over its own background', () => {
    const image = [...grey(4, 0), 9, ...grey(4, 0), ...grey(4, 50), 200, ...grey(4, 50)];
    for (const result of outcomes(shift, 1 / 3, [2, 3, 3], image)) {
      const pixels = result.split(' ').map(Number);
      expect(pixels.indexOf(200)).toBe(pixels.indexOf(9) + 9);
      expect(pixels.filter((pixel) => pixel === 0 || pixel === 50)).toHaveLength(16);
    }
  });

  it('leaves something of the smallest images', () => {
    expect(changed(shift, 0.175, [1, 1, 1], [7])).toEqual([7]);
    expect(outcomes(shift, 0.9, [1, 1, 2], [7, 8])).toEqual(['8 7', '8 8']);
  });
});

describe('rotate', () => {
  it('turns by 90 degrees, one way or the other, without loss', () => {
    expect(outcomes(rotate, 1, square, oneToNine)).toEqual(['3 6 9 2 5 8 1 4 7', '7 4 1 8 5 2 9 6 3']);
  });

  it('turns a line by the angle whose half has this tangent, bilinear', () => {
    // Of 2 atan(1/3) cosine and sine are 4/5 and 3/5: the place (1, 0) from the middle comes from (0.8, 0.6 or -0.6).
    const turned = outcomes(rotate, 1 / 3, square, [0, 0, 0, 0, 100, 200, 0, 0, 0]);
    expect(turned).toHaveLength(2);
    for (const pixels of turned) expect(Number(pixels.split(' ')[5])).toBe((0.2 * 100 + 0.8 * 200) * 0.4);
  });

  it('brings background in', () => {
    expect(changed(rotate, 0.35, [1, 9, 9], grey(81))).toEqual(grey(81));
  });
});

describe('occlude', () => {
  it('hides one square of the background, wholly within the image', () => {
    const image = Array.from({ length: 36 }, (_, at) => (at % 6 > 0 && at % 6 < 5 && at > 5 && at < 30 ? 200 : 10));
    const results = outcomes(occlude, 0.5, [1, 6, 6], image).map((result) => result.split(' ').map(Number));
    expect(results.length).toBeGreaterThan(5);
    for (const pixels of results) expect(pixels.filter((pixel) => pixel === 10).length).toBeGreaterThan(20);
    expect(outcomes(occlude, 1, [1, 6, 6], image)).toEqual([grey(36, 10).join(' ')]);
  });

  it('covers with one seed all that a smaller one covers', () => {
    const isBorder = (at: number) => at % 28 === 0 || at % 28 === 27 || at < 28 || at >= 756;
    const image = Array.from({ length: 784 }, (_, at) => (isBorder(at) ? 0 : 200));
    for (let seed = 0; seed < 20; seed++) {
      const [small, large] = [0.2, 0.4].map((amount) => changed(occlude, amount, [1, 28, 28], image, seed));
      expect(small!.every((pixel, at) => pixel === image[at] || large![at] === 0)).toBe(true);
    }
  });
});

describe('pixelate', () => {
  it('shows the means of blocks', () => {
    const image = [0, 10, 100, 100, 20, 30, 100, 100, 0, 0, 1, 2, 0, 0, 3, 4];
    const [a, b, c, d] = [15, 100, 0, 3];
    expect(changed(pixelate, 0.5, [1, 4, 4], image)).toEqual([a, a, b, b, a, a, b, b, c, c, d, d, c, c, d, d]);
  });
});

describe('light', () => {
  it('lessens the contrast about the mean of each channel', () => {
    expect(changed(contrast, 0.5, [2, 1, 4], [0, 100, 200, 100, 10, 10, 10, 30]))
      .toEqual([50, 100, 150, 100, 12, 12, 12, 22]); // 12.5 and 22.5 go to the even byte
  });

  it('brightens grey by the amount and clips at white', () => {
    expect(changed(brightness, 0.2, [1, 1, 3], [0, 100, 230])).toEqual([51, 151, 255]);
  });

  it('keeps hue and saturation of a colour', () => {
    // HSV's value 100 becomes 151; the ratios of the channels stay.
    expect(changed(brightness, 0.2, [3, 1, 1], [100, 50, 0])).toEqual([151, 76, 0]);
    expect(changed(brightness, 0.2, [3, 1, 1], [0, 0, 0])).toEqual([51, 51, 51]);
  });
});

describe('blur', () => {
  it('spreads a point by binomial weights', () => {
    // A variance of 1/2: [1 2 1] / 4 along each axis.
    const point = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 160, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    expect(changed(gaussianBlur, Math.SQRT1_2 / 5, [1, 5, 5], point)).toEqual([
      0, 0, 0, 0, 0, 0, 10, 20, 10, 0, 0, 20, 40, 20, 0, 0, 10, 20, 10, 0, 0, 0, 0, 0, 0,
    ]);
  });

  it('has the standard deviation that was asked for', () => {
    const side = 41;
    const line = Array.from({ length: side * side }, (_, at) => (at % side === 20 ? 255 : 0));
    for (const deviation of [0.5, 0.6, 1.3, 3]) {
      const row = changed(gaussianBlur, deviation / side, [1, side, side], line).slice(0, side);
      const total = row.reduce((sum, weight) => sum + weight, 0);
      const variance = row.reduce((sum, weight, x) => sum + weight * (x - 20) ** 2, 0) / total;
      expect(Math.sqrt(variance)).toBeCloseTo(deviation, 1);
    }
  });

  it('smears along a line of the given length, for each seed another within 45 degrees', () => {
    const shape: ImageShape = [1, 21, 21];
    const point = Array.from({ length: 441 }, (_, at) => Number(at === 220) * 255);
    const slopes = Array.from({ length: 30 }, (_, seed) => {
      const smear = changed(motionBlur, 10 / 21, shape, point, seed);
      let [sum, xx, xy, yy] = [0, 0, 0, 0];
      smear.forEach((weight, at) => {
        const [x, y] = [(at % 21) - 10, Math.floor(at / 21) - 10];
        sum += weight;
        xx += weight * x * x;
        xy += weight * x * y;
        yy += weight * y * y;
      });
      expect(Math.abs(sum - 255)).toBeLessThan(25);
      // A line of length 10 has a variance of 100 / 12; steps and pixels widen it a little.
      expect((xx + yy) / sum).toBeGreaterThan(8);
      expect((xx + yy) / sum).toBeLessThan(10);
      return xy / xx;
    });
    expect(Math.max(...slopes)).toBeGreaterThan(0.6);
    expect(Math.min(...slopes)).toBeLessThan(-0.6);
    expect(Math.max(...slopes.map(Math.abs))).toBeLessThan(1.05);
  });

  it.each([gaussianBlur, motionBlur])('leaves an even image as it is, up to its edges', (apply) => {
    expect(changed(apply, 0.3, [2, 6, 7], [...grey(42, 200), ...grey(42, 3)])).toEqual([
      ...grey(42, 200), ...grey(42, 3),
    ]);
  });
});

describe('noise', () => {
  const count = 40_000;

  it('is normal, of the given standard deviation', () => {
    const noise = changed(gaussianNoise, 0.1, [1, 200, 200], grey(count)).map((pixel) => pixel - 128);
    const mean = noise.reduce((sum, value) => sum + value, 0) / count;
    const deviation = Math.sqrt(noise.reduce((sum, value) => sum + value * value, 0) / count);
    const within = noise.filter((value) => Math.abs(value) < 25.5).length / count;
    // Four standard errors each; rounding adds 1/12 to a variance of 650.
    expect(Math.abs(mean)).toBeLessThan(0.52);
    expect(Math.abs(deviation - 25.5)).toBeLessThan(0.37);
    expect(Math.abs(within - 0.683)).toBeLessThan(0.02);
  });

  it('makes the given share of bytes black or white, as many of each', () => {
    const pixels = changed(saltAndPepper, 0.2, [1, 200, 200], grey(count));
    const [pepper, salt, rest] = [0, 255, 128].map((value) => pixels.filter((pixel) => pixel === value).length / count);
    expect(Math.abs(pepper! - 0.1)).toBeLessThan(0.006);
    expect(Math.abs(salt! - 0.1)).toBeLessThan(0.006);
    expect(pepper! + salt! + rest!).toBeCloseTo(1);
  });
});

describe('corrupt', () => {
  it.each([
    // Thin strokes soon cover nothing of where they were: no farther shift is more to them.
    ...CORRUPTIONS.filter((kind) => kind !== 'shift').map((kind) => [kind, digits.name, digits] as const),
    ...CORRUPTIONS.map((kind) => [kind, photographs.name, photographs] as const),
  ])('%s does more to %s with each severity', (kind, _name, dataset) => {
    const differences = [1, 2, 3, 4, 5].map((severity) =>
      difference(dataset, corrupt(dataset, { kind, severity, seed: 3 })));
    expect(differences[0]).toBeGreaterThan(0);
    expect([...new Set(differences)].sort((a, b) => a - b)).toEqual(differences);
  });

  it.each(CORRUPTIONS)('%s takes images of one pixel, and of one row', (kind) => {
    for (const shape of [[1, 1, 1], [3, 1, 8], [1, 9, 1]] as const) {
      const size = shape[0] * shape[1] * shape[2];
      const tiny = createDataset({ ...photographs, shape, images: photographs.images.slice(0, 4 * size) });
      for (const severity of [1, 5]) expect(corrupt(tiny, { kind, severity, seed: 1 }).images).toHaveLength(4 * size);
    }
  });

  it('gives the same bytes for the same seed, and leaves the original alone', () => {
    const before = fingerprint(digits);
    const print = (kind: CorruptionKind, seed: number) => fingerprint(corrupt(digits, { kind, severity: 3, seed }));
    for (const kind of CORRUPTIONS) expect(print(kind, 7)).toBe(print(kind, 7));
    const drawn = ['gaussian-noise', 'salt-and-pepper', 'motion-blur', 'occlusion', 'shift', 'rotation'] as const;
    for (const kind of drawn) expect(print(kind, 8)).not.toBe(print(kind, 7));
    expect(fingerprint(digits)).toBe(before);
  });

  it('has the bytes that it had on other machines', () => {
    const prints = CORRUPTIONS.map((kind) =>
      [kind, fingerprint(corrupt(photographs, { kind, severity: 4, seed: 5 }))]);
    expect(Object.fromEntries(prints)).toMatchInlineSnapshot(`
      {
        "brightness": "e79d467490f88dce",
        "contrast": "a5544c1a9ab90809",
        "gaussian-blur": "8e240e974e505db7",
        "gaussian-noise": "3ccef52a312ec876",
        "motion-blur": "e1b2c0a71948af4d",
        "occlusion": "a9f1011bc41ba05c",
        "pixelate": "c6521a0cb4b891e5",
        "rotation": "050c4ccd229bf035",
        "salt-and-pepper": "57d9fd10dbdb70a4",
        "shift": "879c375492977a2a",
      }
    `);
  });

  it('does to an item what it does without the others', () => {
    for (const kind of CORRUPTIONS) {
      const options = { kind, severity: 5, seed: 2 };
      expect(corrupt(slice(digits, 0, 3), options).images).toEqual(slice(corrupt(digits, options), 0, 3).images);
    }
  });

  it('keeps labels and difficulties, and says in its name what was done', () => {
    const result = corrupt(digits, { kind: 'contrast', severity: 2, seed: 1 });
    expect(result).toMatchObject({ name: `${digits.name}+contrast-2`, labels: digits.labels, shape: digits.shape });
    expect(result.difficulty).toBe(digits.difficulty);
  });

  it('refuses data without images', () => {
    const bare = { ...digits, images: new Uint8Array() };
    expect(() => corrupt(bare, { kind: 'shift', severity: 1, seed: 1 })).toThrow(DataError);
  });

  it('names the kinds it knows, and the severities', () => {
    const kinds = 'gaussian-noise, salt-and-pepper, gaussian-blur, motion-blur, contrast, brightness, occlusion, ' +
      'shift, rotation, pixelate';
    for (const kind of ['fog', 'constructor'] as unknown as CorruptionKind[]) {
      expect(() => corrupt(digits, { kind, severity: 1, seed: 1 }))
        .toThrow(new ArgumentError(`corrupt: expected a kind of ${kinds}, got ${kind}`));
    }
    for (const severity of [0, 6, 2.5, -1, NaN, Infinity]) {
      expect(() => corrupt(digits, { kind: 'shift', severity, seed: 1 }))
        .toThrow(new ArgumentError(`corrupt: expected a severity of 1, 2, 3, 4 or 5, got ${severity}`));
    }
    expect(() => corrupt(digits, { kind: 'shift', severity: 1, seed: -1 })).toThrow(/expected a seed/);
  });
});
