import { sizeOf } from '../../src/tensor/spec.ts';
import type { Host } from '../op-table.ts';

/** The shape that these have together, aligned at the last axis. */
export function broadcastShape(...shapes: readonly (readonly number[])[]): number[] {
  const rank = Math.max(...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, axis) =>
    shapes.map((shape) => shape[axis - rank + shape.length] ?? 1).find((length) => length !== 1) ?? 1);
}

/** Which element of `from` stands at element `index` of `shape`, to which `from` broadcasts. */
export function broadcastIndex(index: number, shape: readonly number[], from: readonly number[]): number {
  let [rest, at, stride] = [index, 0, 1];
  for (let back = 1; back <= from.length; back++) {
    const length = from[from.length - back]!;
    const coordinate = rest % shape[shape.length - back]!;
    rest = Math.floor(rest / shape[shape.length - back]!);
    at += length === 1 ? 0 : coordinate * stride;
    stride *= length;
  }
  return at;
}

/** The elements of `from` that stand where those of `shape` are, to which it broadcasts. */
export const repeated = (from: Host, shape: readonly number[]): Float64Array =>
  Float64Array.from({ length: sizeOf(shape) }, (_, index) => from.data[broadcastIndex(index, shape, from.shape)]!);
