import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { unlabelledImages } from '../../src/data/idx.ts';
import { readUnlabelledImages } from '../../src/data/unlabelled-node.ts';
import { DataError } from '../../src/errors.ts';
import { idx } from './idx-bytes.ts';

const images = idx([3, 1, 2], [1, 2, 3, 4, 5, 6]);

async function failure(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(() => expect.fail('expected a rejection'), (reason: unknown) => reason);
  expect(error).toBeInstanceOf(DataError);
  return (error as DataError).message;
}

describe('unlabelledImages', () => {
  it('are all of one class, unknown', async () => {
    const dataset = await unlabelledImages(gzipSync(images), 'letters');
    expect(dataset).toMatchObject({ name: 'letters', shape: [1, 1, 2], classNames: ['unknown'] });
    expect([...dataset.labels]).toEqual([0, 0, 0]);
    expect([...dataset.images]).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('refuses labels, and no images, however many it is said there are', async () => {
    const labels = idx([3], [1, 2, 3]);
    expect(await failure(unlabelledImages(labels))).toMatch(/^images: expected 3 dimensions .*got 1 \[3\]/);
    expect(await failure(unlabelledImages(idx([2 ** 32 - 1, 0, 4], [])))).toMatch(/expected at least one image/);
  });
});

describe('readUnlabelledImages', () => {
  let folder: string;
  const write = (name: string, bytes: Uint8Array) => writeFile(join(folder, name), bytes);

  beforeEach(async () => {
    folder = join(await mkdtemp(join(tmpdir(), 'exitgpu-unlabelled-')), 'letters');
    await mkdir(folder);
  });

  afterEach(() => rm(join(folder, '..'), { recursive: true }));

  it('reads the one file of images in a folder, beside others', async () => {
    await write('images-idx3-ubyte.gz', gzipSync(images));
    await write('items.tsv.gz', new Uint8Array(3));
    const dataset = await readUnlabelledImages(folder);
    expect(dataset.name).toBe('letters');
    expect(dataset.labels).toHaveLength(3);
  });

  it('reads a file of any name', async () => {
    await write('letters.idx', images);
    const dataset = await readUnlabelledImages(join(folder, 'letters.idx'));
    expect(dataset).toMatchObject({ name: 'letters.idx', shape: [1, 1, 2] });
  });

  it('names what lies there instead', async () => {
    expect(await failure(readUnlabelledImages(join(folder, 'nowhere'))))
      .toBe(`${join(folder, 'nowhere')}: expected an IDX file of images or a folder with one, got nothing there`);
    expect(await failure(readUnlabelledImages(folder)))
      .toBe(`${folder}: expected one file of images, *-idx3-ubyte or *-idx3-ubyte.gz, got an empty folder`);
    await write('notes.txt', Uint8Array.from([...'some notes'], (letter) => letter.charCodeAt(0)));
    expect(await failure(readUnlabelledImages(folder))).toMatch(/got notes\.txt$/);
    expect(await failure(readUnlabelledImages(join(folder, 'notes.txt')))).toMatch(/notes\.txt: not IDX: .* text$/);
    await write('train-images-idx3-ubyte', images);
    await write('t10k-images.idx3-ubyte', images);
    expect(await failure(readUnlabelledImages(folder)))
      .toMatch(/expected one file of images, .* got t10k-images\.idx3-ubyte, train-images-idx3-ubyte$/);
  });
});
