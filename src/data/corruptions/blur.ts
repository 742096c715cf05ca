import { planesOf, type Corruption } from './corruption.ts';

/** A place that a pixel takes from, relative to itself, and with what weight. */
interface Tap {
  readonly dx: number;
  readonly dy: number;
  readonly weight: number;
}

/**
 * Gaussian blur; the amount is its standard deviation, in shares of the shorter side. The weights are the binomial ones
 * of the nearest variance that these have, n / 2, whose limit the Gaussian is: they need no exponential function.
 */
export const gaussianBlur: Corruption = (image, amount, _random, into) => {
  const [, height, width] = image.shape;
  const deviation = amount * Math.min(height, width);
  const weights = binomialWeights(Math.max(1, Math.round(2 * deviation * deviation)));
  const across = weights.map((weight, at) => ({ dx: at - (weights.length >> 1), dy: 0, weight }));
  const down = across.map(({ dx, weight }) => ({ dx: 0, dy: dx, weight }));
  for (const { plane, start } of planesOf(image)) {
    const half = convolve(new Float64Array(plane), height, width, across);
    into.set(convolve(half, height, width, down), start);
  }
};

/**
 * The mean along a line through each pixel; the amount is the line's length in shares of the shorter side, its angle to
 * the horizontal any between -45 and 45 degrees, one for an image.
 */
export const motionBlur: Corruption = (image, amount, random, into) => {
  const [, height, width] = image.shape;
  const length = amount * Math.min(height, width);
  // An angle of 2 atan(t): its cosine and sine are rational in t, and t = sqrt(2) - 1 makes 45 degrees.
  const t = random.between(1 - Math.SQRT2, Math.SQRT2 - 1);
  const [cosine, sine] = [(1 - t * t) / (1 + t * t), (2 * t) / (1 + t * t)];
  const steps = 2 * Math.ceil(length);
  const taps = Array.from({ length: steps + 1 }, (_, step) => {
    const along = (step / steps - 0.5) * length;
    return tapsAt(along * cosine, along * sine, 1 / (steps + 1));
  }).flat();
  for (const { plane, start } of planesOf(image)) {
    into.set(convolve(new Float64Array(plane), height, width, taps), start);
  }
};

/** The middle of row 2n of Pascal's triangle, of sum 1; what lies beyond four standard deviations is left out. */
function binomialWeights(n: number): readonly number[] {
  const half = [1];
  const reach = Math.min(n, Math.ceil(4 * Math.sqrt(n / 2)));
  for (let k = 1; k <= reach; k++) half.push((half[k - 1]! * (n - k + 1)) / (n + k));
  const all = [...half.slice(1).reverse(), ...half];
  const sum = all.reduce((total, weight) => total + weight, 0);
  return all.map((weight) => weight / sum);
}

/** Bilinear: a place between pixels as the four around it. */
function tapsAt(x: number, y: number, weight: number): readonly Tap[] {
  const [left, top] = [Math.floor(x), Math.floor(y)];
  const [right, bottom] = [x - left, y - top];
  return [
    { dx: left, dy: top, weight: weight * (1 - right) * (1 - bottom) },
    { dx: left + 1, dy: top, weight: weight * right * (1 - bottom) },
    { dx: left, dy: top + 1, weight: weight * (1 - right) * bottom },
    { dx: left + 1, dy: top + 1, weight: weight * right * bottom },
  ].filter((tap) => tap.weight > 0);
}

/** Beyond the edge lies the nearest pixel, so that nothing gets darker there. */
function convolve(plane: Float64Array, height: number, width: number, taps: readonly Tap[]): Float64Array {
  const sums = new Float64Array(plane.length);
  for (const { dx, dy, weight } of taps) {
    for (let y = 0; y < height; y++) {
      const row = width * Math.min(height - 1, Math.max(0, y + dy));
      for (let x = 0; x < width; x++) {
        const column = Math.min(width - 1, Math.max(0, x + dx));
        sums[y * width + x]! += weight * plane[row + column]!;
      }
    }
  }
  return sums;
}
