import type { Device } from '../device/device.ts';
import { PassTimes } from '../device/pass-times.ts';
import type { BufferRange, Recording } from '../device/recording.ts';
import { gridFor } from './lower.ts';
import type { Launch, Program, RunInput } from './program.ts';
import { repeated } from './repeated.ts';
import type { TimedWork } from './roofline.ts';
import { workOf } from './work.ts';

/**
 * `time stamps`: two around each launch, in one run. `repetition`: each launch several times in one submit, by the
 * clock of the host; for devices without time stamps, and for browsers that round these.
 */
export type ProfileMethod = 'time stamps' | 'repetition';

export interface ProfileOptions {
  /** Time stamps where the device has them, if left out. */
  readonly method?: ProfileMethod | undefined;
}

/** One dispatch of a profiled run. */
export interface LaunchTime extends TimedWork {
  /** The operation, e.g. `conv2d`. */
  readonly op: string;
  /** The kernel that it launched, by the name of its file. */
  readonly kernel: string;
}

export interface KernelTime extends TimedWork {
  readonly kernel: string;
  readonly launches: number;
  /** Of the time of all launches, 0 to 1. */
  readonly share: number;
}

export interface Profile {
  /** In the order of launching. */
  readonly launches: readonly LaunchTime[];
  /** From the begin of the first launch to the end of the last; by repetition: of all launches together. */
  readonly ms: number;
  readonly method: ProfileMethod;
}

/**
 * Runs a program once and measures each dispatch, with what it computes and moves. It is a run like any other: inputs
 * are written, parameters stepped, and `program.outputs()` gives its results.
 *
 * By time stamps the run is somewhat slower than one in a single pass: launches do not overlap. Browsers round time
 * stamps, to 100 microseconds or so (Chromium does not if started with
 * `--disable-dawn-features=timestamp_quantization`): a shorter launch counts as nothing or as one such step, and only
 * sums over many mean anything. In Node they are exact. The first run of a program also pays what drivers put off until
 * then; profile a later one.
 *
 * By repetition each launch is timed at its fastest and on its own, what it has written put back afterwards. One that
 * has less to do where it finds its own results (an exit check whose rows have left) is timed too low.
 * @throws GpuError if time stamps are asked for and the device was not given the feature `timestamp-query`
 * @throws ShapeError, DisposedError, DeviceLostError
 */
export async function profile<I extends string>(
  program: Program<I>,
  inputs: Readonly<Record<I, RunInput>>,
  { method = program.device.features.has('timestamp-query') ? 'time stamps' : 'repetition' }: ProfileOptions = {},
): Promise<Profile> {
  program.check();
  const { times, ms } = await (method === 'time stamps' ? byTimeStamps : byRepetition)(program, inputs);
  const work = workOf(program);
  const launches = times.map(({ launch, ms }) => {
    const { op, dispatch } = launch;
    return { op, kernel: dispatch.kernel.name, ms, ...work.get(launch)! };
  });
  return { launches, ms, method };
}

interface Times {
  readonly times: readonly { readonly launch: Launch; readonly ms: number }[];
  readonly ms: number;
}

/** Between two time stamps around a pass of its own. */
async function byTimeStamps<I extends string>(
  program: Program<I>,
  inputs: Readonly<Record<I, RunInput>>,
): Promise<Times> {
  using stamps = new PassTimes(program.device, `${program.label}/profile`);
  const launchOf = new Map(program.launches.map((launch) => [launch.group, launch]));
  const launched: Launch[] = [];
  const recording = program.record(inputs, (group) => {
    launched.push(launchOf.get(group)!);
    return stamps.next();
  });
  recording.submit();
  const passes = await stamps.read();
  const times = passes.map(({ begin, end }, index) => ({ launch: launched[index]!, ms: milliseconds(begin, end) }));
  return { times, ms: passes.length ? milliseconds(passes[0]!.begin, passes.at(-1)!.end) : 0 };
}

const ROUND_TRIPS = 20;

/** In order, each as often as its time takes to be measured, and once more on what was there before. */
async function byRepetition<I extends string>(
  program: Program<I>,
  inputs: Readonly<Record<I, RunInput>>,
): Promise<Times> {
  const { device } = program;
  program.start(inputs).submit();
  const times: { launch: Launch; ms: number }[] = [];
  let roundTripMs: number | undefined;
  for (const launch of program.launches) {
    if (gridFor(launch.dispatch, launch.live.known).includes(0)) continue;
    const [seen] = launch.written as [BufferRange];
    const run = (repeats: number): Promise<number> =>
      timed(device, seen, (recording) => {
        for (let repeat = 0; repeat < repeats; repeat++) program.encodeLaunch(recording, launch);
      });
    roundTripMs ??= await fastest(ROUND_TRIPS, () => run(0));
    using before = new Kept(device, launch.written);
    times.push({ launch, ms: await repeated(run, roundTripMs) });
    const recording = device.record(program.label);
    before.putBack(recording);
    program.encodeLaunch(recording, launch);
    recording.submit();
  }
  return { times, ms: times.reduce((sum, { ms }) => sum + ms, 0) };
}

/** A copy of memory, until it is disposed of. */
class Kept implements Disposable {
  #device: Device;
  #copies: { readonly of: BufferRange; readonly copy: BufferRange }[];

  constructor(device: Device, ranges: readonly BufferRange[]) {
    this.#device = device;
    this.#copies = ranges.map((of) => {
      const usage = GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
      return { of, copy: { buffer: device.createBuffer(of.size, usage, 'kept'), offset: 0, size: of.size } };
    });
    const recording = device.record('keep');
    for (const { of, copy } of this.#copies) recording.copy(of, copy);
    recording.submit();
  }

  putBack(recording: Recording): void {
    for (const { of, copy } of this.#copies) recording.copy(copy, of);
  }

  [Symbol.dispose](): void {
    for (const { copy } of this.#copies) this.#device.destroyBuffer(copy.buffer);
  }
}

/** Milliseconds from here until the host has read four bytes that the GPU copied behind what `encode` recorded. */
async function timed(device: Device, seen: BufferRange, encode: (recording: Recording) => void): Promise<number> {
  const began = performance.now();
  const recording = device.record('profile');
  encode(recording);
  const pending = recording.read({ ...seen, size: 4 });
  recording.submit();
  await pending();
  return performance.now() - began;
}

async function fastest(rounds: number, measure: () => Promise<number>): Promise<number> {
  let best = Infinity;
  for (let round = 0; round < rounds; round++) best = Math.min(best, await measure());
  return best;
}

/** Adds up the launches of each kernel, the longest first. */
export function byKernel(launches: readonly LaunchTime[]): KernelTime[] {
  const sums = new Map<string, Omit<KernelTime, 'share'>>();
  let total = 0;
  for (const { kernel, ms, flops, bytes } of launches) {
    const sum = sums.get(kernel) ?? { kernel, launches: 0, ms: 0, flops: 0, bytes: 0 };
    sums.set(kernel, {
      kernel,
      launches: sum.launches + 1,
      ms: sum.ms + ms,
      flops: sum.flops + flops,
      bytes: sum.bytes + bytes,
    });
    total += ms;
  }
  return [...sums.values()]
    .map((sum) => ({ ...sum, share: total > 0 ? sum.ms / total : 0 }))
    .sort((a, b) => b.ms - a.ms);
}

/** Never negative: a GPU may reset its clock in between (https://www.w3.org/TR/webgpu/#timestamp). */
const milliseconds = (begin: bigint, end: bigint): number => Math.max(0, Number(end - begin) / 1e6);
