import { access, constants, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { DataError } from '../errors.ts';

/** @throws DataError for a file that is missing, a folder, or not to be read */
export async function readBytes(path: string, what: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new DataError(`${path}: expected ${what}, got ${reason(cause)}`, { cause });
  }
}

/** Sees to it that a file can be written later, before anything long begins. @throws DataError */
export async function checkWritable(path: string): Promise<void> {
  const folder = dirname(path);
  try {
    if (!(await stat(folder)).isDirectory()) throw Object.assign(new Error(), { code: 'ENOTDIR' });
    await access(folder, constants.W_OK);
  } catch (cause) {
    throw new DataError(`${path}: expected a folder ${folder} to write it to, got ${reason(cause)}`, { cause });
  }
  if ((await stat(path).catch(() => undefined))?.isDirectory()) {
    throw new DataError(`${path}: expected a name for a file, got a folder`);
  }
}

/** Makes a folder, and what leads to it, unless it is there. @throws DataError */
export async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (cause) {
    throw new DataError(`${folder}: expected to make this folder, got ${reason(cause)}`, { cause });
  }
}

/** Writes a file whole or not at all: what was there before stays until the new one is complete. @throws DataError */
export async function writeWhole(path: string, data: Uint8Array | string): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}.tmp`);
  try {
    const file = await open(temporary, 'wx');
    try {
      await file.writeFile(data);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (cause) {
    await rm(temporary, { force: true });
    throw new DataError(`${path}: expected to write it, got ${reason(cause)}`, { cause });
  }
}

function reason(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  const known: Readonly<Record<string, string>> = {
    ENOENT: 'nothing there',
    EISDIR: 'a folder',
    ENOTDIR: 'a file where a folder should be',
    EACCES: 'no permission',
    EPERM: 'no permission',
    ENOSPC: 'a full disk',
    EROFS: 'a disk that cannot be written to',
  };
  return known[code ?? ''] ?? message;
}
