import { ArgumentError, ShapeError } from '../errors.ts';
import { describe } from '../tensor/spec.ts';
import type { Spec } from '../tensor/spec.ts';

/** Something along y and along x. */
export type Pair = readonly [y: number, x: number];

export interface WindowAttributes {
  /** Elements from one window to the next, 1 where left out; a single number goes for y and x. */
  readonly stride?: number | Pair;
  /** Elements assumed around the input, 0 where left out: everywhere, above and below / left and right, or per side. */
  readonly padding?: number | Pair | readonly [top: number, left: number, bottom: number, right: number];
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
  const stride = pair(attributes.stride ?? 1);
  const dilation = pair(attributes.dilation ?? 1);
  const sides = typeof padding === 'number' || padding.length === 2 ? [...pair(padding), ...pair(padding)] : padding;
  check(op, 'kernel', kernel, 1);
  check(op, 'stride', stride, 1);
  check(op, 'dilation', dilation, 1);
  check(op, 'padding', sides, 0);
  const [padTop, padLeft, padBottom, padRight] = sides as [number, number, number, number];
  const input: Pair = [x.shape[2]!, x.shape[3]!];
  const padBefore: Pair = [padTop, padLeft];
  const padAfter: Pair = [padBottom, padRight];

  const outputLength = (axis: 0 | 1): number => {
    const padded = input[axis] + padBefore[axis] + padAfter[axis];
    const windows = (padded - dilation[axis] * (kernel[axis] - 1) - 1) / stride[axis] + 1;
    if (!ceil) return Math.floor(windows);
    const most = Math.ceil((input[axis] + padBefore[axis]) / stride[axis]);
    return Math.min(Math.ceil(windows), most);
  };
  const output: Pair = [outputLength(0), outputLength(1)];
  if (Math.min(...output) < 1) {
    const dilated = Math.max(...dilation) > 1 ? ` (dilated by ${dilation.join(' x ')})` : '';
    throw new ShapeError(
      `${op}: expected a padded input of at least the kernel's ${kernel.join(' x ')}${dilated}, ` +
        `got ${describe(x)} padded by ${sides.join(', ')}`,
    );
  }
  return { input, output, kernel, stride, dilation, padBefore, padAfter };
}

export const pair = (value: number | Pair): Pair => (typeof value === 'number' ? [value, value] : value);

function check(op: string, what: string, values: readonly number[], least: number): void {
  if (values.every((value) => Number.isInteger(value) && value >= least)) return;
  throw new ArgumentError(`${op}: expected ${what} of integers from ${least} up, got ${values.join(', ')}`);
}

/** The fields that kernels share. */
export const windowParams = ({ input, output, kernel, stride, padBefore }: Window2d) => ({
  inHeight: input[0],
  inWidth: input[1],
  outHeight: output[0],
  outWidth: output[1],
  kernelHeight: kernel[0],
  kernelWidth: kernel[1],
  strideY: stride[0],
  strideX: stride[1],
  padTop: padBefore[0],
  padLeft: padBefore[1],
});

/** The width of a kernel that kernels of convolutions unroll, which costs a compilation for each; 0: they do not. */
export const unrolled = ({ kernel }: Window2d): number => (kernel[1] === 3 || kernel[1] === 5 ? kernel[1] : 0);

/** Invocations of a workgroup of the kernels with subgroups: few where a sample has few tiles. */
export const threadsFor = (tiles: number): number => (tiles <= 32 ? 16 : 64);

/** Convolutions for which the same variant may be the fastest. */
export const windowClass = ({ shape }: Spec, { output, stride, dilation }: Window2d): string =>
  `${shape.join('x')} over ${output.join('x')}, stride ${stride.join('x')}, dilation ${dilation.join('x')}`;
