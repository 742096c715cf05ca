import { ArgumentError } from '../errors.ts';
import { Random } from '../random.ts';
import { imageAt, pixelsPerImage, type Dataset } from './dataset.ts';
import { createNormalizer, type Normalization, type Normalizer } from './normalization.ts';

/** Some items, ready for a network. Its arrays are views of buffers that the next batch overwrites: copy what stays. */
export interface Batch {
  /** Normalised pixels, `[rows, channels, height, width]`. */
  readonly x: Float32Array;
  /** Labels, `[rows]`. */
  readonly y: Uint32Array;
  /** Which items of the data set these are, `[rows]`. */
  readonly indices: Uint32Array;
  /** `batch`, or fewer in the last batch. */
  readonly rows: number;
}

export interface BatchOptions {
  /** Rows of a full batch. */
  readonly batch: number;
  /** Shuffles, in another order each epoch. Left out: the order of the data set. */
  readonly seed?: number;
  /** Counts from 0. */
  readonly epoch?: number;
  /** Left out: pixels become 0..1. */
  readonly normalize?: Normalization;
}

/**
 * Goes through a data set once: every item in exactly one batch, the last of which may be smaller.
 *
 * @throws ArgumentError for a batch, seed, epoch or normalisation outside its range, when called and not when iterated
 */
export function batches(dataset: Dataset, options: BatchOptions): Generator<Batch, void, undefined> {
  const { batch, seed, epoch = 0, normalize } = options;
  if (!Number.isSafeInteger(batch) || batch < 1) {
    throw new ArgumentError(`batches: expected batch to be an integer >= 1, got ${batch}`);
  }
  if (!Number.isSafeInteger(epoch) || epoch < 0) {
    throw new ArgumentError(`batches: expected epoch to be an integer >= 0, got ${epoch}`);
  }
  const order = Uint32Array.from(dataset.labels.keys());
  if (seed !== undefined) new Random(seed).split(`epoch ${epoch}`).shuffle(order);
  return inOrder(dataset, order, batch, createNormalizer(dataset.shape, normalize));
}

function* inOrder(dataset: Dataset, order: Uint32Array, batch: number, normalizer: Normalizer): Generator<Batch, void> {
  const size = pixelsPerImage(dataset.shape);
  const capacity = Math.min(batch, order.length);
  const x = new Float32Array(capacity * size);
  const y = new Uint32Array(capacity);
  for (let start = 0; start < order.length; start += batch) {
    const indices = order.subarray(start, start + batch);
    indices.forEach((index, row) => {
      normalizer(imageAt(dataset, index), x, row * size);
      y[row] = dataset.labels[index]!;
    });
    const rows = indices.length;
    yield { x: x.subarray(0, rows * size), y: y.subarray(0, rows), indices, rows };
  }
}
