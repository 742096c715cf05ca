import type { Random } from '../../random.ts';
import type { ImageShape } from '../dataset.ts';
import type { PlanarImage } from '../resize.ts';

/**
 * Writes a changed copy of an image of the same shape, `[channels, height, width]`; `into` rounds and clamps to bytes.
 * The amount is of the kind's own unit. With +, -, *, / and square roots only, so that bytes are the same everywhere.
 */
export type Corruption = (image: PlanarImage, amount: number, random: Random, into: Uint8ClampedArray) => void;

/** Whole pixels that a share of a side is, 1 at least. */
export const pixelsOf = (share: number, side: number): number => Math.max(1, Math.round(share * side));

/** Each channel as a view, and where it begins. */
export function* planesOf({ shape, pixels }: PlanarImage): Generator<{ plane: Uint8Array; start: number }> {
  const [channels, height, width] = shape;
  for (let channel = 0; channel < channels; channel++) {
    const start = channel * height * width;
    yield { plane: pixels.subarray(start, start + height * width), start };
  }
}

/**
 * The median of a channel's border: a guess at what lies beyond the edge. It is black for digits, and the wall behind
 * a photographed hand, where black would be a mark of its own.
 */
export function backgroundOf(plane: Uint8Array, [, height, width]: ImageShape): number {
  const border = plane.filter((_, at) => {
    const [x, y] = [at % width, Math.floor(at / width)];
    return x === 0 || y === 0 || x === width - 1 || y === height - 1;
  });
  return border.sort()[border.length >> 1]!;
}
