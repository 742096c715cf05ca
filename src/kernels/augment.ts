import { ArgumentError } from '../errors.ts';
import { leadPerSample, sizeOf } from '../tensor/spec.ts';
import { defineOp, dispatch, expected, linearGrid, none } from './define.ts';
import type { Operand } from './define.ts';
import { augmentKernel } from './generated/augment.ts';

/** Random changes of training images; each is off where left out or 0. */
export interface Augmentation {
  /**
   * Pixels that an image moves at most along each axis, all distances being equally likely: the same as a random crop
   * of the image with `shift` pixels of padding.
   */
  readonly shift?: number;
  /** Probability in [0, 1] of a horizontal flip. */
  readonly flip?: number;
  /** Side in pixels of a square that hides part of the image; its middle is any pixel (DeVries and Taylor 2017). */
  readonly cutout?: number;
  /** Standard deviation of the Gaussian noise that each element gets, in the unit of the pixels. */
  readonly noise?: number;
  /** What the square shows, and what a shift brings in from beyond the edge; 0 where left out. */
  readonly fill?: number;
}

export interface AugmentAttributes extends Augmentation {
  /** Tells these draws apart from those of the dropouts, which share the seed: a number that none of them has. */
  readonly stream: number;
}

/** Neighbouring pixels that one invocation of the kernel computes. */
const PIXELS = 8;

const wholePixels = (value: number): boolean => Number.isInteger(value) && value >= 0;

/**
 * The options with all that was left out, checked as far as can be without an image.
 * @throws ArgumentError unless shift and cutout are whole and not negative, the flip's probability lies in [0, 1], the
 * noise is finite and not negative and the fill is finite
 */
export function augmentation(options: Augmentation): Required<Augmentation> {
  const { shift = 0, flip = 0, cutout = 0, noise = 0, fill = 0 } = options;
  const check = (name: keyof Augmentation, good: boolean, what: string): void => {
    if (!good) throw new ArgumentError(`augmentation: expected ${what} for ${name}, got ${options[name]}`);
  };
  check('shift', wholePixels(shift), 'a whole number of pixels, 0 or more,');
  check('flip', flip >= 0 && flip <= 1, 'a probability in [0, 1]');
  check('cutout', wholePixels(cutout), 'a whole number of pixels, 0 or more,');
  check('noise', Number.isFinite(noise) && noise >= 0, 'a standard deviation of 0 or more');
  check('fill', Number.isFinite(fill), 'a finite number');
  return { shift, flip, cutout, noise, fill };
}

/**
 * Images as training sees them: shifted, flipped, with noise, and a square cut out, in this order. x: `f32[images,
 * channels, height, width]`; seed: `u32[1]`, a new one each step. An image draws once for all its channels, by its
 * place in the batch. The same seed and stream give the same bits on every adapter, except for the noise: adapters
 * round its logarithm and cosine differently, so that its bits are the same on one adapter only.
 * @throws ArgumentError for options that `augmentation` refuses, or that leave nothing of the image
 */
export const augment = defineOp<{ x: Operand; seed: Operand }, 'y', AugmentAttributes>({
  name: 'augment',
  infer({ x, seed }, attributes) {
    if (x.dtype !== 'f32' || x.shape.length !== 4 || seed.dtype !== 'u32' || sizeOf(seed.shape) !== 1) {
      throw expected('augment', 'x f32[images, channels, height, width] and seed u32[1]', x, seed);
    }
    const { shift, cutout } = augmentation(attributes);
    const [height, width] = x.shape.slice(2) as [number, number];
    const side = Math.min(height, width);
    const pixels = `${height} x ${width} pixels`;
    if (cutout > side) throw new ArgumentError(`augment: expected a cutout within ${pixels}, got ${cutout}`);
    if (shift > 0 && shift >= side) {
      throw new ArgumentError(`augment: expected a shift that leaves some of ${pixels}, got ${shift}`);
    }
    return { y: x };
  },
  lower({ x, seed }, { y }, { stream, ...options }) {
    const [, channels, height, width] = x.shape as [number, number, number, number];
    const { flip, ...rest } = augmentation(options);
    const images = leadPerSample(x);
    return [
      dispatch(augmentKernel, {
        bind: { x, seed, y },
        params: { ...rest, images, channels, height, width, stream, flipBelow: Math.round(flip * 2 ** 31) },
        grid: linearGrid(images * channels * height * Math.ceil(width / PIXELS), 64),
      }),
    ];
  },
  gradient: none('images are given, not learned: augment them before anything that is'),
});
