/**
 * The safetensors format: a little-endian u64 with the length of the header, the header in JSON, the data of all
 * tensors. As strict as https://github.com/huggingface/safetensors (README "Format", `safetensors/src/tensor.rs`); a
 * key called `__proto__`, at any level, is refused as well, since no honest file has one.
 */
import { ModelFileError } from '../errors.ts';
import { array, describe, number, object, oneOf, parseJson, record, string } from '../json.ts';

// Bits per element. The order is the reference's, by alignment: its writer lays tensors out from the last to the first.
const dtypeBits = {
  BOOL: 8, F4: 4, F6_E2M3: 6, F6_E3M2: 6, U8: 8, I8: 8,
  F8_E5M2: 8, F8_E4M3: 8, F8_E8M0: 8, F8_E4M3FNUZ: 8, F8_E5M2FNUZ: 8,
  I16: 16, U16: 16, F16: 16, BF16: 16, I32: 32, U32: 32, F32: 32, C64: 64, F64: 64, I64: 64, U64: 64,
} as const;

/** The type of one element, as the format spells it. */
export type SafetensorsDtype = keyof typeof dtypeBits;

/** One tensor: row-major, little-endian. */
export interface SafetensorsTensor {
  readonly dtype: SafetensorsDtype;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

/** What one file holds. */
export interface Safetensors {
  readonly metadata: Readonly<Record<string, string>>;
  readonly tensors: ReadonlyMap<string, SafetensorsTensor>;
}

const maxHeaderLength = 100_000_000;
const dtypes = Object.keys(dtypeBits) as SafetensorsDtype[];
const natural = number({ min: 0, integer: true });
const checkMetadata = record(string);
const checkTensorInfo = object({ dtype: oneOf(dtypes), shape: array(natural), data_offsets: array(natural, 2) });

/**
 * Reads a whole file. The tensors come in the order of their data, as views into `bytes`; nothing is copied.
 *
 * @param source what messages call the file
 * @throws ModelFileError if the file is malformed in any way
 */
export function parseSafetensors(bytes: Uint8Array, source = 'safetensors'): Safetensors {
  const { header, data } = split(bytes, source);
  const { __metadata__ = {}, ...entries } = header;
  const metadata = checkMetadata(__metadata__, `${source}: __metadata__`);
  const infos = Object.entries(entries).map(([name, entry]) => {
    const path = `${source}: tensor ${describe(name)}`;
    const { dtype, shape, data_offsets: [begin, end] } = checkTensorInfo(entry, path);
    return { name, path, dtype, shape, begin, end };
  });
  infos.sort((a, b) => a.begin - b.begin || a.end - b.end);

  const tensors = new Map<string, SafetensorsTensor>();
  let position = 0;
  for (const info of infos) {
    checkPlace(info, position, data.length);
    const { name, dtype, shape, begin, end } = info;
    tensors.set(name, { dtype, shape, bytes: data.subarray(begin, end) });
    position = end;
  }
  if (position < data.length) {
    throw new ModelFileError(`${source}: expected ${position} bytes of data, got ${data.length} (trailing bytes)`);
  }
  return { metadata, tensors };
}

/**
 * Writes a file, byte for byte as the reference implementation does: tensors sorted by dtype, then by name, and the
 * header padded with spaces, so that the data begins at a multiple of 8 and every tensor at a multiple of its element.
 *
 * @throws ModelFileError for whatever could not be read back: sizes that disagree, a tensor called `__metadata__`, ...
 */
export function serializeSafetensors({ metadata, tensors }: Safetensors): Uint8Array<ArrayBuffer> {
  const rank = ({ dtype }: SafetensorsTensor) => dtypes.indexOf(dtype);
  const ordered = [...tensors].sort(([a, x], [b, y]) => rank(y) - rank(x) || (a < b ? -1 : 1));
  const members = Object.keys(metadata).length > 0 ? [member('__metadata__', metadata)] : [];
  let dataLength = 0;
  for (const [name, { dtype, shape, bytes }] of ordered) {
    members.push(member(name, { dtype, shape, data_offsets: [dataLength, dataLength + bytes.length] }));
    dataLength += bytes.length;
  }
  const header = new TextEncoder().encode(`{${members.join(',')}}`);
  const headerLength = Math.ceil(header.length / 8) * 8;

  const file = new Uint8Array(8 + headerLength + dataLength);
  new DataView(file.buffer).setBigUint64(0, BigInt(headerLength), true);
  file.set(header, 8);
  file.fill(0x20, 8 + header.length, 8 + headerLength);
  let position = 8 + headerLength;
  for (const [, { bytes }] of ordered) {
    file.set(bytes, position);
    position += bytes.length;
  }
  parseSafetensors(file, 'serializeSafetensors');
  return file;
}

/** An F32 tensor over the memory of `values`; `shape` must have as many elements when it is serialized. */
export function fromFloat32(values: Float32Array, shape: readonly number[]): SafetensorsTensor {
  return { dtype: 'F32', shape, bytes: new Uint8Array(values.buffer, values.byteOffset, values.byteLength) };
}

/**
 * The elements of an F32 tensor: a view of the file where the data is aligned to 4 bytes, else a copy.
 *
 * @param name what the message calls the tensor
 * @throws ModelFileError for any other dtype
 */
export function toFloat32({ dtype, bytes }: SafetensorsTensor, name: string): Float32Array {
  if (dtype !== 'F32') throw new ModelFileError(`tensor ${describe(name)}: expected dtype F32, got ${dtype}`);
  const { buffer, byteOffset } = bytes.byteOffset % 4 === 0 ? bytes : new Uint8Array(bytes);
  return new Float32Array(buffer, byteOffset, bytes.length / 4);
}

// Every length is compared with the bytes at hand before it is used.
function split(bytes: Uint8Array, source: string): { header: Record<string, unknown>; data: Uint8Array } {
  if (bytes.length < 8) {
    throw new ModelFileError(`${source}: expected 8 bytes with the length of the header, got ${bytes.length} bytes`);
  }
  const { buffer, byteOffset, byteLength } = bytes;
  const headerLength = Number(new DataView(buffer, byteOffset).getBigUint64(0, true));
  if (headerLength > maxHeaderLength) {
    const expected = `a header of at most ${maxHeaderLength} bytes`;
    throw new ModelFileError(`${source}: expected ${expected}, got ${headerLength} bytes (not a safetensors file?)`);
  }
  if (headerLength > byteLength - 8) {
    const expected = `a header of ${headerLength} bytes`;
    throw new ModelFileError(`${source}: expected ${expected}, got ${byteLength - 8} bytes (file truncated?)`);
  }
  const text = decode(new Uint8Array(buffer, byteOffset + 8, headerLength), source);
  if (text[0] !== '{') {
    throw new ModelFileError(`${source}: expected a header that begins with {, got ${describe(text)}`);
  }
  return {
    header: parseJson(text, `${source}: header`) as Record<string, unknown>,
    data: new Uint8Array(buffer, byteOffset + 8 + headerLength, byteLength - 8 - headerLength),
  };
}

function decode(bytes: Uint8Array, source: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw new ModelFileError(`${source}: expected a header in UTF-8, got other bytes`, { cause: error });
  }
}

interface TensorInfo {
  readonly path: string;
  readonly dtype: SafetensorsDtype;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

// The data of a tensor begins where that of the one before ended, and is as long as its dtype and shape say.
function checkPlace({ path, dtype, shape, begin, end }: TensorInfo, position: number, dataLength: number): void {
  const offsets = `data_offsets [${begin}, ${end}]`;
  if (end < begin) throw new ModelFileError(`${path}: expected the end after the beginning, got ${offsets}`);
  if (begin !== position) {
    const flaw = begin < position ? 'overlap' : 'hole';
    throw new ModelFileError(`${path}: expected data from byte ${position} on, got ${offsets} (${flaw})`);
  }
  // A product beyond 2^53 is rounded, but never down to the length of a real file, so the comparison stays sound.
  const size = shape.reduce((product, dimension) => product * dimension, dtypeBits[dtype]) / 8;
  if (size !== end - begin) {
    const type = `${dtype} of shape ${describeShape(shape)}`;
    throw new ModelFileError(`${path}: expected ${size} bytes for ${type}, got ${end - begin}, ${offsets}`);
  }
  if (end > dataLength) {
    throw new ModelFileError(`${path}: expected data up to byte ${end}, got ${dataLength} bytes (file truncated?)`);
  }
}

// Written member by member: an object would move names such as "0" to the front and swallow "__proto__".
function member(name: string, value: unknown): string {
  return `${JSON.stringify(name)}:${JSON.stringify(value)}`;
}

function describeShape(shape: readonly number[]): string {
  return shape.length > 8 ? `[${shape.slice(0, 8).join(', ')}, ...]` : `[${shape.join(', ')}]`;
}
