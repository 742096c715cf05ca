import { ArgumentError } from '../errors.ts';
import { isFloat, leadPerSample, sizeOf } from '../tensor/spec.ts';
import type { Spec } from '../tensor/spec.ts';
import { expected, linearGrid } from './define.ts';
import type { Grid } from './define.ts';

/** @throws ShapeError unless x is `f32[samples, channels, ...]` and each of the others `f32[channels]` */
export function checkChannels(op: string, x: Spec, perChannel: Readonly<Record<string, Spec>> = {}): void {
  if (!isFloat(x) || x.shape.length < 2) throw expected(op, 'x f32[samples, channels, ...]', x);
  for (const [name, spec] of Object.entries(perChannel)) {
    const fits = isFloat(spec) && spec.shape.join() === String(x.shape[1]) && !spec.rows;
    if (!fits) throw expected(op, `${name} f32[${x.shape[1]}]`, spec);
  }
}

/** Added to variances where left out. */
export const EPSILON = 1e-5;

/** @throws ArgumentError */
export function checkEpsilon(op: string, epsilon = EPSILON): void {
  if (epsilon > 0 && epsilon < Infinity) return;
  throw new ArgumentError(`${op}: expected an epsilon greater than 0, got ${epsilon}`);
}

/** How kernels walk through `[rows, channels, plane]`, the plane being whatever axes follow. */
export const channelParams = (x: Spec) => ({
  rowsPerSample: leadPerSample(x),
  channels: x.shape[1]!,
  plane: sizeOf(x.shape.slice(2)),
});

/** Neighbours in a plane that one invocation takes, `RUN` of the kernels that walk so. */
const RUN = 8;

/** One invocation per run of neighbours in a plane: what belongs to the channel is read once for all of them. */
export function runGrid(x: Spec): Grid {
  const { rowsPerSample, channels, plane } = channelParams(x);
  return linearGrid(rowsPerSample * channels * Math.ceil(plane / RUN), 64);
}
