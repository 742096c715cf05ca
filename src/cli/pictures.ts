import { PNG } from 'pngjs';
import { DataError, fitImage, parseIdx } from '../node.ts';
import type { ImageShape } from '../node.ts';
import { describeBytes } from '../data/file-kind.ts';
import { borderMean, invert as inverted } from '../data/image.ts';
import { resize } from '../data/resize.ts';
import type { PlanarImage } from '../data/resize.ts';
import { readBytes } from './files.ts';

/** A picture as a network reads it, and what was done to it. */
export interface Picture {
  /** As it was named on the command line. */
  readonly input: string;
  readonly pixels: Uint8Array;
  /** Mean of the outermost pixels, 0..255. */
  readonly border: number;
  /** Such as `resized from 64 x 64 to 28 x 28`. */
  readonly changes: readonly string[];
}

/** Beyond this a picture is a mistake, or a trap for a decoder that allocates what the header says. */
const MAX_PIXELS = 2 ** 26;

const EXPECTED = 'a PNG image, or an IDX file with #index behind it';

const size = (width: number, height: number): string => `${width} x ${height}`;

/** Reads `file.png` and `file#index` (an image of an IDX file); each file is read once. */
export function pictureReader(shape: ImageShape, { invert }: { invert: boolean }): (input: string) => Promise<Picture> {
  const idxFiles = new Map<string, ReturnType<typeof readIdxImages>>();
  return async (input) => {
    const [, file, index] = /^(.+)#(\d+)$/.exec(input) ?? [];
    if (file === undefined) return readPng(input, shape, invert);
    if (!idxFiles.has(file)) idxFiles.set(file, readIdxImages(file));
    const { count, height, width, data } = await idxFiles.get(file)!;
    if (Number(index) >= count) throw new DataError(`${input}: expected an index from 0 to ${count - 1}, got ${index}`);
    if (shape[0] !== 1) throw new DataError(`${input}: expected ${shape[0]} channels, got one, as IDX images have`);
    const start = Number(index) * width * height;
    const image: PlanarImage = { shape: [1, height, width], pixels: data.subarray(start, start + width * height) };
    const resized = resize(image, shape[1], shape[2]);
    return finish(input, invert ? inverted(resized) : resized, size(width, height), []);
  };
}

async function readPng(path: string, shape: ImageShape, invert: boolean): Promise<Picture> {
  const bytes = await readBytes(path, EXPECTED);
  const { image, isColour } = decodePng(bytes, path);
  const changes = isColour && shape[0] === 1 ? ['colour made grey'] : [];
  return finish(path, fitImage(image, shape, { invert }), size(image.width, image.height), changes);
}

function decodePng(bytes: Uint8Array, path: string): { image: PNG; isColour: boolean } {
  const kind = describeBytes(bytes);
  if (kind !== 'a PNG image') throw new DataError(`${path}: expected ${EXPECTED}, got ${kind}`);
  // Of the first chunk, which is always IHDR: width, height.
  const header = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length >= 24 && header.getUint32(16) * header.getUint32(20) > MAX_PIXELS) {
    const got = size(header.getUint32(16), header.getUint32(20));
    throw new DataError(`${path}: expected a picture of at most ${MAX_PIXELS} pixels, got ${got}`);
  }
  try {
    const image = PNG.sync.read(Buffer.from(bytes));
    return { image, isColour: image.data.some((value, at) => at % 4 < 2 && value !== image.data[at + 1]) };
  } catch (cause) {
    const problem = (cause as Error).message;
    throw new DataError(`${path}: expected a whole PNG image, got a damaged one (${problem})`, { cause });
  }
}

async function readIdxImages(path: string) {
  const { dims, data } = await parseIdx(await readBytes(path, 'an IDX file'), path);
  if (dims.length !== 3) {
    throw new DataError(`${path}: expected images [count, rows, columns], got [${dims.join(', ')}]`);
  }
  const [count, height, width] = dims as [number, number, number];
  return { count, height, width, data };
}

function finish(input: string, image: PlanarImage, from: string, changes: readonly string[]): Picture {
  const { shape: [, height, width], pixels } = image;
  const to = size(width, height);
  const resized = from === to ? [] : [`resized from ${from} to ${to}`];
  return { input, pixels, border: borderMean(image), changes: [...changes, ...resized] };
}
