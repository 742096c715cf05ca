import { imageAt } from '../../data/dataset.ts';
import type { Dataset } from '../../data/dataset.ts';
import { ArgumentError } from '../../errors.ts';
import type { Classifier } from '../classifier.ts';
import type { Model } from '../model.ts';
import { checkFits } from '../network.ts';
import type { PolicyKind } from '../scheduling/costs.ts';
import { meanOf } from './answers.ts';

/** What single calls took, by the exit where their sample left: to time what `network.macs` is to work. */
export interface ExitTimes {
  readonly adapter: string;
  readonly policy: PolicyKind;
  /** Milliseconds of each call that left at exit k, `[k - 1][call]`. */
  readonly toExit: readonly (readonly number[])[];
  /** Milliseconds of each call of the network without exits. */
  readonly full: readonly number[];
}

export interface ExitTimesOptions {
  /** `readback` where left out. */
  readonly policy?: PolicyKind | undefined;
  /** Timed calls for each exit; 100 where left out. */
  readonly calls?: number;
  readonly signal?: AbortSignal | undefined;
}

/** Calls of one kind in a row. The one before them is not timed: it takes the new criterion to the GPU. */
const IN_A_ROW = 10;

/**
 * Times calls of one sample each that leave at a given exit, whatever its scores. Exits take turns, and the network
 * without exits does too, so that what else the machine does falls on all. The planner of `auto` compares costs at their
 * best; these are whole calls as a caller waits for them, the slow ones too.
 * @throws ArgumentError for calls that are no positive integer or data without samples, DeviceLostError, the signal's
 * reason
 */
export async function measureExitTimes(
  model: Model,
  dataset: Dataset,
  { policy = 'readback', calls = 100, signal }: ExitTimesOptions = {},
): Promise<ExitTimes> {
  const samples = dataset.labels.length;
  if (!(Number.isInteger(calls) && calls >= 1)) {
    throw new ArgumentError(`measureExitTimes: expected 1 call or more for each exit, got ${calls}`);
  }
  checkFits(model.network, dataset, 'measureExitTimes');
  const exits = model.network.stages.map((_, index) => index + 1);
  const toExit = exits.map((): number[] => []);
  const full: number[] = [];
  using early = await model.compile({ policy, criterion: { kind: 'fromExit', exit: 1 } });
  using alone = await model.compile({ exits: exits.slice(-1) });

  let sample = 0;
  const timeRow = async (classifier: Classifier, timed: number, keep: (ms: number, exit: number) => void) => {
    for (let call = -1; call < timed; call++) {
      signal?.throwIfAborted();
      const image = imageAt(dataset, sample++ % samples);
      const began = performance.now();
      const { exit } = await classifier.classify(image);
      if (call >= 0) keep(performance.now() - began, exit);
    }
  };
  // The first rows are there to warm up.
  for (let done = -IN_A_ROW; done < calls; done += IN_A_ROW) {
    const timed = Math.min(IN_A_ROW, calls - done);
    for (const exit of exits) {
      early.setCriterion({ kind: 'fromExit', exit });
      // A sample with scores that are not finite leaves at the last exit, whatever was asked for.
      await timeRow(early, timed, (ms, left) => void (done >= 0 && toExit[left - 1]!.push(ms)));
    }
    await timeRow(alone, timed, (ms) => void (done >= 0 && full.push(ms)));
  }
  return { adapter: model.device.name, policy, toExit, full };
}

/** Milliseconds of a sample that leaves at each exit, in the mean over the calls. */
export const meanTimes = ({ toExit }: ExitTimes): number[] => toExit.map(meanOf);

/** Milliseconds per sample in the mean, where these shares of the samples leave at each exit. */
export const meanOver = (times: ExitTimes, shares: readonly number[]): number =>
  meanTimes(times).reduce((sum, ms, exit) => sum + ms * shares[exit]!, 0);

/** Of the calls that left at each exit, the share that took longer than `ms`. */
export const lateShares = ({ toExit }: ExitTimes, ms: number): number[] =>
  toExit.map((times) => lateOf(times, ms));

/** The share of calls that took longer than `ms`. */
export const lateOf = (times: readonly number[], ms: number): number =>
  times.filter((time) => time > ms).length / times.length;

/** The share of such samples that takes longer than `ms`. */
export const lateOver = (times: ExitTimes, ms: number, shares: readonly number[]): number =>
  lateShares(times, ms).reduce((sum, share, exit) => sum + share * shares[exit]!, 0);

/** @throws ArgumentError unless there are times, finite and not negative, for each exit; `what` names the caller */
export function checkTimes(what: string, { toExit }: ExitTimes, exits: number): void {
  if (toExit.length !== exits) {
    throw new ArgumentError(`${what}: expected the times of ${exits} exits, got those of ${toExit.length}`);
  }
  toExit.forEach((times, index) => {
    const stray = times.find((time) => !(time >= 0 && time < Infinity));
    if (times.length > 0 && stray === undefined) return;
    const got = times.length === 0 ? 'none; its scores may not be finite' : stray;
    throw new ArgumentError(`${what}: expected finite milliseconds of calls that left at exit ${index + 1}, got ${got}`);
  });
}
