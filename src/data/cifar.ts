import { ArgumentError, DataError } from '../errors.ts';
import { createDataset, type Dataset } from './dataset.ts';
import { describeBytes } from './file-kind.ts';
import { gunzip, isGzip, MAX_UNPACKED_BYTES } from './gzip.ts';

/** Of CIFAR-10 itself. */
export const CIFAR_SIZE = 32;
/** A length is tried with these sides; smaller ones would fit nearly any. */
const [MIN_SIZE, MAX_SIZE] = [8, 512];

const TEN_NUMBERS: readonly string[] = Array.from({ length: 10 }, (_, label) => String(label));

/** Whole records, as they lie in a file of CIFAR-10's binary version. */
export interface Records {
  /** Side of an image. */
  readonly size: number;
  /** `[count, 1 + 3 * size * size]`. May be a view of the bytes that were parsed. */
  readonly data: Uint8Array;
}

/**
 * Parses labelled colour images in the binary version of CIFAR-10, gzipped or not (told by their beginning): records of
 * one label byte, then the red, green and blue planes, each `size x size`, row by row. Format:
 * https://www.cs.toronto.edu/~kriz/cifar.html, "Binary version".
 *
 * @param options.name what the data set and error messages are called, e.g. a path
 * @param options.size side of an image. Left out: 32 where the length allows it, else the side that it does allow
 * @param options.classNames left out: the numbers 0 to 9
 * @throws DataError for anything that is not one or more whole records, or for a label without a class
 * @throws ArgumentError for a size that is no integer >= 1
 */
export async function parseCifar(
  bytes: Uint8Array,
  options: { name?: string; size?: number | undefined; classNames?: readonly string[] } = {},
): Promise<Dataset> {
  const { name = 'CIFAR data', size, classNames = TEN_NUMBERS } = options;
  return joinRecords([await parseRecords(bytes, name, size)], { name, classNames });
}

/** As `parseCifar`, up to the records: labels are not looked at. */
export async function parseRecords(bytes: Uint8Array, source: string, size?: number): Promise<Records> {
  if (size !== undefined && !(Number.isSafeInteger(size) && size >= 1)) {
    throw new ArgumentError(`${source}: expected size to be an integer >= 1, got ${size}`);
  }
  const data = isGzip(bytes) ? await unpack(bytes, source) : bytes;
  const fitting = size ?? sizeByLength(data.length, source);
  if (data.length > 0 && fitting !== undefined && data.length % recordBytes(fitting) === 0) {
    return { size: fitting, data };
  }
  const side = size ?? CIFAR_SIZE;
  const expected = `whole records of ${recordBytes(side)} bytes, a label and 3 x ${side} x ${side} pixels`;
  const others = size === undefined ? ', or those of another size' : '';
  throw new DataError(`${source}: expected ${expected}${others}, got ${describeBytes(data)} of ${data.length} bytes`);
}

/** Makes a data set of the records of files, one after the other, all of one size. @throws DataError */
export function joinRecords(
  files: readonly Records[],
  { name, classNames = TEN_NUMBERS }: { name: string; classNames?: readonly string[] | undefined },
): Dataset {
  const { size } = files[0]!;
  const pixels = recordBytes(size) - 1;
  const count = files.reduce((total, { data }) => total + data.length / recordBytes(size), 0);
  const images = new Uint8Array(count * pixels);
  const labels = new Uint8Array(count);
  let item = 0;
  for (const { data } of files) {
    for (let start = 0; start < data.length; start += recordBytes(size), item++) {
      labels[item] = data[start]!;
      images.set(data.subarray(start + 1, start + 1 + pixels), item * pixels);
    }
  }
  return createDataset({ name, shape: [3, size, size], images, labels, classNames });
}

function recordBytes(size: number): number {
  return 1 + 3 * size * size;
}

/**
 * The side that a length says; `undefined` where it fits none.
 * @throws DataError where it fits several, none of them 32
 */
function sizeByLength(length: number, source: string): number | undefined {
  const all = Array.from({ length: MAX_SIZE - MIN_SIZE + 1 }, (_, index) => MIN_SIZE + index);
  const fitting = all.filter((size) => length > 0 && length % recordBytes(size) === 0);
  if (fitting.length <= 1) return fitting[0];
  if (fitting.includes(CIFAR_SIZE)) return CIFAR_SIZE;
  const sizes = fitting.join(' or ');
  throw new DataError(`${source}: expected a size to be given, since ${length} bytes can be images of side ${sizes}`);
}

/** Records have no header that says how much there is: only the general limit holds. */
async function unpack(bytes: Uint8Array, source: string): Promise<Uint8Array> {
  const whole = await gunzip(bytes, source, () => MAX_UNPACKED_BYTES);
  if (whole.length <= MAX_UNPACKED_BYTES) return whole;
  throw new DataError(
    `${source}: expected at most ${MAX_UNPACKED_BYTES} bytes in gzip, got more: ` +
      'unpack the file if it is really that large',
  );
}
