const SIGNATURES: readonly (readonly [kind: string, signature: string])[] = [
  ['a PNG image', '\x89PNG'],
  ['a JPEG image', '\xff\xd8\xff'],
  ['a GIF image', 'GIF8'],
  ['a WebP or WAV file', 'RIFF'],
  ['a BMP image', 'BM'],
  ['a gzip file', '\x1f\x8b'],
  ['a zip archive', 'PK\x03\x04'],
  ['a zstd file', '\x28\xb5\x2f\xfd'],
  ['an xz file', '\xfd7zXZ'],
  ['a bzip2 file', 'BZh'],
  ['a 7z archive', '7z\xbc\xaf'],
  ['a NumPy array', '\x93NUMPY'],
  ['an HDF5 file', '\x89HDF'],
  ['a PDF document', '%PDF'],
  ['a Git LFS pointer, not the file itself', 'version https://git-lfs'],
  ['an HTML page', '<!'],
  ['an HTML page', '<html'],
  ['a Parquet file', 'PAR1'],
  ['a Python pickle', '\x80\x02'],
  ['a Python pickle', '\x80\x03'],
  ['a Python pickle', '\x80\x04'],
  ['IDX data with its bytes in the wrong order', '\x03\x08\x00\x00'],
  ['IDX data with its bytes in the wrong order', '\x01\x08\x00\x00'],
];

const BYTES_JUDGED = 64;

/** What bytes look like from their beginning, in words for an error message: `a PNG image`, `text`, `unknown data`. */
export function describeBytes(bytes: Uint8Array): string {
  if (bytes.length === 0) return 'an empty file';
  const head = bytes.subarray(0, BYTES_JUDGED);
  const beginning = String.fromCharCode(...head);
  const known = SIGNATURES.find(([, signature]) => beginning.startsWith(signature));
  if (known) return known[0];
  const isText = head.every((byte) => byte === 9 || byte === 10 || byte === 13 || byte >= 32 && byte !== 127);
  return isText ? 'text' : 'unknown data';
}

/** The first four bytes as hexadecimal, for an error message. */
export function describeMagic(bytes: Uint8Array): string {
  return Array.from(bytes.subarray(0, 4), (byte) => byte.toString(16).padStart(2, '0')).join(' ');
}
