import { readdir, readFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { DataError } from '../errors.ts';
import { split, type DatasetParts } from './dataset.ts';
import { joinIdx, numberNames, parseIdx, type Idx } from './idx.ts';

const FASHION_MNIST_CLASSES: readonly string[] = [
  'T-shirt/top', 'Trouser', 'Pullover', 'Dress', 'Coat', 'Sandal', 'Shirt', 'Sneaker', 'Bag', 'Ankle boot',
];

/** Validation is the last 5,000 training items, or the last sixth of a training file smaller than this. */
const LARGE_TRAINING_FILE = 30_000;

/**
 * Reads a folder with the four files of MNIST and its kin: `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, and
 * the same with `t10k-` or `test-`; `.idx3-ubyte` for `-idx3-ubyte` and a final `.gz` are known too.
 *
 * @param options.classNames left out: Fashion-MNIST's where the folder's name contains "fashion", else the numbers
 * @param options.validation how many of the last training items are kept for validation. Left out: 5,000, or a sixth
 *   where there are fewer than 30,000
 * @throws DataError for a folder or file that is missing, unreadable or malformed, naming it
 */
export async function readIdxFolder(
  folder: string,
  options: { classNames?: readonly string[]; validation?: number } = {},
): Promise<DatasetParts> {
  const present = await listFolder(folder);
  const read = (prefixes: readonly string[], what: 'images' | 'labels') => readOne(folder, present, prefixes, what);
  // One after the other: the unpacked files are large, and unpacking keeps a core busy by itself.
  const trainImages = await read(['train'], 'images');
  const trainLabels = await read(['train'], 'labels');
  const testImages = await read(['t10k', 'test'], 'images');
  const testLabels = await read(['t10k', 'test'], 'labels');
  const name = basename(resolve(folder));
  const isFashion = name.toLowerCase().includes('fashion');
  const classNames = options.classNames ??
    (isFashion ? FASHION_MNIST_CLASSES : numberNames(trainLabels.data, testLabels.data));
  const whole = joinIdx(trainImages, trainLabels, { name: `${name}/train`, classNames });
  const test = joinIdx(testImages, testLabels, { name: `${name}/test`, classNames });
  if (test.shape.join() !== whole.shape.join()) {
    throw new DataError(
      `${testImages.source}: expected images of [${whole.shape.join(', ')}] as in ${trainImages.source}, ` +
        `got [${test.shape.join(', ')}]`,
    );
  }
  const count = whole.labels.length;
  const validation = options.validation ?? (count < LARGE_TRAINING_FILE ? Math.floor(count / 6) : 5000);
  return { ...split(whole, { validation }), test };
}

async function listFolder(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const got = code === 'ENOENT' ? 'nothing there' : code === 'ENOTDIR' ? 'a file' : message;
    throw new DataError(`${folder}: expected a folder of IDX files, got ${got}`, { cause });
  }
}

async function readOne(
  folder: string,
  present: readonly string[],
  prefixes: readonly string[],
  what: 'images' | 'labels',
): Promise<Idx> {
  const rank = what === 'images' ? 3 : 1;
  const stems = prefixes.flatMap((prefix) => ['-', '.'].map((mark) => `${prefix}-${what}${mark}idx${rank}-ubyte`));
  const file = stems.flatMap((stem) => [stem, `${stem}.gz`]).find((candidate) => present.includes(candidate));
  if (file === undefined) {
    const wanted = `${stems.join(', ')}, with or without .gz`;
    throw new DataError(`${folder}: expected one of ${wanted}, got ${summarise(present)}`);
  }
  const path = join(folder, file);
  const bytes = await readFile(path).catch((cause: NodeJS.ErrnoException) => {
    const got = cause.code === 'EISDIR' ? 'a folder' : cause.message;
    throw new DataError(`${path}: expected a readable IDX file, got ${got}`, { cause });
  });
  return parseIdx(bytes, path);
}

function summarise(names: readonly string[]): string {
  if (names.length === 0) return 'an empty folder';
  const shown = names.slice(0, 6).join(', ');
  return names.length > 6 ? `${shown} and ${names.length - 6} more` : shown;
}
