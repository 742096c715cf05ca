import type { Limits } from './limits.ts';
import type { Work } from './work.ts';

/** Work that took a time. */
export interface TimedWork extends Work {
  readonly ms: number;
}

/** Where work stands under the roofline of a device. */
export interface RooflinePlace {
  /** Achieved. */
  readonly flopsPerSecond: number;
  /** Achieved. */
  readonly bytesPerSecond: number;
  /** Operations per byte; 0 where no operations are known. */
  readonly intensity: number;
  /** Which limit is the nearer one: what would take longer at its best. */
  readonly bound: 'compute' | 'memory';
  /** The time at that limit over the time taken; above 1 where bytes came from a cache. 0 of what took no time. */
  readonly share: number;
}

/**
 * S. Williams, A. Waterman, D. Patterson, "Roofline: an insightful visual performance model for multicore
 * architectures", CACM 52 (4), 2009: attainable = min(peak arithmetic, peak bandwidth * intensity). Said in times, which
 * also holds for work without known operations: at best the longer of flops / peak and bytes / bandwidth.
 */
export function roofline({ ms, flops, bytes }: TimedWork, limits: Limits): RooflinePlace {
  const seconds = ms / 1000;
  const [computing, moving] = [flops / limits.flopsPerSecond, bytes / limits.bytesPerSecond];
  const rate = (amount: number): number => (seconds > 0 ? amount / seconds : 0);
  return {
    flopsPerSecond: rate(flops),
    bytesPerSecond: rate(bytes),
    intensity: bytes > 0 ? flops / bytes : 0,
    bound: computing > moving ? 'compute' : 'memory',
    share: rate(Math.max(computing, moving)),
  };
}

/** Operations per byte from which on arithmetic is the nearer limit: where the two roofs meet. */
export const ridge = ({ flopsPerSecond, bytesPerSecond }: Limits): number => flopsPerSecond / bytesPerSecond;

/** The most operations per second at an intensity. */
export const attainable = (intensity: number, { flopsPerSecond, bytesPerSecond }: Limits): number =>
  Math.min(flopsPerSecond, bytesPerSecond * intensity);
