import { DataError } from '../errors.ts';
import { split, type DatasetParts } from './dataset.ts';
import { openFolder, readOneOf, usualValidation, type Folder } from './folder-node.ts';
import { joinIdx, numberNames, parseIdx, type Idx } from './idx.ts';

const FASHION_MNIST_CLASSES: readonly string[] = [
  'T-shirt/top', 'Trouser', 'Pullover', 'Dress', 'Coat', 'Sandal', 'Shirt', 'Sneaker', 'Bag', 'Ankle boot',
];

/**
 * Reads a folder with the four files of MNIST and its kin: `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, and
 * the same with `t10k-` or `test-`; `.idx3-ubyte` for `-idx3-ubyte` and a final `.gz` are known too.
 *
 * @param options.classNames left out: Fashion-MNIST's where the folder's name contains "fashion", else the numbers
 * @param options.validation how many of the last training items are kept for validation. Left out: as
 *   `readImageFolder` says
 * @throws DataError for a folder or file that is missing, unreadable or malformed, naming it
 */
export async function readIdxFolder(
  path: string,
  options: { classNames?: readonly string[]; validation?: number } = {},
): Promise<DatasetParts> {
  const folder = await openFolder(path, 'a folder of IDX files');
  // One after the other: the unpacked files are large, and unpacking keeps a core busy by itself.
  const trainImages = await readIdx(folder, ['train'], 'images');
  const trainLabels = await readIdx(folder, ['train'], 'labels');
  const testImages = await readIdx(folder, ['t10k', 'test'], 'images');
  const testLabels = await readIdx(folder, ['t10k', 'test'], 'labels');
  const { name } = folder;
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
  return { ...split(whole, { validation: options.validation ?? usualValidation(whole.labels.length) }), test };
}

async function readIdx(folder: Folder, prefixes: readonly string[], what: 'images' | 'labels'): Promise<Idx> {
  const rank = what === 'images' ? 3 : 1;
  const names = prefixes.flatMap((prefix) => ['-', '.'].map((mark) => `${prefix}-${what}${mark}idx${rank}-ubyte`));
  const { path, bytes } = await readOneOf(folder, names);
  return parseIdx(bytes, path);
}
