import { host } from '../op-table.ts';
import type { Host, OpCase } from '../op-table.ts';

/** Elements from one position to the next, row-major. */
export const strides = (shape: readonly number[]): number[] =>
  shape.map((_, axis) => shape.slice(axis + 1).reduce((size, length) => size * length, 1));

/** The element at a place with a position for each axis. */
export function element({ shape, data }: Host, at: readonly number[]): number {
  const each = strides(shape);
  return data[at.reduce((sum, position, axis) => sum + position * each[axis]!, 0)]!;
}

/** A tensor from what is to stand at each place. */
export function build(shape: readonly number[], of: (at: number[]) => number, dtype: Host['dtype'] = 'f32'): Host {
  const size = shape.reduce((product, length) => product * length, 1);
  const each = strides(shape);
  const placeOf = (index: number): number[] => shape.map((length, axis) => Math.floor(index / each[axis]!) % length);
  return host(shape, Array.from({ length: size }, (_, index) => of(placeOf(index))), dtype);
}

/** All inputs named have samples, as many as the first has leading positions. */
export function ofSamples(inputs: OpCase['inputs'], attributes: object, batched = Object.keys(inputs)): OpCase {
  return { inputs, attributes, samples: inputs[batched[0]!]!.shape[0]!, batched };
}
