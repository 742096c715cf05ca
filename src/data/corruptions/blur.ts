import { planesOf, type Corruption } from './corruption.ts';

/** A place that a pixel takes from, relative to itself, and with what weight. */
interface Tap {
  readonly dx: number;
  readonly dy: number;
  readonly weight: number;
}

/**
 * Gaussian blur; the amount is its standard deviation, in shares of the shorter side. The weights are binomial ones,
 * whose limit the Gaussian is: they need no exponential function, and have the right variance when they are few.
 */
export const gaussianBlur: Corruption = (image, amount, _random, into) => {
  const [, height, width] = image.shape;
  const deviation = amount * Math.min(height, width);
  const weights = binomialWeights(deviation * deviation);
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

/**
 * [1 2 1] / 4, of variance 1/2, over and over: row 2n of Pascal's triangle; then [r/2, 1 - r, r/2] for the variance r
 * that is left. Without what lies beyond four standard deviations, and of sum 1.
 */
function binomialWeights(variance: number): readonly number[] {
  const n = Math.floor(2 * variance);
  const rest = variance - n / 2;
  const reach = Math.min(n, Math.ceil(4 * Math.sqrt(variance)));
  const half = [1];
  for (let k = 1; k <= reach; k++) half.push((half[k - 1]! * (n - k + 1)) / (n + k));
  const row = (k: number): number => half[Math.abs(k)] ?? 0;
  const weights = Array.from({ length: 2 * reach + 3 }, (_, at) => {
    const k = at - reach - 1;
    return (1 - rest) * row(k) + (rest / 2) * (row(k - 1) + row(k + 1));
  });
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
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
