import { ArgumentError } from '../errors.ts';
import { Random } from '../random.ts';
import { createDataset, imageAt, pixelsPerImage, type Dataset } from './dataset.ts';

/** A stream of two sources. */
export interface Mixture {
  readonly dataset: Dataset;
  /** 1 where the item came from the second source, else 0: `[count]`. */
  readonly foreign: Uint8Array;
}

/**
 * The first data set with a share of its items replaced by items of the second, as a monitor may meet them after a
 * drift. The seed draws the places, exactly `share` of them to within half an item, and the items of `b`, none twice;
 * other items stay where they are, so that the streams with and without the drift differ in nothing else.
 *
 * The classes are those of `a`, so that a network for `a` takes the stream. Where `b` has the same, its labels are
 * kept; otherwise its items have the label 0, which says nothing of them: ask `foreign` before the labels. Difficulties
 * stay where both have them.
 *
 * @param options.share in [0, 1]
 * @throws ArgumentError for a share outside its range, images of other shapes, or a `b` that is too small
 */
export function mix(a: Dataset, b: Dataset, { share, seed }: { share: number; seed: number }): Mixture {
  if (!(share >= 0 && share <= 1)) throw new ArgumentError(`mix: expected a share in [0, 1], got ${share}`);
  if (a.shape.join() !== b.shape.join()) {
    const [expected, got] = [a, b].map(({ shape }) => `[${shape.join(', ')}]`);
    throw new ArgumentError(`mix: expected images of ${expected} as in ${a.name}, got ${got} in ${b.name}`);
  }
  const count = a.labels.length;
  const replaced = Math.round(share * count);
  if (b.labels.length < replaced) {
    throw new ArgumentError(
      `mix: expected at least ${replaced} items in ${b.name}, ${share} of the ${count} in ${a.name}, ` +
        `got ${b.labels.length}; give a smaller share or a slice of ${a.name}`,
    );
  }
  const random = new Random(seed).split('mix');
  const drawn = (from: Dataset, purpose: string): Uint32Array =>
    random.split(purpose).shuffle(Uint32Array.from(from.labels, (_, item) => item)).subarray(0, replaced);
  const items = drawn(b, 'items');
  const sameClasses = a.classNames.join('\n') === b.classNames.join('\n');
  const images = a.images.slice();
  const labels = b.labels instanceof Uint16Array ? Uint16Array.from(a.labels) : a.labels.slice();
  const difficulty = a.difficulty && b.difficulty && a.difficulty.slice();
  const foreign = new Uint8Array(count);
  const size = pixelsPerImage(a.shape);
  drawn(a, 'places').forEach((place, at) => {
    const item = items[at]!;
    images.set(imageAt(b, item), place * size);
    labels[place] = sameClasses ? b.labels[item]! : 0;
    if (difficulty) difficulty[place] = b.difficulty![item]!;
    foreign[place] = 1;
  });
  const { shape, classNames } = a;
  const name = `${a.name}+${share}(${b.name})`;
  const dataset = createDataset({ name, shape, images, labels, classNames, ...(difficulty && { difficulty }) });
  return { dataset, foreign };
}
