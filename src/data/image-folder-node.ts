import { DataError } from '../errors.ts';
import { readCifarFolder, readRecordFolder } from './cifar-node.ts';
import type { DatasetParts } from './dataset.ts';
import { openFolder, summarise } from './folder-node.ts';
import { readIdxFolder } from './idx-node.ts';

export interface ImageFolderOptions {
  /** Left out: what the folder says of them, else the numbers. */
  readonly classNames?: readonly string[];
  /**
   * How many of the last training items are kept for validation. Left out: a sixth, but at most 5,000, and at least 250
   * where there are 1,000 or more.
   */
  readonly validation?: number;
  /** Side of the images. Left out: what is there; of records in several sizes those of 32, or else the smallest. */
  readonly size?: number | undefined;
}

/** The first whose files are there is read: a folder with a part of them gets the error that says what is missing. */
const KINDS: readonly {
  readonly files: string;
  readonly sign: RegExp;
  readonly read: (path: string, options: ImageFolderOptions) => Promise<DatasetParts>;
}[] = [
  {
    files: 'IDX (train-images-idx3-ubyte ..)',
    sign: /^(train|t10k|test)-(images|labels)[-.]idx[13]-ubyte(\.gz)?$/,
    read: readIdxFolder,
  },
  {
    files: 'CIFAR-10 (data_batch_1.bin ..)',
    sign: /^(data_batch_\d|test_batch)\.bin(\.gz)?$/,
    read: readCifarFolder,
  },
  {
    files: 'records as in CIFAR-10 (train.bin or train-32.bin ..)',
    sign: /^(train|test)(-\d+)?\.bin(\.gz)?$/,
    read: readRecordFolder,
  },
];

/**
 * Reads a folder of labelled images in any format that is known here, told by the names in it: the IDX files of MNIST
 * and its kin (see `readIdxFolder`); CIFAR-10's binary version as unpacked, `data_batch_1.bin` to `data_batch_5.bin`,
 * `test_batch.bin` and `batches.meta.txt` with the names of the classes; or such records in `train.bin` and `test.bin`,
 * or in `train-SIZE.bin` and `test-SIZE.bin`, with or without `batches.meta.txt`. All but the names of classes may have
 * a final `.gz`.
 *
 * @throws DataError for a folder that is missing or has files of none of these, for a file that is missing, unreadable
 *   or malformed, naming it, and for images of another size than asked for
 * @throws ArgumentError for a size that is no integer >= 1, or where validation leaves nothing to train on
 */
export async function readImageFolder(path: string, options: ImageFolderOptions = {}): Promise<DatasetParts> {
  const { files } = await openFolder(path, 'a folder of labelled images');
  const kind = KINDS.find(({ sign }) => files.some((file) => sign.test(file)));
  if (kind === undefined) {
    const known = KINDS.map((each) => each.files).join(' or ');
    throw new DataError(`${path}: expected files of ${known}, with or without .gz, got ${summarise(files)}`);
  }
  const parts = await kind.read(path, options);
  const { size } = options;
  const { shape: [, height, width] } = parts.train;
  if (size === undefined || (size === height && size === width)) return parts;
  throw new DataError(`${path}: expected images of ${size} x ${size}, got ${height} x ${width}`);
}
