import { DataError } from '../errors.ts';
import { CIFAR_SIZE, joinRecords, parseRecords, type Records } from './cifar.ts';
import { split, type DatasetParts } from './dataset.ts';
import { openFolder, readOneOf, usualValidation, type Folder } from './folder-node.ts';

const TRAINING_FILES = [1, 2, 3, 4, 5].map((batch) => `data_batch_${batch}.bin`);
const CLASS_NAMES = 'batches.meta.txt';

/** How to read a folder of records. */
export interface RecordFolderOptions {
  /** Left out: the lines of `batches.meta.txt` where it is there, else the numbers 0 to 9. */
  readonly classNames?: readonly string[];
  /** How many of the last training items are kept for validation. Left out: as `readImageFolder` says. */
  readonly validation?: number;
}

/**
 * Reads CIFAR-10 as its archive `cifar-10-binary.tar.gz` is unpacked: `data_batch_1.bin` to `data_batch_5.bin` and
 * `test_batch.bin`, each also with a final `.gz`, and the names of the classes in `batches.meta.txt`.
 *
 * @throws DataError for a folder or file that is missing, unreadable or malformed, naming it
 */
export async function readCifarFolder(path: string, options: RecordFolderOptions = {}): Promise<DatasetParts> {
  const folder = await openFolder(path, 'a folder of CIFAR-10');
  const read = (file: string) => readRecords(folder, [file], CIFAR_SIZE);
  const train: Records[] = [];
  for (const file of TRAINING_FILES) train.push(await read(file));
  return inParts(folder, train, await read('test_batch.bin'), options);
}

/**
 * Reads records as `parseCifar` does from `train.bin` and `test.bin`, or from `train-SIZE.bin` and `test-SIZE.bin`,
 * each also with a final `.gz`.
 *
 * @param options.size side of the images. Left out: 32 where files are named so, else the smallest that are; where no
 *   name has a size, the length of the files says it
 * @throws DataError for a folder or file that is missing, unreadable or malformed, naming it
 */
export async function readRecordFolder(
  path: string,
  options: RecordFolderOptions & { readonly size?: number | undefined } = {},
): Promise<DatasetParts> {
  const folder = await openFolder(path, 'a folder of records');
  const size = options.size ?? sizeByName(folder);
  const names = (part: string) => [...(size === undefined ? [] : [`${part}-${size}.bin`]), `${part}.bin`];
  const train = await readRecords(folder, names('train'), size);
  const test = await readRecords(folder, names('test'), train.size);
  return inParts(folder, [train], test, options);
}

function sizeByName({ files }: Folder): number | undefined {
  const sizes = files.flatMap((file) => /^train-(\d+)\.bin(?:\.gz)?$/.exec(file)?.slice(1).map(Number) ?? []);
  if (sizes.length === 0) return undefined;
  return sizes.includes(CIFAR_SIZE) ? CIFAR_SIZE : Math.min(...sizes);
}

async function readRecords(folder: Folder, names: readonly string[], size: number | undefined): Promise<Records> {
  const { path, bytes } = await readOneOf(folder, names);
  return parseRecords(bytes, path, size);
}

async function inParts(
  folder: Folder,
  trainFiles: readonly Records[],
  testFile: Records,
  options: RecordFolderOptions,
): Promise<DatasetParts> {
  const classNames = options.classNames ?? (await readClassNames(folder));
  const whole = joinRecords(trainFiles, { name: `${folder.name}/train`, classNames });
  const test = joinRecords([testFile], { name: `${folder.name}/test`, classNames });
  return { ...split(whole, { validation: options.validation ?? usualValidation(whole.labels.length) }), test };
}

/** One name a line; the file of CIFAR-10 ends in an empty one. */
async function readClassNames(folder: Folder): Promise<readonly string[] | undefined> {
  if (!folder.files.includes(CLASS_NAMES)) return undefined;
  const { path, bytes } = await readOneOf(folder, [CLASS_NAMES]);
  const names = new TextDecoder().decode(bytes).split('\n').map((line) => line.trim()).filter(Boolean);
  if (names.length > 0) return names;
  throw new DataError(`${path}: expected the names of the classes, one a line, got none`);
}
