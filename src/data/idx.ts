import { DataError } from '../errors.ts';
import { createDataset, type Dataset } from './dataset.ts';
import { describeBytes, describeMagic } from './file-kind.ts';
import { gunzip, isGzip, MAX_UNPACKED_BYTES } from './gzip.ts';

const MAGIC_BYTES = 4;
/** More dimensions than this are a damaged header. */
const MAX_RANK = 8;
const UNSIGNED_BYTE = 0x08;
const OTHER_TYPES: Readonly<Record<number, string>> = {
  0x09: 'int8',
  0x0b: 'int16',
  0x0c: 'int32',
  0x0d: 'float32',
  0x0e: 'float64',
};

/** An array of unsigned bytes, as an IDX file holds it. */
export interface Idx {
  /** What messages call it. */
  readonly source: string;
  readonly dims: readonly number[];
  /** One byte an element, the last dimension fastest. May be a view of the bytes that were parsed. */
  readonly data: Uint8Array;
}

/**
 * Parses IDX bytes, gzipped or not (told by their beginning): `00 00 08 rank`, then each dimension as a big-endian u32,
 * then the elements. Format: http://yann.lecun.com/exdb/mnist/, "The IDX file format".
 *
 * @param source what error messages call these bytes, e.g. their path
 * @throws DataError for anything that is not exactly one whole IDX array of unsigned bytes
 */
export async function parseIdx(bytes: Uint8Array, source = 'IDX data'): Promise<Idx> {
  const whole = isGzip(bytes) ? await unpack(bytes, source) : bytes;
  const { dims, start, end } = readHeader(whole, source);
  if (whole.length !== end) {
    const problem = whole.length < end ? 'truncated IDX' : 'trailing bytes after the IDX data';
    throw new DataError(
      `${source}: ${problem}: expected ${end - start} bytes for ${dims.join(' x ')}, ` +
        `got ${whole.length > end && isGzip(bytes) ? 'at least ' : ''}${whole.length - start}`,
    );
  }
  return { source, dims, data: whole.subarray(start) };
}

/**
 * Joins an IDX file of images, `[count, rows, columns]`, with one of labels, `[count]`.
 *
 * @param options.classNames left out: the numbers 0 to 9, or to the greatest label if that is more
 * @throws DataError for malformed bytes, other ranks, no images, or counts that disagree
 */
export async function imagesAndLabels(
  imageBytes: Uint8Array,
  labelBytes: Uint8Array,
  options: { name?: string; classNames?: readonly string[] } = {},
): Promise<Dataset> {
  const images = await parseIdx(imageBytes, 'images');
  const labels = await parseIdx(labelBytes, 'labels');
  return joinIdx(images, labels, options);
}

/**
 * An IDX file of images, `[count, rows, columns]`, that nobody labelled, for what only looks at scores: out-of-
 * distribution inputs, say. Every label is 0, of the one class `unknown`.
 *
 * @throws DataError for malformed bytes, another rank, or no images
 */
export async function unlabelledImages(imageBytes: Uint8Array, name = 'images'): Promise<Dataset> {
  const images = await parseIdx(imageBytes, name);
  const count = images.data.length === 0 ? 0 : images.dims[0]!;
  const labels = { source: `labels of ${name}`, dims: [count], data: new Uint8Array(count) };
  return joinIdx(images, labels, { classNames: ['unknown'] });
}

/** As `imagesAndLabels`, from arrays that are parsed already. */
export function joinIdx(
  images: Idx,
  labels: Idx,
  options: { name?: string; classNames?: readonly string[] } = {},
): Dataset {
  const { name = images.source, classNames = numberNames(labels.data) } = options;
  const [count, height, width] = expectRank(images, ['count', 'rows', 'columns']) as [number, number, number];
  expectRank(labels, ['count']);
  if (images.data.length === 0) {
    throw new DataError(`${images.source}: expected at least one image, got dimensions ${images.dims.join(' x ')}`);
  }
  if (labels.data.length !== count) {
    throw new DataError(
      `${labels.source}: expected ${count} labels, one for each image of ${images.source}, got ${labels.data.length}`,
    );
  }
  return createDataset({ name, shape: [1, height, width], images: images.data, labels: labels.data, classNames });
}

/** `0` to `9`, or to the greatest label if that is more. */
export function numberNames(...labels: readonly Uint8Array[]): readonly string[] {
  let greatest = 9;
  for (const values of labels) for (const label of values) if (label > greatest) greatest = label;
  return Array.from({ length: greatest + 1 }, (_, label) => String(label));
}

function expectRank(idx: Idx, axes: readonly string[]): readonly number[] {
  if (idx.dims.length === axes.length) return idx.dims;
  throw new DataError(
    `${idx.source}: expected ${axes.length} dimension${axes.length > 1 ? 's' : ''} [${axes.join(', ')}], ` +
      `got ${idx.dims.length} [${idx.dims.join(', ')}]: are images and labels swapped?`,
  );
}

interface Header {
  readonly dims: readonly number[];
  /** Bytes before the elements. */
  readonly start: number;
  /** Bytes of the whole array, if nothing is missing. */
  readonly end: number;
}

/** Reads only what is there: nothing of the declared size is allocated. */
function readHeader(bytes: Uint8Array, source: string): Header {
  const rank = readMagic(bytes, source);
  const start = MAGIC_BYTES + 4 * rank;
  if (bytes.length < start) {
    throw new DataError(
      `${source}: truncated IDX header: expected ${start} bytes for ${rank} dimensions, got ${bytes.length}`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, start);
  const dims = Array.from({ length: rank }, (_, axis) => view.getUint32(MAGIC_BYTES + 4 * axis));
  return { dims, start, end: start + dims.reduce((product, dim) => product * dim, 1) };
}

/** Checks the first four bytes and returns the number of dimensions. */
function readMagic(bytes: Uint8Array, source: string): number {
  const expected = '00 00 08 (unsigned bytes) and the number of dimensions';
  const got = describeMagic(bytes);
  if (bytes.length < MAGIC_BYTES && bytes.every((byte, at) => byte === [0, 0, UNSIGNED_BYTE][at])) {
    throw new DataError(`${source}: truncated IDX header: expected ${expected}, got ${got || 'an empty file'}`);
  }
  if (bytes[0] !== 0 || bytes[1] !== 0) {
    const kind = describeBytes(bytes);
    throw new DataError(`${source}: not IDX: expected ${expected}, got ${got}, which looks like ${kind}`);
  }
  const type = bytes[2]!;
  if (type !== UNSIGNED_BYTE) {
    throw new DataError(
      `${source}: expected IDX elements of type 0x08 (unsigned bytes), ` +
        `got 0x${describeMagic(bytes.subarray(2, 3))} (${OTHER_TYPES[type] ?? 'no known type'})`,
    );
  }
  const rank = bytes[3]!;
  if (rank < 1 || rank > MAX_RANK) {
    throw new DataError(`${source}: expected IDX data of 1 to ${MAX_RANK} dimensions, got ${rank}`);
  }
  return rank;
}

/** Unpacks gzipped IDX, hardly further than its header declares. */
function unpack(bytes: Uint8Array, source: string): Promise<Uint8Array> {
  return gunzip(bytes, source, (beginning) => {
    if (beginning.length < MAGIC_BYTES || beginning.length < MAGIC_BYTES + 4 * beginning[3]!) return Infinity;
    const { dims, end } = readHeader(beginning, source);
    if (end <= MAX_UNPACKED_BYTES) return end;
    throw new DataError(
      `${source}: expected at most ${MAX_UNPACKED_BYTES} bytes in gzip, got dimensions ${dims.join(' x ')}: ` +
        'unpack the file if it is really that large',
    );
  });
}
