import { basename, resolve } from 'node:path';
import { proceduralSplit, readIdxFolder } from '../node.ts';
import type { DatasetParts } from '../node.ts';
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
