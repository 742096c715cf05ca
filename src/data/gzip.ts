import { DataError } from '../errors.ts';

/** No gzip stream of data is unpacked beyond this, whatever it declares. */
export const MAX_UNPACKED_BYTES = 2 ** 30;

/** Whether bytes begin like a gzip stream. */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/**
 * Unpacks gzip with what browsers and Node share, and no further than it has to: a small file can hold gigabytes.
 *
 * @param enough how many unpacked bytes are wanted at most, judged from the beginning of them; Infinity while that
 *   beginning is too short to tell. What it throws is passed on.
 * @returns all bytes, or, where there are more than enough, their beginning: longer than `enough`
 * @throws DataError for a damaged or truncated stream
 */
export async function gunzip(
  bytes: Uint8Array,
  source: string,
  enough: (beginning: Uint8Array) => number,
): Promise<Uint8Array> {
  // A Blob refuses views of a SharedArrayBuffer, which nothing here hands in.
  const blob = new Blob([bytes as Uint8Array<ArrayBuffer>]);
  const reader = blob.stream().pipeThrough(new DecompressionStream('gzip')).getReader();
  const chunks: Uint8Array[] = [];
  let length = 0;
  let wanted = Infinity;
  try {
    while (length <= wanted) {
      const { done, value } = await reader.read().catch((cause: Error) => {
        const got = `a damaged or truncated one (${cause.message})`;
        throw new DataError(`${source}: expected a whole gzip stream, got ${got}`, { cause });
      });
      if (done) break;
      chunks.push(value);
      length += value.length;
      if (wanted === Infinity) wanted = enough(concatenate(chunks, length));
    }
  } finally {
    await reader.cancel().catch(() => undefined); // a stream that failed above rejects again, with the same error
  }
  return concatenate(chunks, length);
}

function concatenate(chunks: readonly Uint8Array[], length: number): Uint8Array {
  if (chunks.length === 1) return chunks[0]!;
  const whole = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.length;
  }
  return whole;
}
