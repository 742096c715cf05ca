import { sizeOf } from '../tensor/spec.ts';
import { Tensor } from '../tensor/tensor.ts';

/** A part of an arena, in numbers. */
export interface Run {
  readonly start: number;
  readonly length: number;
}

/**
 * The fewest parts of an arena, whole tensors each, that hold those `chosen` and no others: what an optimiser steps, so
 * that the rest keeps its bits.
 */
export function runsOf(tensors: ReadonlyMap<string, Tensor>, whole: Tensor, chosen: ReadonlySet<string>): Run[] {
  const starts = [...tensors.values()].map(({ offset }) => offset / 4);
  const runs: { start: number; length: number }[] = [];
  [...tensors.keys()].forEach((name, index) => {
    if (!chosen.has(name)) return;
    const start = starts[index]!;
    const end = starts[index + 1] ?? sizeOf(whole.shape);
    const latest = runs.at(-1);
    if (latest && latest.start + latest.length === start) latest.length = end - latest.start;
    else runs.push({ start, length: end - start });
  });
  return runs;
}

/** That part of an arena as a flat tensor; the arena itself if it is all of it. */
export function partOf(whole: Tensor, { start, length }: Run): Tensor {
  if (length === sizeOf(whole.shape)) return whole;
  const { buffer, device, label } = whole;
  return Tensor.within(buffer, start * 4, device, { dtype: 'f32', shape: [length] }, `${label} from ${start}`);
}
