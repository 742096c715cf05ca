import { ArgumentError, ShapeError } from '../errors.ts';
import { describe } from '../tensor/spec.ts';
import type { Spec } from '../tensor/spec.ts';

/** Something along y and along x. */
export type Pair = readonly [y: number, x: number];

/**
 * Elements assumed around the input: everywhere, above and below / left and right, or per side. 'same': as many as make
 * the output `ceil(input / stride)` long, where they are odd one more at the end, or in 'same-lower' at the start.
 */
export type Padding = number | Pair | Sides | SamePadding;

export type Sides = readonly [top: number, left: number, bottom: number, right: number];

export type SamePadding = 'same' | 'same-lower';

export interface WindowAttributes {
  /** Elements from one window to the next, 1 where left out; a single number goes for y and x. */
  readonly stride?: number | Pair;
  /** 0 where left out. */
  readonly padding?: Padding;
  /** Elements from one of the kernel to the next, 1 where left out. */
  readonly dilation?: number | Pair;
  /** Rounds the output size up: a last window may reach beyond the edge, but not begin there. */
  readonly ceil?: boolean;
}

/** How a kernel moves over the planes of an input `[samples, channels, height, width]`. */
export interface Window2d {
  readonly input: Pair;
  readonly output: Pair;
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly dilation: Pair;
  readonly padBefore: Pair;
  readonly padAfter: Pair;
}

/**
 * The output size is `(input + padding - dilation (kernel - 1) - 1) / stride + 1`, rounded down; or up, less a window
 * that would begin after the input (the rule of PyTorch, and of ONNX from opset 19).
 * @throws ArgumentError on a kernel, stride, padding or dilation out of range
 * @throws ShapeError where no window fits
 */
export function window2d(op: string, x: Spec, kernel: Pair, attributes: WindowAttributes): Window2d {
  const { padding = 0, ceil = false } = attributes;
  const moves = movesOf(op, kernel, attributes);
  const { stride, dilation } = moves;
  const extent = extentOf(moves);
  const input: Pair = [x.shape[2]!, x.shape[3]!];
  const [padTop, padLeft, padBottom, padRight] = isSame(padding)
    ? split(padding, (axis) => (Math.ceil(input[axis] / stride[axis]) - 1) * stride[axis] + extent[axis] - input[axis])
    : sidesOf(op, padding);
  const padBefore: Pair = [padTop, padLeft];
  const padAfter: Pair = [padBottom, padRight];

  const outputLength = (axis: 0 | 1): number => {
    const windows = (input[axis] + padBefore[axis] + padAfter[axis] - extent[axis]) / stride[axis] + 1;
    if (!ceil) return Math.floor(windows);
    const most = Math.ceil((input[axis] + padBefore[axis]) / stride[axis]);
    return Math.min(Math.ceil(windows), most);
  };
  const output: Pair = [outputLength(0), outputLength(1)];
  if (Math.min(...output) < 1) {
    const dilated = Math.max(...dilation) > 1 ? ` (dilated by ${dilation.join(' x ')})` : '';
    throw new ShapeError(
      `${op}: expected a padded input of at least the kernel's ${kernel.join(' x ')}${dilated}, ` +
        `got ${describe(x)} padded by ${[...padBefore, ...padAfter].join(', ')}`,
    );
  }
  return { input, output, ...moves, padBefore, padAfter };
}

/** @throws ArgumentError on a kernel, stride or dilation out of range */
export function movesOf(op: string, kernel: Pair, attributes: WindowAttributes) {
  const stride = pair(attributes.stride ?? 1);
  const dilation = pair(attributes.dilation ?? 1);
  check(op, 'kernel', kernel, 1);
  check(op, 'stride', stride, 1);
  check(op, 'dilation', dilation, 1);
  return { kernel, stride, dilation };
}

/** What a window spans. */
export const extentOf = ({ kernel, dilation }: Pick<Window2d, 'kernel' | 'dilation'>): Pair => [
  dilation[0] * (kernel[0] - 1) + 1,
  dilation[1] * (kernel[1] - 1) + 1,
];

export const isSame = (padding: unknown): padding is SamePadding => padding === 'same' || padding === 'same-lower';

/** @throws ArgumentError */
export function sidesOf(op: string, padding: Exclude<Padding, SamePadding>): Sides {
  if (typeof padding === 'string') {
    throw new ArgumentError(`${op}: expected padding of integers, 'same' or 'same-lower', got '${String(padding)}'`);
  }
  const sides = typeof padding === 'number' || padding.length === 2 ? [...pair(padding), ...pair(padding)] : padding;
  check(op, 'padding', sides, 0);
  return sides as Sides;
}

/** So much padding along each axis, in two; none where it would be less. */
export function split(padding: SamePadding, total: (axis: 0 | 1) => number): Sides {
  const both = [Math.max(0, total(0)), Math.max(0, total(1))] as const;
  const [less, more] = [both.map((pad) => Math.floor(pad / 2)), both.map((pad) => Math.ceil(pad / 2))];
  return (padding === 'same' ? [...less, ...more] : [...more, ...less]) as unknown as Sides;
}

export const pair = (value: number | Pair): Pair => (typeof value === 'number' ? [value, value] : value);

export function check(op: string, what: string, values: readonly number[], least: number): void {
  if (values.every((value) => Number.isInteger(value) && value >= least)) return;
  throw new ArgumentError(`${op}: expected ${what} of integers from ${least} up, got ${values.join(', ')}`);
}

/** The fields that kernels share. */
export const windowParams = ({ input, output, kernel, stride, dilation, padBefore }: Window2d) => ({
  inHeight: input[0],
  inWidth: input[1],
  outHeight: output[0],
  outWidth: output[1],
  kernelHeight: kernel[0],
  kernelWidth: kernel[1],
  strideY: stride[0],
  strideX: stride[1],
  dilationY: dilation[0],
  dilationX: dilation[1],
  padTop: padBefore[0],
  padLeft: padBefore[1],
});

const commonDivisor = (a: number, b: number): number => (b === 0 ? a : commonDivisor(b, a % b));

/** The fields that kernels of convolutions share: `samples` for each live row, channels of all groups. */
export function convolutionParams(window: Window2d, samples: number, channels: [number, number], groups: number) {
  const { stride, dilation } = window;
  const common = [commonDivisor(stride[0], dilation[0]), commonDivisor(stride[1], dilation[1])] as const;
  return {
    ...windowParams(window),
    samples,
    inChannels: channels[0],
    outChannels: channels[1],
    groupInChannels: channels[0] / groups,
    groupOutChannels: channels[1] / groups,
    tapStepY: stride[0] / common[0],
    tapStepX: stride[1] / common[1],
    outStepY: dilation[0] / common[0],
    outStepX: dilation[1] / common[1],
    parts: 1,
    epsilon: 0,
  };
}

/** Channels that one invocation computes of so many in a group: where there are few, those beyond would be wasted. */
export const channelTile = (channels: number, most: number): number => (channels < 3 ? 1 : most);

/** The width of a kernel that kernels of convolutions unroll, which costs a compilation for each; 0: they do not. */
export const unrolled = ({ kernel }: Window2d): number => (kernel[1] === 3 || kernel[1] === 5 ? kernel[1] : 0);

/** Invocations of a workgroup of the kernels with subgroups: few where a sample has few tiles. */
export const threadsFor = (tiles: number): number => (tiles <= 32 ? 16 : 64);

/** Convolutions for which the same variant may be the fastest. */
export const windowClass = ({ shape }: Spec, { output, stride, dilation }: Window2d, groups: number): string =>
  `${shape.join('x')} over ${output.join('x')}, stride ${stride.join('x')}, dilation ${dilation.join('x')}` +
  (groups > 1 ? `, ${groups} groups` : '');
