import { ArgumentError } from '../errors.ts';
import { Random } from '../random.ts';
import { gaussianBlur, motionBlur } from './corruptions/blur.ts';
import type { Corruption } from './corruptions/corruption.ts';
import { occlude, pixelate, rotate, shift } from './corruptions/geometry.ts';
import { brightness, contrast } from './corruptions/light.ts';
import { gaussianNoise, saltAndPepper } from './corruptions/noise.ts';
import { createDataset, imageAt, pixelsPerImage, type Dataset } from './dataset.ts';

/** The amounts of the five severities. */
type Amounts = readonly [number, number, number, number, number];

const KINDS = {
  'gaussian-noise': [gaussianNoise, [0.08, 0.12, 0.18, 0.26, 0.38]],
  'salt-and-pepper': [saltAndPepper, [0.03, 0.06, 0.09, 0.17, 0.27]],
  'gaussian-blur': [gaussianBlur, [0.025, 0.035, 0.045, 0.055, 0.07]],
  'motion-blur': [motionBlur, [0.1, 0.14, 0.18, 0.22, 0.27]],
  contrast: [contrast, [0.75, 0.5, 0.4, 0.3, 0.15]],
  brightness: [brightness, [0.1, 0.2, 0.3, 0.4, 0.5]],
  occlusion: [occlude, [0.12, 0.17, 0.22, 0.27, 0.32]],
  shift: [shift, [0.035, 0.07, 0.105, 0.14, 0.175]],
  rotation: [rotate, [0.07, 0.14, 0.21, 0.28, 0.35]],
  pixelate: [pixelate, [0.6, 0.5, 0.4, 0.35, 0.3]],
} as const satisfies Readonly<Record<string, readonly [Corruption, Amounts]>>;

export type CorruptionKind = keyof typeof KINDS;

/** The kinds that `corrupt` knows. */
export const CORRUPTIONS = Object.keys(KINDS) as readonly CorruptionKind[];

export interface CorruptOptions {
  readonly kind: CorruptionKind;
  /** 1, mild, to 5. */
  readonly severity: number;
  readonly seed: number;
}

/**
 * The same items with their images made worse, as a camera, a sloppy hand or a bad line would. After ImageNet-C and
 * CIFAR-10-C (Hendrycks and Dietterich 2019, Benchmarking neural network robustness to common corruptions) and MNIST-C
 * (Mu and Gilmer 2019), with their severities where a person can mostly still read the fifth on images of 28 pixels.
 * Lengths are shares of the image's side, the shorter one unless both axes have their own, so that a severity means as
 * much at 28 pixels as at 64.
 *
 * | kind            | amount                                    | 1     | 2     | 3     | 4     | 5     |
 * | --------------- | ----------------------------------------- | ----- | ----- | ----- | ----- | ----- |
 * | gaussian-noise  | standard deviation, 1 is white [I]        | 0.08  | 0.12  | 0.18  | 0.26  | 0.38  |
 * | salt-and-pepper | share of bytes made black or white [I]    | 0.03  | 0.06  | 0.09  | 0.17  | 0.27  |
 * | gaussian-blur   | standard deviation, share of the side     | 0.025 | 0.035 | 0.045 | 0.055 | 0.07  |
 * | motion-blur     | length, share of the side                 | 0.1   | 0.14  | 0.18  | 0.22  | 0.27  |
 * | contrast        | share of the contrast that is left [C]    | 0.75  | 0.5   | 0.4   | 0.3   | 0.15  |
 * | brightness      | added to HSV's value, 1 is white [I]      | 0.1   | 0.2   | 0.3   | 0.4   | 0.5   |
 * | occlusion       | side of a square, share of the side       | 0.12  | 0.17  | 0.22  | 0.27  | 0.32  |
 * | shift           | along both axes, share of the side [M]    | 0.035 | 0.07  | 0.105 | 0.14  | 0.175 |
 * | rotation        | tangent of half the angle                 | 0.07  | 0.14  | 0.21  | 0.28  | 0.35  |
 * | - the same      | degrees                                   | 8     | 16    | 24    | 31    | 39    |
 * | pixelate        | share of rows and of columns that is left | 0.6   | 0.5   | 0.4   | 0.35  | 0.3   |
 *
 * [I] ImageNet-C's and MNIST-C's, [C] CIFAR-10-C's, [M] MNIST-C's 1 to 5 of 28 pixels; the others are ours.
 *
 * What a shift or a rotation brings in, and what an occlusion shows, is the median of the image's border, a guess at
 * its background. An item's draws depend on seed, kind and its place only: not on the other items, nor on the severity,
 * so that severities can be compared item by item. Bytes are the same on every machine. Labels stay, and so do
 * difficulties, which say how hard the items were before.
 *
 * @throws ArgumentError for a kind that is not known, a severity that is not 1 to 5, or a seed that `Random` refuses;
 * DataError where images are missing, as in the data of recorded scores
 */
export function corrupt(dataset: Dataset, { kind, severity, seed }: CorruptOptions): Dataset {
  if (!Object.hasOwn(KINDS, kind)) {
    throw new ArgumentError(`corrupt: expected a kind of ${CORRUPTIONS.join(', ')}, got ${kind}`);
  }
  const [apply, amounts] = KINDS[kind];
  const amount = amounts[severity - 1];
  if (amount === undefined) {
    throw new ArgumentError(`corrupt: expected a severity of 1, 2, 3, 4 or 5, got ${severity}`);
  }
  const { name, shape, labels } = createDataset(dataset);
  const random = new Random(seed).split(kind);
  const size = pixelsPerImage(shape);
  const images = new Uint8Array(dataset.images.length);
  for (let item = 0; item < labels.length; item++) {
    const into = new Uint8ClampedArray(images.buffer, item * size, size);
    apply({ shape, pixels: imageAt(dataset, item) }, amount, random.split(item), into);
  }
  return { ...dataset, name: `${name}+${kind}-${severity}`, images };
}
