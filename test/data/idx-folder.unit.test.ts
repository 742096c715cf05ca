import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readIdxFolder } from '../../src/data/idx-node.ts';
import { DataError } from '../../src/errors.ts';
import { idx } from './idx-bytes.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'exitgpu-idx-'));
});

afterEach(() => rm(folder, { recursive: true }));

/** Images of 2 x 2, each filled with its own number; its label is that number modulo 10. */
const images = (count: number, size = 2) =>
  idx([count, size, size], Array.from({ length: count * size * size }, (_, pixel) => Math.floor(pixel / size / size)));
const labels = (count: number) => idx([count], Array.from({ length: count }, (_, item) => item % 10));

async function write(files: Readonly<Record<string, Uint8Array>>, into = folder): Promise<void> {
  await mkdir(into, { recursive: true });
  for (const [name, bytes] of Object.entries(files)) await writeFile(join(into, name), bytes);
}

const complete = {
  'train-images-idx3-ubyte': images(60),
  'train-labels-idx1-ubyte': labels(60),
  't10k-images-idx3-ubyte': images(12),
  't10k-labels-idx1-ubyte': labels(12),
};

async function failure(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(() => expect.fail('expected a rejection'), (reason: unknown) => reason);
  expect(error).toBeInstanceOf(DataError);
  return (error as DataError).message;
}

describe('readIdxFolder', () => {
  it('keeps the last sixth of a small training file for validation', async () => {
    await write(complete);
    const { train, validation, test } = await readIdxFolder(folder);
    expect([train, validation, test].map((part) => part.labels.length)).toEqual([50, 10, 12]);
    expect([...validation.images.subarray(0, 4)]).toEqual([50, 50, 50, 50]);
    expect(train.shape).toEqual([1, 2, 2]);
    expect(test.classNames).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
    expect((await readIdxFolder(folder, { validation: 7 })).validation.labels).toHaveLength(7);
  });

  it('keeps the last 5,000 of a large one', async () => {
    await write({
      ...complete,
      'train-images-idx3-ubyte': images(30_000),
      'train-labels-idx1-ubyte': labels(30_000),
    });
    const { train, validation } = await readIdxFolder(folder);
    expect([train.labels.length, validation.labels.length]).toEqual([25_000, 5_000]);
  });

  it('knows the other names, and gzip', async () => {
    await write({
      'train-images.idx3-ubyte': images(60),
      'train-labels.idx1-ubyte.gz': gzipSync(labels(60)),
      'test-images-idx3-ubyte.gz': gzipSync(images(12)),
      'test-labels-idx1-ubyte': labels(12),
      'LICENSE': new Uint8Array(1),
    });
    expect((await readIdxFolder(folder)).test.labels).toHaveLength(12);
  });

  it('knows the classes of Fashion-MNIST by the name of the folder', async () => {
    const fashion = join(folder, 'Fashion-MNIST');
    await write(complete, fashion);
    const { train } = await readIdxFolder(`${fashion}/`);
    expect(train.classNames).toHaveLength(10);
    expect(train.classNames[9]).toBe('Ankle boot');
    expect(train.name).toBe('Fashion-MNIST/train[0..50)');
    expect((await readIdxFolder(fashion, { classNames: [...'abcdefghij'] })).test.classNames[9]).toBe('j');
  });

  it('names a missing folder or file, and what lies there instead', async () => {
    const nowhere = join(folder, 'nowhere');
    expect(await failure(readIdxFolder(nowhere))).toBe(`${nowhere}: expected a folder of IDX files, got nothing there`);
    expect(await failure(readIdxFolder(folder))).toMatch(
      /expected one of train-images-idx3-ubyte, train-images\.idx3-ubyte, with or without \.gz, got an empty folder$/,
    );
    const { 't10k-labels-idx1-ubyte': _left, ...rest } = complete;
    await write(rest);
    expect(await failure(readIdxFolder(folder))).toMatch(/expected one of t10k-labels-idx1-ubyte, .*got t10k-images/);
    expect(await failure(readIdxFolder(join(folder, 'train-images-idx3-ubyte')))).toMatch(/got a file$/);
  });

  it('names the file that is empty, a folder, or of other images', async () => {
    await write({ ...complete, 'train-labels-idx1-ubyte': new Uint8Array(0) });
    expect(await failure(readIdxFolder(folder))).toMatch(/train-labels-idx1-ubyte: .* got an empty file$/);
    await write({ ...complete, 't10k-images-idx3-ubyte': images(12, 3) });
    expect(await failure(readIdxFolder(folder))).toMatch(/t10k-images-idx3-ubyte: expected .* \[1, 2, 2\] as in /);
    await write({ ...complete, 't10k-labels-idx1-ubyte': labels(11) });
    expect(await failure(readIdxFolder(folder))).toMatch(/t10k-labels-idx1-ubyte: expected 12 labels, .* got 11$/);
    await rm(join(folder, 't10k-labels-idx1-ubyte'));
    await mkdir(join(folder, 't10k-labels-idx1-ubyte'));
    expect(await failure(readIdxFolder(folder))).toMatch(/t10k-labels-idx1-ubyte: .*, got a folder$/);
  });
});
