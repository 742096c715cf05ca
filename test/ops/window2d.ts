import type { Pair, WindowAttributes } from '../../src/kernels/window2d.ts';

export const pairOf = (value: number | Pair = 1): Pair => (typeof value === 'number' ? [value, value] : value);

/** Padding above, left, below, right. */
export function sidesOf(
  { padding = 0, stride, dilation }: WindowAttributes,
  input: Pair,
  kernel: Pair,
): readonly [number, number, number, number] {
  if (typeof padding === 'number') return [padding, padding, padding, padding];
  if (typeof padding !== 'string') {
    return padding.length === 2 ? [padding[0], padding[1], padding[0], padding[1]] : padding;
  }
  // As few as are enough for a window at each multiple of the stride that is on the input.
  const totals = ([0, 1] as const).map((axis) => {
    const [step, spread] = [pairOf(stride)[axis], pairOf(dilation)[axis]];
    const windows = (total: number): number =>
      outputLength(input[axis], kernel[axis], step, 0, total, { dilation: spread });
    let total = 0;
    while (windows(total) < Math.ceil(input[axis] / step)) total++;
    return total;
  });
  const half = (round: (value: number) => number): Pair => [round(totals[0]! / 2), round(totals[1]! / 2)];
  const [less, more] = [half(Math.floor), half(Math.ceil)];
  return padding === 'same' ? [...less, ...more] : [...more, ...less];
}

/** Counts the windows one by one. */
export function outputLength(
  input: number,
  kernel: number,
  stride: number,
  before: number,
  after: number,
  { dilation = 1, ceil = false } = {},
): number {
  const reach = dilation * (kernel - 1) + 1;
  let windows = 0;
  while (windows * stride + reach <= before + input + after) windows++;
  // A last window may go beyond the padding if it begins before it, and if the one before it left something over.
  const leftOver = (windows - 1) * stride + reach < before + input + after;
  return ceil && leftOver && windows * stride < before + input ? windows + 1 : windows;
}
