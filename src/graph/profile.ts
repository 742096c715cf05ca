import { PassTimes } from '../device/pass-times.ts';
import type { Program, RunInput } from './program.ts';

/** One dispatch of a profiled run. */
export interface LaunchTime {
  /** The operation, e.g. `conv2d`. */
  readonly op: string;
  /** The kernel that it launched, by the name of its file. */
  readonly kernel: string;
  readonly ms: number;
}

export interface KernelTime {
  readonly kernel: string;
  readonly launches: number;
  readonly ms: number;
  /** Of the time of all launches, 0 to 1. */
  readonly share: number;
}

export interface Profile {
  /** In the order of launching. */
  readonly launches: readonly LaunchTime[];
  /** From the begin of the first launch to the end of the last. */
  readonly ms: number;
}

/**
 * Runs a program once and measures each dispatch on the GPU, between two time stamps around a pass of its own. It is a
 * run like any other: inputs are written, parameters stepped, and `program.outputs()` gives its results.
 *
 * The run is somewhat slower than one in a single pass: launches do not overlap. Browsers round time stamps, to 100
 * microseconds or so (Chromium does not if started with `--disable-dawn-features=timestamp_quantization`): a shorter
 * launch counts as nothing or as one such step, and only sums over many mean anything. In Node they are exact. The first
 * run of a program also pays what drivers put off until then; profile a later one.
 * @throws GpuError if the device was not given the feature `timestamp-query`
 * @throws ShapeError, DisposedError, DeviceLostError
 */
export async function profile<I extends string>(
  program: Program<I>,
  inputs: Readonly<Record<I, RunInput>>,
): Promise<Profile> {
  program.check();
  using times = new PassTimes(program.device, `${program.label}/profile`);
  const launchOf = new Map(program.launches.map((launch) => [launch.group, launch]));
  const launched: GPUBindGroup[] = [];
  const recording = program.record(inputs, (group) => {
    launched.push(group);
    return times.next();
  });
  recording.submit();
  const passes = await times.read();
  const launches = passes.map(({ begin, end }, index) => {
    const { op, dispatch } = launchOf.get(launched[index]!)!;
    return { op, kernel: dispatch.kernel.name, ms: milliseconds(begin, end) };
  });
  return { launches, ms: passes.length ? milliseconds(passes[0]!.begin, passes.at(-1)!.end) : 0 };
}

/** Adds up the launches of each kernel, the longest first. */
export function byKernel(launches: readonly LaunchTime[]): KernelTime[] {
  const sums = new Map<string, { launches: number; ms: number }>();
  let total = 0;
  for (const { kernel, ms } of launches) {
    const sum = sums.get(kernel) ?? { launches: 0, ms: 0 };
    sums.set(kernel, { launches: sum.launches + 1, ms: sum.ms + ms });
    total += ms;
  }
  return [...sums]
    .map(([kernel, sum]) => ({ kernel, ...sum, share: total > 0 ? sum.ms / total : 0 }))
    .sort((a, b) => b.ms - a.ms);
}

/** Never negative: a GPU may reset its clock in between (https://www.w3.org/TR/webgpu/#timestamp). */
const milliseconds = (begin: bigint, end: bigint): number => Math.max(0, Number(end - begin) / 1e6);
