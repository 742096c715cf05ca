import { basename, resolve } from 'node:path';
import { DataError, proceduralSplit, readIdxFolder } from '../node.ts';
import type { Dataset, DatasetParts, Network } from '../node.ts';
import { flag, text } from './flags.ts';

const PROCEDURAL = 'procedural';

export const dataFlag = flag(text, {
  placeholder: 'folder|procedural',
  help: 'A folder with the four IDX files of MNIST and its kin, or digits drawn by exitgpu itself',
  fallback: PROCEDURAL,
});

/** The data that `--data` names. The procedural digits are always the same. @throws DataError */
export const readData = async (source: string): Promise<DatasetParts> =>
  source === PROCEDURAL ? proceduralSplit({ seed: 1 }) : readIdxFolder(source);

/** For the name of a file about it. */
export const shortName = (source: string): string => basename(resolve(source));

/** @throws DataError if a network cannot be trained or judged on a data set */
export function checkFits({ name, input, classes }: Network, dataset: Dataset): void {
  const { shape, classNames } = dataset;
  if (shape.join() !== input.join()) {
    const [expected, got] = [input, shape].map((lengths) => `[${lengths.join(', ')}]`);
    throw new DataError(`${dataset.name}: expected images of ${expected} for ${name}, got ${got}`);
  }
  if (classNames.length > classes) {
    throw new DataError(`${dataset.name}: expected at most ${classes} classes for ${name}, got ${classNames.length}`);
  }
}
