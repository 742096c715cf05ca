import { ArgumentError } from '../errors.ts';
import { pixelsPerImage, type Dataset, type ImageShape } from './dataset.ts';

/** Per channel, in units of pixel / 255: a pixel `p` becomes `(p / 255 - mean) / std`. */
export interface Normalization {
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/**
 * Mean and (population) standard deviation of each channel. The sums are of integers, so the result does not depend
 * on the order of the items. A channel that is constant has std 0, which `createNormalizer` refuses.
 *
 * @throws ArgumentError for an empty data set
 */
export function statistics(dataset: Dataset): Normalization {
  const [channels, height, width] = dataset.shape;
  const plane = height * width;
  if (dataset.images.length === 0) throw new ArgumentError(`statistics: expected pixels, got none in ${dataset.name}`);
  const mean: number[] = [];
  const std: number[] = [];
  for (let channel = 0; channel < channels; channel++) {
    const counts = histogram(dataset.images, channel * plane, plane, pixelsPerImage(dataset.shape));
    let total = 0;
    let sum = 0;
    let sumOfSquares = 0;
    counts.forEach((count, value) => {
      total += count;
      sum += count * value;
      sumOfSquares += count * value * value;
    });
    // n sum(p^2) - sum(p)^2 is beyond 2^53 for MNIST: as a BigInt nothing cancels.
    const spread = BigInt(total) * BigInt(sumOfSquares) - BigInt(sum) * BigInt(sum);
    mean.push(sum / total / 255);
    std.push(Math.sqrt(Number(spread)) / total / 255);
  }
  return { mean, std };
}

/** Writes the normalised `pixels` (whole images) into `out` from `offset` on, in the same order, and returns `out`. */
export type Normalizer = (pixels: Uint8Array, out?: Float32Array, offset?: number) => Float32Array;

/**
 * Makes the function that turns bytes `[..., channels, height, width]` into the float32 a network reads.
 *
 * @param normalization left out: pixels become 0..1
 * @throws ArgumentError unless there is one mean and one std > 0 for each channel
 */
export function createNormalizer(shape: ImageShape, normalization?: Normalization): Normalizer {
  const [channels, height, width] = shape;
  const { mean, std } = normalization ?? { mean: Array(channels).fill(0), std: Array(channels).fill(1) };
  const usable = mean.every(Number.isFinite) && std.every((value) => Number.isFinite(value) && value > 0);
  if (mean.length !== channels || std.length !== channels || !usable) {
    throw new ArgumentError(
      `normalize: expected a mean and a std > 0 for each of ${channels} channels, ` +
        `got mean [${mean.join(', ')}] and std [${std.join(', ')}]`,
    );
  }
  const tables = mean.map((centre, channel) =>
    Float32Array.from({ length: 256 }, (_, value) => (value / 255 - centre) / std[channel]!));
  const plane = height * width;
  return (pixels, out = new Float32Array(pixels.length), offset = 0) => {
    for (let start = 0; start < pixels.length; start += plane) {
      const table = tables[(start / plane) % channels]!;
      for (let at = start; at < start + plane; at++) out[offset + at] = table[pixels[at]!]!;
    }
    return out;
  };
}

/** How often each byte value occurs in one channel, whose planes start at `first` and then every `stride` bytes. */
function histogram(pixels: Uint8Array, first: number, plane: number, stride: number): Float64Array {
  const counts = new Float64Array(256);
  for (let start = first; start < pixels.length; start += stride) {
    for (let at = start; at < start + plane; at++) counts[pixels[at]!]!++;
  }
  return counts;
}
