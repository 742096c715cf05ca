import type { Limits } from '../graph/limits.ts';
import { byKernel } from '../graph/profile.ts';
import type { KernelTime, Profile } from '../graph/profile.ts';
import { ridge, roofline } from '../graph/roofline.ts';
import type { RooflinePlace } from '../graph/roofline.ts';
import { percent, significant, whole } from './format.ts';
import { table, wrap } from './table.ts';

export type PlacedKernel = Omit<KernelTime & RooflinePlace, 'share'> & {
  /** Of the time of all launches. */
  readonly timeShare: number;
  /** Of the nearer limit. */
  readonly roofShare: number;
};

/** The kernels of a profile, the longest first, each in its place under the roofline. */
export const placeKernels = ({ launches }: Profile, limits: Limits): PlacedKernel[] =>
  byKernel(launches).map(({ share: timeShare, ...kernel }) => {
    const { share: roofShare, ...place } = roofline(kernel, limits);
    return { ...kernel, ...place, timeShare, roofShare };
  });

/** `45.2`, of 45.2e9 per second. */
export const giga = (perSecond: number): string => significant(perSecond / 1e9);

/** A table of the kernels, and what their shares are of. */
export function profileText(
  profile: Profile,
  kernels: readonly PlacedKernel[],
  limits: Limits,
  { title }: { title: string },
): string {
  const rows = kernels.map(({ kernel, launches, ms, timeShare, bytes, flops, ...place }) => [
    kernel,
    whole(launches),
    significant(ms),
    percent(timeShare, 1),
    significant(bytes / 1e6),
    flops ? significant(flops / 1e6) : '',
    giga(place.bytesPerSecond),
    flops ? giga(place.flopsPerSecond) : '',
    place.bound === 'compute' ? 'FLOPs' : 'bytes',
    percent(place.roofShare, 0),
  ]);
  const head = ['kernel', 'launches', 'ms', 'of all', 'MB', 'MFLOP', 'GB/s', 'GFLOP/s', 'bound by', 'of roof'];
  const { launches, ms, method } = profile;
  const notes = [
    `Roofs: ${giga(limits.flopsPerSecond)} GFLOP/s of f32 multiply-adds and ${giga(limits.bytesPerSecond)} GB/s ` +
      `copied, measured just now; they meet at ${significant(ridge(limits))} FLOP per byte.`,
    'Bytes are those bound, read and written once each, so that caches can beat the roof; FLOPs are two for each ' +
      'multiply-accumulate, where the operation says how many it makes.',
  ];
  return [
    `${title}: ${significant(ms)} ms on the GPU, ${whole(launches.length)} launches, by ${method}`,
    '',
    table([head, ...rows], { indent: 2, gap: 2 }),
    '',
    ...notes.flatMap((line) => wrap(line, 80)),
  ].join('\n');
}
