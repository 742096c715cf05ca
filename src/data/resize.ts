import { ArgumentError } from '../errors.ts';
import type { ImageShape } from './dataset.ts';

/** What a data set holds: bytes `[channels, height, width]`. */
export interface PlanarImage {
  readonly shape: ImageShape;
  readonly pixels: Uint8Array;
}

/**
 * Scales each axis on its own, the aspect is not kept: where it shrinks, each new pixel is the mean of the area it
 * covers, so that thin strokes do not vanish; where it grows, linear between pixel centres.
 *
 * @throws ArgumentError unless height and width are integers >= 1
 */
export function resize(image: PlanarImage, height: number, width: number): PlanarImage {
  if (!Number.isSafeInteger(height) || !Number.isSafeInteger(width) || height < 1 || width < 1) {
    throw new ArgumentError(`resize: expected height and width to be integers >= 1, got ${height} and ${width}`);
  }
  const { shape: [channels, fromHeight, fromWidth], pixels } = image;
  const rows = samplesAlong(fromHeight, height);
  const columns = samplesAlong(fromWidth, width);
  const result = new Uint8Array(channels * height * width);
  for (let channel = 0; channel < channels; channel++) {
    const plane = pixels.subarray(channel * fromHeight * fromWidth, (channel + 1) * fromHeight * fromWidth);
    const narrowed = new Float64Array(fromHeight * width);
    for (let y = 0; y < fromHeight; y++) {
      columns.forEach((sample, x) => {
        narrowed[y * width + x] = weighted(plane, y * fromWidth, 1, sample);
      });
    }
    rows.forEach((sample, y) => {
      for (let x = 0; x < width; x++) {
        result[(channel * height + y) * width + x] = Math.round(weighted(narrowed, x, width, sample));
      }
    });
  }
  return { shape: [channels, height, width], pixels: result };
}

/** One new pixel along an axis: a weighted mean of neighbours from `first` on. */
interface Sample {
  readonly first: number;
  readonly weights: readonly number[];
}

function samplesAlong(from: number, to: number): readonly Sample[] {
  const scale = from / to;
  return Array.from({ length: to }, (_, index) =>
    scale > 1
      ? areaSample(index * scale, (index + 1) * scale, from)
      : linearSample((index + 0.5) * scale - 0.5, from));
}

function areaSample(start: number, end: number, length: number): Sample {
  const first = Math.floor(start);
  const last = Math.min(length, Math.ceil(end));
  const weights = Array.from({ length: last - first }, (_, offset) => {
    const pixel = first + offset;
    return (Math.min(end, pixel + 1) - Math.max(start, pixel)) / (end - start);
  });
  return { first, weights };
}

function linearSample(centre: number, length: number): Sample {
  const inside = Math.min(length - 1, Math.max(0, centre));
  const first = Math.floor(inside);
  const fraction = inside - first;
  return { first, weights: fraction === 0 ? [1] : [1 - fraction, fraction] };
}

function weighted(values: ArrayLike<number>, start: number, stride: number, { first, weights }: Sample): number {
  let sum = 0;
  for (let at = 0; at < weights.length; at++) sum += weights[at]! * values[start + (first + at) * stride]!;
  return sum;
}
