import { ArgumentError } from '../errors.ts';
import type { Spec } from '../tensor/spec.ts';
import { expected } from './define.ts';
import type { Operand, Value } from './define.ts';
import { reshape } from './reshape.ts';
import { transpose } from './transpose.ts';

export interface SpaceAttributes {
  /** Side of the squares of pixels that become channels, or are made of them. */
  readonly block: number;
  /**
   * In which order the channels hold a square and the channels of the images: `'DCR'`, square first, or `'CRD'`, as
   * `pixel_shuffle` of PyTorch has it. DCR where left out.
   */
  readonly mode?: 'DCR' | 'CRD';
}

function check(op: string, x: Spec, { block, mode = 'DCR' }: SpaceAttributes, fits: (x: readonly number[]) => boolean) {
  if (!Number.isInteger(block) || block < 1) {
    throw new ArgumentError(`${op}: expected a block of 1 or more, got ${block}`);
  }
  if (mode !== 'DCR' && mode !== 'CRD') throw new ArgumentError(`${op}: expected mode DCR or CRD, got ${mode}`);
  if (x.shape.length === 4 && fits(x.shape)) return x.shape as readonly [number, number, number, number];
  const of = op === 'depth-to-space' ? `channels, a multiple of ${block ** 2}` : `sides, multiples of ${block}`;
  throw expected(op, `x [images, channels, height, width] of ${of}`, x);
}

/**
 * Channels spread out over squares of `block` x `block` pixels. x: any dtype, `[images, block^2 channels, height,
 * width]`; result: `[images, channels, block height, block width]`.
 */
export function depthToSpace({ x }: { readonly x: Operand }, attributes: SpaceAttributes): Value {
  const { block, mode } = attributes;
  const [images, deep, height, width] = check('depth-to-space', x, attributes, (shape) => shape[1]! % block ** 2 === 0);
  const channels = deep / block ** 2;
  const isSquareFirst = mode !== 'CRD';
  const parts = isSquareFirst ? [block, block, channels] : [channels, block, block];
  const apart = reshape({ x }, { shape: [images, ...parts, height, width] });
  const moved = transpose({ x: apart }, { permutation: isSquareFirst ? [0, 3, 4, 1, 5, 2] : [0, 1, 4, 2, 5, 3] });
  return reshape({ x: moved }, { shape: [images, channels, height * block, width * block] });
}

/**
 * The other way round: squares of `block` x `block` pixels become channels. x: any dtype, `[images, channels, height,
 * width]`.
 */
export function spaceToDepth({ x }: { readonly x: Operand }, attributes: SpaceAttributes): Value {
  const { block, mode } = attributes;
  const sides = (shape: readonly number[]) => shape[2]! % block === 0 && shape[3]! % block === 0;
  const [images, channels, high, wide] = check('space-to-depth', x, attributes, sides);
  const [height, width] = [high / block, wide / block];
  const apart = reshape({ x }, { shape: [images, channels, height, block, width, block] });
  const moved = transpose({ x: apart }, { permutation: mode === 'CRD' ? [0, 1, 3, 5, 2, 4] : [0, 3, 5, 1, 2, 4] });
  return reshape({ x: moved }, { shape: [images, channels * block ** 2, height, width] });
}
