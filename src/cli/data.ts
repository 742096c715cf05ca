import { basename, resolve } from 'node:path';
import { proceduralSplit, readImageFolder } from '../node.ts';
import type { DatasetParts } from '../node.ts';
import { flag, integer, optionalFlag, text } from './flags.ts';
import type { Values } from './flags.ts';
import { UsageError } from './usage-error.ts';

/** Names the digits drawn here. */
export const PROCEDURAL = 'procedural';

export const dataFlags = {
  data: flag(text, {
    placeholder: 'folder|procedural',
    help:
      'A folder of IDX files (as MNIST has), of CIFAR-10 in its binary version, or of such records (train.bin, ' +
      'test.bin), each also gzipped; or digits drawn by exitgpu itself',
    fallback: PROCEDURAL,
  }),
  imageSize: optionalFlag(integer(1), {
    placeholder: 'px',
    help: 'Side of the images, for a folder of records in several sizes: train-32.bin, train-64.bin (default 32)',
  }),
};

/** The data that `--data` names. The procedural digits are always the same. @throws UsageError, DataError */
export async function readData({ data, imageSize }: Values<typeof dataFlags>): Promise<DatasetParts> {
  if (data !== PROCEDURAL) return readImageFolder(data, { size: imageSize });
  if (imageSize === undefined) return proceduralSplit({ seed: 1 });
  throw new UsageError(`--image-size: expected it with --data <folder> only, got ${imageSize} for procedural digits`);
}

/** For the name of a file about it. */
export const shortName = (source: string): string => basename(resolve(source));
