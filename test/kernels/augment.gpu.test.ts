import { describe, expect, it } from 'vitest';
import { gradients } from '../../src/autograd/backward.ts';
import { compile } from '../../src/graph/program.ts';
import { augment, augmentation } from '../../src/kernels/augment.ts';
import type { AugmentAttributes, Augmentation } from '../../src/kernels/augment.ts';
import { sum } from '../../src/kernels/reduce.ts';
import { Rows, sizeOf } from '../../src/tensor/spec.ts';
import { checkValue, host, random, randomIndices } from '../op-table.ts';
import type { Host, OpRow } from '../op-table.ts';
import { openTestDevice } from '../open-test-device.ts';
import { philox } from './philox.ts';

const device = await openTestDevice();

type Shape = readonly [images: number, channels: number, height: number, width: number];
interface Draw {
  readonly down: number;
  readonly right: number;
  readonly flipped: boolean;
  /** First row and column of the square. */
  readonly top: number;
  readonly left: number;
}

const below = (bound: number, word: number): number => Math.floor((word * bound) / 2 ** 32);

/** What one image draws, written down anew. */
function drawOf(image: number, seed: number, shape: Shape, { stream, ...options }: AugmentAttributes): Draw {
  const [, , height, width] = shape;
  const { shift, flip, cutout } = augmentation(options);
  const [[down, right], [flipped], [top, left]] = [0, 1, 2].map((draw) => philox([3 * image + draw, stream], seed));
  return {
    down: below(2 * shift + 1, down!) - shift,
    right: below(2 * shift + 1, right!) - shift,
    flipped: flipped! / 2 ** 32 < flip,
    top: below(height, top!) - Math.floor(cutout / 2),
    left: below(width, left!) - Math.floor(cutout / 2),
  };
}

/** The noise of element `at` for a deviation of 1. */
function normalOf(at: number, seed: number, stream: number): number {
  const words = philox([2 ** 32 - 1 - at, stream], seed);
  const [radius, angle] = words.map((word) => Math.floor(word / 256) / 2 ** 24);
  return Math.sqrt(-2 * Math.log(radius! + 2 ** -24)) * Math.cos((2 * angle! - 1) * Math.PI);
}

/** One step after the other, each on the whole image. */
function reference({ x, seed }: Readonly<Record<string, Host>>, given: object): Host {
  const attributes = given as AugmentAttributes;
  const { cutout, noise, fill } = augmentation(attributes);
  const shape = x!.shape as Shape;
  const [, channels, height, width] = shape;
  const key = seed!.data[0]!;
  const y = new Float64Array(x!.data.length);
  for (let plane = 0; plane * height * width < y.length; plane++) {
    const { down, right, flipped, top, left } = drawOf(Math.floor(plane / channels), key, shape, attributes);
    const pixels = x!.data.subarray(plane * height * width, (plane + 1) * height * width);
    const rows = Array.from({ length: height }, (_, row) => [...pixels.subarray(row * width, (row + 1) * width)]);
    const shifted = rows.map((line, row) => line.map((_, column) => rows[row - down]?.[column - right] ?? fill));
    const turned = flipped ? shifted.map((line) => line.toReversed()) : shifted;
    turned.forEach((line, row) => line.forEach((value, column) => {
      const at = (plane * height + row) * width + column;
      const cut = row >= top && row < top + cutout && column >= left && column < left + cutout;
      y[at] = cut ? fill : noise > 0 ? value + noise * normalOf(at, key, attributes.stream) : value;
    }));
  }
  return host(shape, y);
}

const seedOf = (value: number): Uint32Array => Uint32Array.of(value);

/** The images after one step; `room` for how many images the program has. */
async function augmented(x: Float32Array, shape: Shape, seed: number, attributes: AugmentAttributes, room = shape[0]) {
  const rows = new Rows(room);
  const specs = {
    x: { dtype: 'f32', shape: [room, ...shape.slice(1)], rows },
    seed: { dtype: 'u32', shape: [1] },
  } as const;
  using program = await compile(device, specs, (inputs) => ({ y: augment(inputs, attributes) }), { count: true });
  const { y } = await program.call({ x, seed: seedOf(seed) });
  return { y: y as Float32Array, reached: new Uint32Array(await device.read(program.reached(0)))[0] };
}

const bits = (values: Float32Array): Uint32Array => new Uint32Array(values.buffer, values.byteOffset, values.length);

describe('augment', () => {
  const EVERYTHING = { shift: 3, flip: 0.5, cutout: 4, fill: 0.25 } as const;
  const row = { reference, mixesRows: true } as const;

  it.each<[string, Augmentation]>([
    ['shift', { shift: 2 }],
    ['shift and fill', { shift: 6, fill: -1.5 }],
    ['a flip of each second image', { flip: 0.5 }],
    ['a flip of every image', { flip: 1 }],
    ['cutout of an even side', { cutout: 4 }],
    ['cutout of an odd side', { cutout: 7, fill: 2 }],
    ['everything that moves', EVERYTHING],
  ])('%s: to the bit what the draws say, replayed, beside rows that are not live', async (_, options) => {
    const shapes: Shape[] = [[9, 3, 7, 11], [5, 1, 28, 28], [4, 2, 8, 8]];
    for (const [index, shape] of shapes.entries()) {
      const inputs = { x: random(shape, index), seed: randomIndices([1], index, 2 ** 32) };
      const opCase = { inputs, attributes: { ...options, stream: 7 + index }, samples: shape[0], batched: ['x'] };
      await checkValue(device, augment as never, { ...row, cases: [opCase], ulps: () => 0 }, opCase);
    }
  });

  it('draws for each image, where a sample has several', async () => {
    const inputs = { x: random([6, 2, 7, 9], 4), seed: randomIndices([1], 4, 2 ** 32) };
    const opCase = { inputs, attributes: { ...EVERYTHING, stream: 1 }, samples: 3, batched: ['x'] };
    await checkValue(device, augment as never, { ...row, cases: [opCase], ulps: () => 0 }, opCase);
  });

  it('adds the noise that the draws say, and none to the square', async () => {
    const inputs = { x: random([4, 2, 9, 11], 5), seed: randomIndices([1], 5, 2 ** 32) };
    const opCase = { inputs, attributes: { ...EVERYTHING, noise: 0.5, stream: 2 }, samples: 4, batched: ['x'] };
    // The cosine of WGSL may be wrong by 2^-11, times a radius of up to 6.
    const noisy: OpRow = { ...row, cases: [opCase], ulps: () => 2 ** 23 * 2 ** -11 * 6 * 0.5 };
    await checkValue(device, augment as never, noisy, opCase);

    const shape = inputs.x.shape as Shape;
    const attributes = { cutout: 4, fill: 9, noise: 0.1, stream: 0 };
    const { y } = await augmented(new Float32Array(sizeOf(shape)), shape, 3, attributes);
    for (let image = 0; image < 4; image++) {
      const { top, left } = drawOf(image, 3, shape, attributes);
      const high = Math.min(top + 4, 9) - Math.max(top, 0);
      const wide = Math.min(left + 4, 11) - Math.max(left, 0);
      const pixels = y.subarray(image * 2 * 99, (image + 1) * 2 * 99);
      expect(pixels.filter((value) => value === 9)).toHaveLength(2 * high * wide);
    }
  });

  it('changes no bit when all is off', async () => {
    const shape: Shape = [3, 2, 5, 9];
    const x = Float32Array.from(random(shape, 6).data);
    x.set([NaN, -0, Infinity, -Infinity, 1e-40]);
    for (const options of [{}, { shift: 0, flip: 0, cutout: 0, noise: 0, fill: 4 }]) {
      const { y } = await augmented(x, shape, 8, { ...options, stream: 0 });
      expect(bits(y)).toEqual(bits(x));
    }
  });

  it('works for live rows only', async () => {
    const shape: Shape = [3, 2, 5, 9];
    const x = Float32Array.from(random(shape, 7).data);
    const { y, reached } = await augmented(x, shape, 8, { ...EVERYTHING, noise: 1, stream: 0 }, 50);
    // Two invocations for the nine pixels of a row.
    expect(reached).toBe(3 * 2 * 5 * 2);
    expect(y).toEqual((await augmented(x, shape, 8, { ...EVERYTHING, noise: 1, stream: 0 })).y);
  });

  it('draws anew for each image, step and stream, and the same for the same seed', async () => {
    const each: Shape = [1, 1, 12, 12];
    const image = random(each, 9).data;
    const x = Float32Array.from([...image, ...image, ...image]);
    for (const options of [{ shift: 4 }, { cutout: 3 }, { noise: 0.1 }]) {
      const run = async (seed: number, stream: number) =>
        (await augmented(x, [3, 1, 12, 12], seed, { ...options, stream })).y;
      const first = await run(1, 0);
      expect(bits(await run(1, 0))).toEqual(bits(first));
      const results = [first, await run(2, 0), await run(1, 1)];
      const images = results.flatMap((y) => [0, 1, 2].map((index) => y.slice(index * 144, (index + 1) * 144).join()));
      expect(new Set(images)).toHaveLength(images.length);
    }
  });

  it('moves, flips and cuts as often as it should', async () => {
    const images = 5000;
    const shape: Shape = [images, 1, 5, 5];
    // A single pixel, right of the middle: where it lands tells the shift and the flip.
    const x = new Float32Array(images * 25).map((_, at) => (at % 25 === 13 ? 1 : 0));
    const landed = async (options: Augmentation): Promise<number[]> => {
      const { y } = await augmented(x, shape, 21, { ...options, stream: 3 });
      const shares = new Array<number>(25).fill(0);
      y.forEach((value, at) => (shares[at % 25]! += value / images));
      return shares;
    };
    const deviations = (share: number) => 5 * Math.sqrt((share * (1 - share)) / images);

    const flipped = await landed({ flip: 0.3 });
    expect(Math.abs(flipped[11]! - 0.3)).toBeLessThan(deviations(0.3));
    expect(flipped[11]! + flipped[13]!).toBeCloseTo(1, 9);

    const shifted = await landed({ shift: 1 });
    for (const place of [7, 8, 9, 12, 13, 14, 17, 18, 19]) {
      expect(Math.abs(shifted[place]! - 1 / 9)).toBeLessThan(deviations(1 / 9));
    }
    // The square of side 1 hides each of the 25 pixels equally often.
    const left = await landed({ cutout: 1 });
    expect(Math.abs(left[13]! - 24 / 25)).toBeLessThan(deviations(1 / 25));
  });

  it('makes noise with the mean, deviation and tails of a normal distribution', async () => {
    const shape: Shape = [10, 1, 100, 100];
    const { y } = await augmented(new Float32Array(1e5), shape, 11, { noise: 0.5, stream: 0 });
    const mean = y.reduce((total, value) => total + value, 0) / y.length;
    const moment = (power: number) => y.reduce((total, value) => total + ((value - mean) / 0.5) ** power, 0) / y.length;
    // Five standard errors each.
    const error = (variance: number) => 5 * Math.sqrt(variance / y.length);
    expect(Math.abs(mean / 0.5)).toBeLessThan(error(1));
    expect(Math.abs(moment(2) - 1)).toBeLessThan(error(2));
    expect(Math.abs(moment(3))).toBeLessThan(error(6));
    expect(Math.abs(moment(4) - 3)).toBeLessThan(error(96));
    for (const [distance, share] of [[1, 0.3173], [2, 0.0455], [3, 0.0027]] as const) {
      const beyond = y.filter((value) => Math.abs(value) > 0.5 * distance).length / y.length;
      expect(Math.abs(beyond - share)).toBeLessThan(error(share * (1 - share)));
    }
    for (const lag of [1, 2, 8, 100, 10_000]) {
      const products = y.subarray(lag).reduce((total, value, at) => total + value * y[at]!, 0);
      expect(Math.abs(products / y.length / 0.25), `neighbours ${lag} apart`).toBeLessThan(error(1));
    }
  });

  it('lets a pixel that is not a number go where it goes, and nowhere else', async () => {
    const shape: Shape = [4, 2, 9, 11];
    const x = Float32Array.from(random(shape, 12).data);
    const attributes = { ...EVERYTHING, noise: 0.5, stream: 0 };
    const { y: sound } = await augmented(x, shape, 13, attributes);
    const poisoned = x.slice();
    const at = (2 * 2 + 1) * 99 + 4 * 11 + 5;
    poisoned[at] = NaN;
    const { y } = await augmented(poisoned, shape, 13, attributes);
    const marker = host(shape, new Float64Array(x.length).map((_, index) => (index === at ? 100 : 0)));
    const places = reference({ x: marker, seed: host([1], [13], 'u32') }, attributes).data;
    expect(y).toEqual(sound.map((value, index) => (places[index]! > 50 ? NaN : value)));
    expect(y.filter(Number.isNaN)).toHaveLength(1);
  });

  it('has no gradient, and says why', async () => {
    const specs = { x: { dtype: 'f32', shape: [1, 1, 4, 4] }, seed: { dtype: 'u32', shape: [1] } } as const;
    const traced = compile(device, specs, ({ x, seed }) => ({
      dx: gradients(sum({ x: augment({ x, seed }, { flip: 1, stream: 0 }) }), [x])[0]!,
    }));
    await expect(traced).rejects.toThrow('augment: has no gradient (images are given, not learned');
  });

  it.each<[Augmentation, string]>([
    [{ shift: -1 }, 'expected a whole number of pixels, 0 or more, for shift, got -1'],
    [{ shift: 1.5 }, 'for shift, got 1.5'],
    [{ flip: 1.1 }, 'expected a probability in [0, 1] for flip, got 1.1'],
    [{ flip: NaN }, 'for flip, got NaN'],
    [{ cutout: -2 }, 'for cutout, got -2'],
    [{ noise: -0.1 }, 'expected a standard deviation of 0 or more for noise, got -0.1'],
    [{ noise: Infinity }, 'for noise, got Infinity'],
    [{ fill: NaN }, 'expected a finite number for fill, got NaN'],
  ])('refuses %o', (options, message) => {
    expect(() => augmentation(options)).toThrow(message);
  });

  it('refuses what leaves nothing of the image, and what is no image', async () => {
    const traced = (shape: readonly number[], options: Augmentation) =>
      compile(device, { x: { dtype: 'f32', shape }, seed: { dtype: 'u32', shape: [1] } }, (inputs) => ({
        y: augment(inputs, { ...options, stream: 0 }),
      }));
    const image = [1, 1, 8, 6];
    await expect(traced(image, { cutout: 7 })).rejects.toThrow('augment: expected a cutout within 8 x 6 pixels, got 7');
    await expect(traced(image, { shift: 6 })).rejects.toThrow('a shift that leaves some of 8 x 6 pixels, got 6');
    await expect(traced([8, 6], {})).rejects.toThrow('augment: expected x f32[images, channels, height, width]');
  });
});
