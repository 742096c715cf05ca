import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseCifar } from '../../src/data/cifar.ts';
import { imageAt } from '../../src/data/dataset.ts';
import { ArgumentError, DataError } from '../../src/errors.ts';
import { cifar, labelsUpTo } from './cifar-bytes.ts';
import { withByte } from './idx-bytes.ts';

const two = cifar([7, 3]);

async function failure(promise: Promise<unknown>, kind: typeof DataError | typeof ArgumentError = DataError) {
  const error = await promise.then(() => expect.fail('expected a rejection'), (reason: unknown) => reason);
  expect(error).toBeInstanceOf(kind);
  const { message } = error as Error;
  expect(message).not.toContain('\n');
  return message;
}

describe('parseCifar', () => {
  it('reads labels and planes, gzipped or not', async () => {
    for (const bytes of [two, gzipSync(two)]) {
      const dataset = await parseCifar(bytes, { name: 'tiny' });
      expect(dataset).toMatchObject({ name: 'tiny', shape: [3, 32, 32] });
      expect([...dataset.labels]).toEqual([7, 3]);
      expect(dataset.classNames).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
      const [first, second] = [imageAt(dataset, 0), imageAt(dataset, 1)];
      expect([...first.subarray(0, 3), first[1024], first[1025], first[2048], first[3071]])
        .toEqual([200, 0, 0, 210, 1, 220, 2]);
      expect([...second.subarray(0, 2), second[2049]]).toEqual([200, 1, 3]);
    }
  });

  it('keeps the order of the pixels in a plane, row by row', async () => {
    const bytes = withByte(withByte(two, 1 + 5 * 32 + 9, 77), 1 + 1024 + 31, 88);
    const { images } = await parseCifar(bytes);
    expect(images[5 * 32 + 9]).toBe(77);
    expect(images[1024 + 31]).toBe(88);
  });

  it('reads a view that does not begin where its buffer does', async () => {
    const roomy = new Uint8Array(two.length + 10);
    roomy.set(two, 5);
    expect([...(await parseCifar(roomy.subarray(5, 5 + two.length))).labels]).toEqual([7, 3]);
  });

  it('tells the size by the length, and takes 32 where that fits', async () => {
    for (const size of [28, 32, 48, 64, 96]) {
      expect((await parseCifar(cifar([1, 2, 3], size))).shape).toEqual([3, size, size]);
    }
    // 193 records of 32 x 32 are also 3073 of 8 x 8.
    expect((await parseCifar(cifar(labelsUpTo(193)))).shape).toEqual([3, 32, 32]);
    expect((await parseCifar(cifar(labelsUpTo(193)), { size: 32 })).labels).toHaveLength(193);
  });

  it('asks for the size where the length leaves it open', async () => {
    const bytes = cifar(labelsUpTo(193), 9);
    expect(await failure(parseCifar(bytes, { name: 'file' })))
      .toBe(`file: expected a size to be given, since ${193 * 244} bytes can be images of side 8 or 9`);
    expect((await parseCifar(bytes, { size: 9 })).labels).toHaveLength(193);
  });

  it('refuses whatever is no whole number of records, and says what it looks like', async () => {
    const expected = 'file: expected whole records of 3073 bytes, a label and 3 x 32 x 32 pixels';
    for (const length of [1, 3072, 3074, 6145]) {
      const cut = two.subarray(0, length);
      const message = `${expected}, got unknown data of ${length} bytes`;
      expect(await failure(parseCifar(cut, { name: 'file', size: 32 }))).toBe(message);
      expect(await failure(parseCifar(gzipSync(cut), { name: 'file', size: 32 }))).toBe(message);
    }
    const page = new TextEncoder().encode('<!DOCTYPE html>');
    expect(await failure(parseCifar(page, { name: 'file' })))
      .toBe(`${expected}, or those of another size, got an HTML page of 15 bytes`);
    expect(await failure(parseCifar(new Uint8Array(0)))).toMatch(/got an empty file of 0 bytes$/);
    expect(await failure(parseCifar(gzipSync(two).subarray(0, 30)))).toMatch(/expected a whole gzip stream/);
  });

  it('refuses a label without a class', async () => {
    expect(await failure(parseCifar(cifar([9, 10]), { name: 'file' })))
      .toBe('file: expected labels below 10, the number of classes, got 10 at item 1');
    const classNames = ['cat', 'dog'];
    expect(await failure(parseCifar(cifar([0, 2]), { classNames }))).toMatch(/labels below 2/);
    expect((await parseCifar(cifar([0, 1]), { classNames })).classNames).toEqual(classNames);
  });

  it('refuses a size that is none', async () => {
    for (const size of [0, -1, 1.5, NaN, Infinity]) {
      const message = `expected size to be an integer >= 1, got ${size}`;
      expect(await failure(parseCifar(two, { size }), ArgumentError)).toMatch(message);
    }
  });

  it('throws nothing but DataError, whatever the bytes', async () => {
    const records = fc.array(fc.nat(255), { maxLength: 3 }).map((labels) => cifar(labels, 8));
    const plain = fc.oneof(fc.uint8Array({ maxLength: 400 }), records);
    const packed = plain.map((bytes) => new Uint8Array(gzipSync(bytes)));
    const broken = fc.tuple(packed, fc.nat(), fc.nat(255))
      .map(([bytes, at, byte]) => withByte(bytes, at % bytes.length, byte));
    await fc.assert(fc.asyncProperty(fc.oneof(plain, packed, broken), async (bytes) => {
      const outcome = await parseCifar(bytes).catch((error: unknown) => error);
      if (outcome instanceof Error) return outcome instanceof DataError;
      const { labels, images, shape } = outcome as Awaited<ReturnType<typeof parseCifar>>;
      return labels.length > 0 && images.length === labels.length * 3 * shape[1] * shape[2];
    }), { seed: 3, numRuns: 500 });
  });
});
