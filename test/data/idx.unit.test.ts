import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { imagesAndLabels, parseIdx } from '../../src/data/idx.ts';
import { DataError } from '../../src/errors.ts';
import { idx, withByte } from './idx-bytes.ts';

const pixels = Array.from({ length: 24 }, (_, pixel) => pixel * 10);
const images = idx([2, 3, 4], pixels);
const labels = idx([2], [7, 3]);

const text = (words: string) => new TextEncoder().encode(words);

async function failure(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(() => expect.fail('expected a rejection'), (reason: unknown) => reason);
  expect(error).toBeInstanceOf(DataError);
  const { message } = error as DataError;
  expect(message).not.toContain('\n');
  return message;
}

describe('parseIdx', () => {
  it('reads dimensions and bytes, gzipped or not', async () => {
    for (const bytes of [images, gzipSync(images)]) {
      const { dims, data } = await parseIdx(bytes);
      expect(dims).toEqual([2, 3, 4]);
      expect([...data]).toEqual(pixels);
    }
  });

  it('reads a view that does not begin where its buffer does', async () => {
    const roomy = new Uint8Array(images.length + 10);
    roomy.set(images, 5);
    expect((await parseIdx(roomy.subarray(5, 5 + images.length))).dims).toEqual([2, 3, 4]);
  });

  it('says how much is missing wherever the bytes are cut, gzipped or not', async () => {
    for (let length = 0; length < images.length; length++) {
      const cut = images.subarray(0, length);
      const expected = length < 16 ? /^cut: truncated IDX header: expected / :
        new RegExp(`^cut: truncated IDX: expected 24 bytes for 2 x 3 x 4, got ${length - 16}$`);
      expect(await failure(parseIdx(cut, 'cut'))).toMatch(expected);
      expect(await failure(parseIdx(gzipSync(cut), 'cut'))).toMatch(expected);
    }
    const packed = gzipSync(images);
    for (let length = 2; length < packed.length; length++) {
      expect(await failure(parseIdx(packed.subarray(0, length), 'cut'))).toMatch(/^cut: expected a whole gzip stream/);
    }
  });

  it('refuses trailing bytes', async () => {
    const long = Uint8Array.of(...images, 1, 2);
    const message = 'long: trailing bytes after the IDX data: expected 24 bytes for 2 x 3 x 4, got 26';
    expect(await failure(parseIdx(long, 'long'))).toBe(message);
    expect(await failure(parseIdx(gzipSync(long), 'long'))).toMatch(/^long: trailing bytes .* got at least 26$/);
    expect(await failure(parseIdx(Uint8Array.of(...gzipSync(images), 1, 2), 'long'))).toMatch(/gzip stream/);
  });

  it('notices damage inside a gzip stream', async () => {
    const packed = gzipSync(images);
    packed[packed.length - 6]! ^= 1; // in the checksum
    expect(await failure(parseIdx(packed, 'damaged'))).toMatch(/^damaged: expected a whole gzip stream, got a damaged/);
  });

  it('says what foreign data looks like', async () => {
    const foreign: readonly [Uint8Array, string][] = [
      [Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10), 'a PNG image'],
      [Uint8Array.of(0xff, 0xd8, 0xff, 0xe0), 'a JPEG image'],
      [Uint8Array.of(0x50, 0x4b, 3, 4), 'a zip archive'],
      [gzipSync(gzipSync(images)), 'a gzip file'],
      [text('version https://git-lfs.github.com/spec/v1'), 'a Git LFS pointer, not the file itself'],
      [text('<!DOCTYPE html><html>'), 'an HTML page'],
      [text('label,pixel0,pixel1\n7,0,0\n'), 'text'],
      [Uint8Array.of(3, 8, 0, 0, 2, 0, 0, 0), 'IDX data with its bytes in the wrong order'],
      [Uint8Array.of(1, 2, 3, 4), 'unknown data'],
    ];
    for (const [bytes, kind] of foreign) {
      expect(await failure(parseIdx(bytes, 'file'))).toMatch(new RegExp(`^file: not IDX: .* looks like ${kind}$`));
    }
    expect(await failure(parseIdx(new Uint8Array(0), 'file'))).toMatch(/got an empty file$/);
  });

  it('names an element type or a rank that it does not take', async () => {
    expect(await failure(parseIdx(withByte(images, 2, 0x0d)))).toMatch(/expected .* type 0x08 .*got 0x0d \(float32\)/);
    expect(await failure(parseIdx(withByte(images, 2, 0x42)))).toMatch(/got 0x42 \(no known type\)/);
    for (const rank of [0, 9, 255]) {
      const message = await failure(parseIdx(withByte(images, 3, rank)));
      expect(message).toMatch(`expected IDX data of 1 to 8 dimensions, got ${rank}`);
    }
  });

  it('allocates nothing for dimensions that the bytes do not bear out', async () => {
    const absurd = idx([2 ** 32 - 1, 2 ** 32 - 1, 2 ** 32 - 1], [1, 2, 3]);
    expect(await failure(parseIdx(absurd))).toMatch(/truncated IDX: expected \S+ bytes for 4294967295 x .*, got 3$/);
    expect(await failure(parseIdx(gzipSync(absurd)))).toMatch(/expected at most 1073741824 bytes in gzip/);
  });

  it('stops unpacking a gzip bomb at what its header declares', async () => {
    const bomb = gzipSync(Buffer.concat([idx([2], [7, 3]), Buffer.alloc(200_000_000)]), { level: 1 });
    const before = process.memoryUsage().arrayBuffers;
    const message = await failure(parseIdx(bomb, 'bomb'));
    const [, unpacked] = /^bomb: trailing bytes .* got at least (\d+)$/.exec(message) ?? [];
    expect(Number(unpacked)).toBeLessThan(1_000_000);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(20_000_000);
  });

  it('throws nothing but DataError, whatever the bytes', async () => {
    const header = fc.uint8Array({ maxLength: 40 }).map((tail) => Uint8Array.of(0, 0, 8, 2, ...tail));
    const flipped = fc.record({ at: fc.nat(images.length - 1), byte: fc.nat(255) })
      .map(({ at, byte }) => withByte(images, at, byte));
    const plain = fc.oneof(fc.uint8Array({ maxLength: 80 }), header, flipped);
    const packed = plain.map((bytes) => new Uint8Array(gzipSync(bytes)));
    const broken = fc.tuple(packed, fc.nat(), fc.nat(255))
      .map(([bytes, at, byte]) => withByte(bytes, at % bytes.length, byte));
    await fc.assert(fc.asyncProperty(fc.oneof(plain, packed, broken), async (bytes) => {
      const outcome = await parseIdx(bytes).catch((error: unknown) => error);
      if (outcome instanceof Error) return outcome instanceof DataError;
      const { dims, data } = outcome as Awaited<ReturnType<typeof parseIdx>>;
      return data.length === dims.reduce((product, dim) => product * dim, 1);
    }), { seed: 2, numRuns: 1000 });
  });
});

describe('imagesAndLabels', () => {
  it('joins them into a data set of one channel', async () => {
    const dataset = await imagesAndLabels(images, gzipSync(labels), { name: 'tiny' });
    expect(dataset).toMatchObject({ name: 'tiny', shape: [1, 3, 4] });
    expect([...dataset.labels]).toEqual([7, 3]);
    expect([...dataset.images]).toEqual(pixels);
    expect(dataset.classNames).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
  });

  it('names classes beyond nine where a label says so, and refuses a label without a class', async () => {
    expect((await imagesAndLabels(images, idx([2], [12, 3]))).classNames).toHaveLength(13);
    expect(await failure(imagesAndLabels(images, labels, { classNames: ['a', 'b', 'c', 'd'] })))
      .toBe('images: expected labels below 4, the number of classes, got 7 at item 0');
  });

  it('refuses counts that disagree, swapped files, and no images', async () => {
    expect(await failure(imagesAndLabels(images, idx([3], [1, 2, 3]))))
      .toBe('labels: expected 2 labels, one for each image of images, got 3');
    expect(await failure(imagesAndLabels(labels, images))).toMatch(/^images: expected 3 dimensions .* swapped\?$/);
    expect(await failure(imagesAndLabels(images, images))).toMatch(/^labels: expected 1 dimension \[count\]/);
    expect(await failure(imagesAndLabels(idx([0, 3, 4], []), idx([0], [])))).toMatch(/expected at least one image/);
    expect(await failure(imagesAndLabels(idx([2, 0, 4], []), labels))).toMatch(/expected at least one image/);
  });
});
