import { ArgumentError, DataError } from '../errors.ts';
import type { ImageShape } from './dataset.ts';
import { resize, type PlanarImage } from './resize.ts';

/** What a PNG decoder or a canvas's `ImageData` gives: four bytes a pixel, row by row, alpha not premultiplied. */
export interface RgbaImage {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array | Uint8ClampedArray;
}

const OPAQUE = 255;

/**
 * Brings a picture to the shape a network reads: grey for one channel, colour for three, then `resize`, then `invert`
 * if asked. Nothing is guessed; see `borderMean` for telling dark-on-light from light-on-dark.
 *
 * @param options.background the grey, 0..255, that shines through where the picture is transparent; white by default
 * @throws ArgumentError for a number of channels other than 1 or 3, or an empty shape
 * @throws DataError where width, height and bytes disagree
 */
export function fitImage(
  image: RgbaImage,
  shape: ImageShape,
  { invert: inverted = false, background = 255 }: { invert?: boolean; background?: number } = {},
): PlanarImage {
  const [channels, height, width] = shape;
  if (channels !== 1 && channels !== 3) {
    throw new ArgumentError(`fitImage: expected a shape of 1 or 3 channels, got [${shape.join(', ')}]`);
  }
  const planes = channels === 1 ? toGrayscale(image, background) : toColour(image, background);
  const resized = resize(planes, height, width);
  return inverted ? invert(resized) : resized;
}

/**
 * Grey `[1, height, width]` by the luma weights of ITU-R BT.601, over an even background where transparent.
 *
 * @throws DataError where width, height and bytes disagree
 */
export function toGrayscale(image: RgbaImage, background = 255): PlanarImage {
  const { data } = checkRgba(image);
  const pixels = new Uint8Array(image.width * image.height);
  for (let pixel = 0; pixel < pixels.length; pixel++) {
    const at = 4 * pixel;
    const luma = (299 * data[at]! + 587 * data[at + 1]! + 114 * data[at + 2]!) / 1000;
    pixels[pixel] = Math.round(over(luma, data[at + 3]!, background));
  }
  return { shape: [1, image.height, image.width], pixels };
}

/**
 * Colour `[3, height, width]`, over an even background where transparent.
 *
 * @throws DataError where width, height and bytes disagree
 */
export function toColour(image: RgbaImage, background = 255): PlanarImage {
  const { data } = checkRgba(image);
  const plane = image.width * image.height;
  const pixels = new Uint8Array(3 * plane);
  for (let pixel = 0; pixel < plane; pixel++) {
    for (let channel = 0; channel < 3; channel++) {
      pixels[channel * plane + pixel] = Math.round(over(data[4 * pixel + channel]!, data[4 * pixel + 3]!, background));
    }
  }
  return { shape: [3, image.height, image.width], pixels };
}

/** White for black and black for white. */
export function invert({ shape, pixels }: PlanarImage): PlanarImage {
  return { shape, pixels: pixels.map((value) => 255 - value) };
}

/**
 * Mean, 0..255, of the outermost pixels of all channels: well above 127 for dark strokes on light paper, which a
 * network trained on white-on-black digits needs inverted. The caller decides.
 */
export function borderMean({ shape: [channels, height, width], pixels }: PlanarImage): number {
  let sum = 0;
  let count = 0;
  for (let row = 0; row < channels * height; row++) {
    const isWholeRow = row % height === 0 || row % height === height - 1;
    const step = isWholeRow ? 1 : Math.max(1, width - 1);
    for (let x = 0; x < width; x += step) {
      sum += pixels[row * width + x]!;
      count++;
    }
  }
  return sum / count;
}

function over(value: number, alpha: number, background: number): number {
  return (value * alpha + background * (OPAQUE - alpha)) / OPAQUE;
}

function checkRgba(image: RgbaImage): RgbaImage {
  const { width, height, data } = image;
  if (width >= 1 && height >= 1 && data.length === 4 * width * height) return image;
  throw new DataError(`image: expected 4 bytes for each of ${width} x ${height} pixels, got ${data.length} bytes`);
}
