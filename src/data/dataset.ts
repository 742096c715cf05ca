import { ArgumentError, DataError } from '../errors.ts';

/** Channels, height and width of one image. */
export type ImageShape = readonly [channels: number, height: number, width: number];

/** Labelled images of one shape, in plain arrays. Item `i` has pixels `images[i * C * H * W ...]`. */
export interface Dataset {
  /** What records and messages call it, e.g. `mnist/train`. */
  readonly name: string;
  readonly shape: ImageShape;
  /** Pixels 0..255, `[count, channels, height, width]`. */
  readonly images: Uint8Array;
  /** One class number an item, `[count]`, each below `classNames.length`. */
  readonly labels: Uint8Array | Uint16Array;
  readonly classNames: readonly string[];
  /** How hard each item was made, in [0, 1], where the data knows: `[count]`. */
  readonly difficulty?: Float32Array;
}

/** Data in the three parts that training, choosing thresholds and judging need apart. */
export interface DatasetParts {
  readonly train: Dataset;
  readonly validation: Dataset;
  readonly test: Dataset;
}

/**
 * Checks the parts against each other and returns them as a data set.
 *
 * @throws DataError where lengths disagree or a label has no class
 */
export function createDataset(parts: Dataset): Dataset {
  const { name, shape, images, labels, classNames, difficulty } = parts;
  const wanted = labels.length * pixelsPerImage(shape);
  if (images.length !== wanted) {
    throw new DataError(
      `${name}: expected ${wanted} pixels for ${labels.length} labels of shape [${shape.join(', ')}], ` +
        `got ${images.length}`,
    );
  }
  if (difficulty && difficulty.length !== labels.length) {
    throw new DataError(`${name}: expected ${labels.length} difficulties, one a label, got ${difficulty.length}`);
  }
  const stray = labels.findIndex((label) => label >= classNames.length);
  if (stray >= 0) {
    throw new DataError(
      `${name}: expected labels below ${classNames.length}, the number of classes, ` +
        `got ${labels[stray]} at item ${stray}`,
    );
  }
  return parts;
}

/** Bytes of one image. */
export function pixelsPerImage([channels, height, width]: ImageShape): number {
  return channels * height * width;
}

/** The pixels of one item, `[channels, height, width]`: a view, not a copy. */
export function imageAt(dataset: Dataset, index: number): Uint8Array {
  const size = pixelsPerImage(dataset.shape);
  return dataset.images.subarray(index * size, (index + 1) * size);
}

/**
 * The items `start <= i < end`, as views of the same memory.
 *
 * @throws ArgumentError unless 0 <= start <= end <= count
 */
export function slice(dataset: Dataset, start: number, end: number, name = dataset.name): Dataset {
  const count = dataset.labels.length;
  if (!Number.isInteger(start) || !Number.isInteger(end) || start < 0 || end < start || end > count) {
    throw new ArgumentError(`slice: expected 0 <= start <= end <= ${count}, got ${start} and ${end}`);
  }
  const size = pixelsPerImage(dataset.shape);
  return {
    ...dataset,
    name,
    images: dataset.images.subarray(start * size, end * size),
    labels: dataset.labels.subarray(start, end),
    ...(dataset.difficulty && { difficulty: dataset.difficulty.subarray(start, end) }),
  };
}

/**
 * A copy of the items at `indices`, in that order; an index may come twice.
 *
 * @throws ArgumentError for an index that is no item
 */
export function subset(dataset: Dataset, indices: ArrayLike<number>, name = dataset.name): Dataset {
  const { labels, difficulty } = dataset;
  const size = pixelsPerImage(dataset.shape);
  const images = new Uint8Array(indices.length * size);
  const chosen = Array.from(indices, (index, place) => {
    if (!Number.isInteger(index) || index < 0 || index >= labels.length) {
      throw new ArgumentError(`subset: expected indices in 0..${labels.length - 1}, got ${index} at place ${place}`);
    }
    images.set(imageAt(dataset, index), place * size);
    return index;
  });
  const labelAt = (index: number) => labels[index]!;
  return {
    ...dataset,
    name,
    images,
    labels: labels instanceof Uint16Array ? Uint16Array.from(chosen, labelAt) : Uint8Array.from(chosen, labelAt),
    ...(difficulty && { difficulty: Float32Array.from(chosen, (index) => difficulty[index]!) }),
  };
}

/**
 * Cuts the last `validation` items off: the rule by which MNIST and Fashion-MNIST are judged here. Views, not copies.
 *
 * @throws ArgumentError unless at least one item stays on each side
 */
export function split(
  dataset: Dataset,
  { validation }: { validation: number },
): { train: Dataset; validation: Dataset } {
  const count = dataset.labels.length;
  if (!Number.isInteger(validation) || validation < 1 || validation >= count) {
    throw new ArgumentError(`split: expected validation in 1..${count - 1} of ${count} items, got ${validation}`);
  }
  return {
    train: slice(dataset, 0, count - validation, `${dataset.name}[0..${count - validation})`),
    validation: slice(dataset, count - validation, count, `${dataset.name}[${count - validation}..${count})`),
  };
}

/**
 * 16 hexadecimal digits that tell data sets apart, for records such as "thresholds were chosen on": a hash of shape,
 * labels and pixels in their order, not of the name. Against accidents, not against forgers.
 */
export function fingerprint({ shape, labels, images }: Dataset): string {
  return hash(shape, labels, images);
}

/**
 * The items of `other` whose pixels are those of an item of `dataset`, whatever their labels and places.
 *
 * @throws DataError where images are missing, as in the data of recorded scores
 */
export function sharedItems(dataset: Dataset, other: Dataset): number[] {
  for (const each of [dataset, other]) createDataset(each);
  if (dataset.shape.join() !== other.shape.join()) return [];
  const known = new Map<string, number>();
  dataset.labels.forEach((_, item) => known.set(hash(imageAt(dataset, item)), item));
  return Array.from(other.labels.keys()).filter((item) => {
    const image = imageAt(other, item);
    const twin = known.get(hash(image));
    return twin !== undefined && imageAt(dataset, twin).every((pixel, at) => pixel === image[at]);
  });
}

/**
 * What is measured on one of them says nothing new about the other's images.
 *
 * @throws ArgumentError if they have images in common
 */
export function assertDisjoint(dataset: Dataset, other: Dataset): void {
  const shared = sharedItems(dataset, other);
  if (shared.length === 0) return;
  throw new ArgumentError(
    `${dataset.name} and ${other.name}: expected no image in both, got ${shared.length} of ${other.labels.length}, ` +
      `first item ${shared[0]} of ${other.name}; leave them out, as sharedItems lists them, or split anew`,
  );
}

function hash(...parts: readonly ArrayLike<number>[]): string {
  let first = 0xdeadbeef;
  let second = 0x41c6ce57;
  for (const values of parts) {
    for (let at = 0; at < values.length; at++) {
      first = Math.imul(first ^ values[at]!, 0x9e3779b1);
      second = Math.imul(second ^ values[at]!, 0x5f356495);
    }
    first ^= first >>> 15;
    second ^= second >>> 13;
  }
  const digits = (word: number) => (word >>> 0).toString(16).padStart(8, '0');
  return digits(first) + digits(second);
}
