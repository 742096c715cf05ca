import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { usualValidation } from '../../src/data/folder-node.ts';
import { readImageFolder } from '../../src/data/image-folder-node.ts';
import { DataError } from '../../src/errors.ts';
import { cifar, labelsUpTo } from './cifar-bytes.ts';
import { idx } from './idx-bytes.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'exitgpu-folder-'));
});

afterEach(() => rm(folder, { recursive: true }));

async function write(files: Readonly<Record<string, Uint8Array | string>>): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [name, bytes] of Object.entries(files)) await writeFile(join(folder, name), bytes);
}

/** Twelve training items, whose labels tell batch and place, and two to test. */
const archive = {
  'data_batch_1.bin': cifar([0, 1, 2]),
  'data_batch_2.bin': cifar([3, 4]),
  'data_batch_3.bin': cifar([5, 6]),
  'data_batch_4.bin': cifar([7, 8]),
  'data_batch_5.bin': cifar([9, 0, 1]),
  'test_batch.bin': cifar([2, 3]),
  'batches.meta.txt': 'airplane\nautomobile\nbird\ncat\ndeer\ndog\nfrog\nhorse\nship\ntruck\n\n',
  'readme.html': '<META HTTP-EQUIV="REFRESH">',
};

async function failure(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(() => expect.fail('expected a rejection'), (reason: unknown) => reason);
  expect(error).toBeInstanceOf(DataError);
  return (error as DataError).message;
}

describe('readImageFolder, of CIFAR-10', () => {
  it('reads the batches in order, the classes, and keeps the last items for validation', async () => {
    await write(archive);
    const { train, validation, test } = await readImageFolder(folder);
    expect([train, validation, test].map(({ labels }) => [...labels])).toEqual([
      [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
      [0, 1],
      [2, 3],
    ]);
    expect(train.shape).toEqual([3, 32, 32]);
    expect(test.classNames).toHaveLength(10);
    expect(test.classNames[9]).toBe('truck');
    // The third of the last batch: its green plane is filled with 2 + 1.
    expect(validation.images[3072 + 1024 + 1]).toBe(3);
    expect(validation.name).toMatch(/^exitgpu-folder-\w+\/train\[10\.\.12\)$/);
  });

  it('reads gzipped batches, does without the names, and takes options', async () => {
    const { 'batches.meta.txt': _names, 'test_batch.bin': test, ...batches } = archive;
    await write({ ...batches, 'test_batch.bin.gz': gzipSync(test) });
    expect((await readImageFolder(folder)).test.classNames).toEqual([...'0123456789']);
    const classNames = [...'abcdefghij'];
    const parts = await readImageFolder(folder, { classNames, validation: 5 });
    expect([...parts.validation.labels]).toEqual([7, 8, 9, 0, 1]);
    expect(parts.train.classNames).toEqual(classNames);
  });

  it('names the batch that is missing, damaged or of other images', async () => {
    const { 'data_batch_3.bin': third, ...rest } = archive;
    await write(rest);
    expect(await failure(readImageFolder(folder))).toMatch(/expected data_batch_3\.bin, with or .*, got batches/);
    await write({ 'data_batch_3.bin': third.subarray(1) });
    expect(await failure(readImageFolder(folder))).toMatch(/data_batch_3\.bin: expected whole .* of 6145 bytes$/);
    await write({ 'data_batch_3.bin': cifar([5, 10]) });
    expect(await failure(readImageFolder(folder))).toMatch(/\/train: expected labels below 10, .* 10 at item 6$/);
    await write({ ...archive, 'batches.meta.txt': '\n' });
    expect(await failure(readImageFolder(folder))).toMatch(/batches\.meta\.txt: expected the names of the classes/);
    await write(archive);
    expect(await failure(readImageFolder(folder, { size: 64 }))).toMatch(/expected images of 64 x 64, got 32 x 32$/);
  });
});

describe('readImageFolder, of records', () => {
  it('takes the size that is named, 32 if nobody asks for another', async () => {
    const [train, test] = [labelsUpTo(12), labelsUpTo(3)];
    await write({
      'train-32.bin.gz': gzipSync(cifar(train)),
      'test-32.bin.gz': gzipSync(cifar(test)),
      'train-64.bin': cifar(train, 64),
      'test-64.bin': cifar(test, 64),
    });
    expect((await readImageFolder(folder)).train.shape).toEqual([3, 32, 32]);
    const large = await readImageFolder(folder, { size: 64 });
    expect(large.train.shape).toEqual([3, 64, 64]);
    expect([large.train, large.validation, large.test].map(({ labels }) => labels.length)).toEqual([10, 2, 3]);
    expect(await failure(readImageFolder(folder, { size: 48 })))
      .toMatch(/expected one of train-48\.bin, train\.bin, with or without \.gz, got test-32\.bin\.gz, /);
    await rm(join(folder, 'train-32.bin.gz'));
    expect((await readImageFolder(folder)).test.shape).toEqual([3, 64, 64]);
  });

  it('takes the size that the length says where no name does', async () => {
    const [train, test] = [cifar(labelsUpTo(12), 48), cifar([1], 48)];
    await write({ 'train.bin': train, 'test.bin': test, 'batches.meta.txt': 'a\r\nb\r\n' });
    expect(await failure(readImageFolder(folder))).toMatch(/expected labels below 2/);
    expect((await readImageFolder(folder, { classNames: [...'abcdefghij'] })).test.shape).toEqual([3, 48, 48]);
    await write({ 'test.bin': cifar([1], 47) });
    expect(await failure(readImageFolder(folder))).toMatch(/test\.bin: expected whole records of 6913 bytes/);
  });
});

describe('readImageFolder, of anything', () => {
  it('reads IDX files too', async () => {
    await write({
      'train-images-idx3-ubyte': idx([12, 2, 2], new Uint8Array(48)),
      'train-labels-idx1-ubyte.gz': gzipSync(idx([12], labelsUpTo(12))),
      't10k-images-idx3-ubyte': idx([2, 2, 2], new Uint8Array(8)),
      't10k-labels-idx1-ubyte': idx([2], [3, 4]),
    });
    const { train, test } = await readImageFolder(folder);
    expect(train).toMatchObject({ shape: [1, 2, 2], labels: Uint8Array.from(labelsUpTo(10)) });
    expect([...test.labels]).toEqual([3, 4]);
  });

  it('says what it looked for and what is there', async () => {
    await write({ 'cat.png': '\x89PNG', 'notes.txt': '' });
    expect(await failure(readImageFolder(folder))).toBe(
      `${folder}: expected files of IDX (train-images-idx3-ubyte ..) or CIFAR-10 (data_batch_1.bin ..) or ` +
        'records as in CIFAR-10 (train.bin or train-32.bin ..), with or without .gz, got cat.png, notes.txt',
    );
    const nowhere = join(folder, 'nowhere');
    expect(await failure(readImageFolder(nowhere)))
      .toBe(`${nowhere}: expected a folder of labelled images, got nothing there`);
    expect(await failure(readImageFolder(join(folder, 'notes.txt')))).toMatch(/got a file$/);
  });
});

it.each([
  [12, 2], [999, 166], [1000, 250], [1349, 250], [1800, 300], [30_000, 5000], [50_000, 5000], [60_000, 5000],
])('of %i training items %i are for validation', (count, expected) => {
  expect(usualValidation(count)).toBe(expected);
});
