import type { Pair, WindowAttributes } from '../../src/kernels/window2d.ts';

export const pairOf = (value: number | Pair = 1): Pair => (typeof value === 'number' ? [value, value] : value);

/** Padding above, left, below, right. */
export function sidesOf(padding: WindowAttributes['padding'] = 0): readonly [number, number, number, number] {
  if (typeof padding === 'number') return [padding, padding, padding, padding];
  return padding.length === 2 ? [padding[0], padding[1], padding[0], padding[1]] : padding;
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
