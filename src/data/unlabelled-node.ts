import { stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { DataError } from '../errors.ts';
import type { Dataset } from './dataset.ts';
import { openFolder, readOneOf, summarise } from './folder-node.ts';
import { unlabelledImages } from './idx.ts';

const IMAGES = /[-.]idx3-ubyte(\.gz)?$/;

/**
 * Reads images without labels from an IDX file, gzipped or not, or from a folder in which one file's name ends in
 * `-idx3-ubyte` or `.idx3-ubyte`, with or without `.gz`. Every label is 0, of the one class `unknown`. Named after the
 * folder, or after the file where that was asked for.
 *
 * @throws DataError for what is missing, unreadable, malformed or labelled, and for a folder with several such files
 */
export async function readUnlabelledImages(path: string): Promise<Dataset> {
  const isFile = await stat(path).then((stats) => stats.isFile(), () => false);
  const folder = await openFolder(isFile ? dirname(path) : path, 'an IDX file of images or a folder with one');
  const candidates = isFile ? [basename(path)] : folder.files.filter((file) => IMAGES.test(file));
  if (candidates.length !== 1) {
    const got = summarise(candidates.length > 1 ? candidates : folder.files);
    throw new DataError(`${path}: expected one file of images, *-idx3-ubyte or *-idx3-ubyte.gz, got ${got}`);
  }
  const { path: file, bytes } = await readOneOf(folder, candidates);
  return { ...(await unlabelledImages(bytes, file)), name: isFile ? basename(path) : folder.name };
}
