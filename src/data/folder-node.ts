import { readdir, readFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { DataError } from '../errors.ts';

/** What the readers of folders know about where they read. */
export interface Folder {
  readonly path: string;
  /** The last part of the path: what data sets are named after. */
  readonly name: string;
  /** The names in it. */
  readonly files: readonly string[];
}

/** @throws DataError, saying that `what` was expected, for anything but a folder that can be read */
export async function openFolder(path: string, what: string): Promise<Folder> {
  try {
    return { path, name: basename(resolve(path)), files: await readdir(path) };
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const got = code === 'ENOENT' ? 'nothing there' : code === 'ENOTDIR' ? 'a file' : message;
    throw new DataError(`${path}: expected ${what}, got ${got}`, { cause });
  }
}

/**
 * Reads the first of `names`, each with or without a final `.gz`, that is there; gzip is not unpacked.
 *
 * @throws DataError where none is there, or it cannot be read
 */
export async function readOneOf(
  folder: Folder,
  names: readonly string[],
): Promise<{ path: string; bytes: Uint8Array }> {
  const file = names.flatMap((name) => [name, `${name}.gz`]).find((candidate) => folder.files.includes(candidate));
  if (file === undefined) {
    const wanted = `${names.length > 1 ? 'one of ' : ''}${names.join(', ')}, with or without .gz`;
    throw new DataError(`${folder.path}: expected ${wanted}, got ${summarise(folder.files)}`);
  }
  const path = join(folder.path, file);
  const bytes = await readFile(path).catch((cause: NodeJS.ErrnoException) => {
    const got = cause.code === 'EISDIR' ? 'a folder' : cause.message;
    throw new DataError(`${path}: expected a file that can be read, got ${got}`, { cause });
  });
  // Not the Buffer: its slice() shares memory, where that of a Uint8Array copies.
  return { path, bytes: new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength) };
}

/** The names in a folder as an error message tells them. */
export function summarise(names: readonly string[]): string {
  if (names.length === 0) return 'an empty folder';
  const shown = names.slice(0, 6).join(', ');
  return names.length > 6 ? `${shown} and ${names.length - 6} more` : shown;
}

/**
 * How many of the last training items are for validation where nobody says: a sixth, but at most 5,000 (as is usual for
 * MNIST and CIFAR-10), and at least 250 of 1,000 or more, since fewer say little about thresholds.
 */
export function usualValidation(count: number): number {
  return Math.min(5000, Math.max(Math.floor(count / 6), count < 1000 ? 0 : 250));
}
