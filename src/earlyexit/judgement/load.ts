import { imageAt } from '../../data/dataset.ts';
import type { Dataset } from '../../data/dataset.ts';
import { ArgumentError, QueueFullError } from '../../errors.ts';
import { Random } from '../../random.ts';
import type { Classifier } from '../classifier.ts';
import { checkFits } from '../network.ts';
import { percentiles } from './percentiles.ts';
import type { Percentiles } from './percentiles.ts';

export interface LoadOptions {
  /** Calls per second, in the mean. */
  readonly rate: number;
  /** Calls in all; the samples are those of the data, from the start and over again. */
  readonly samples: number;
  /** `poisson`, where left out: calls know nothing of each other, and so come in bursts; or `even`ly spaced. */
  readonly arrivals?: 'poisson' | 'even';
  /** Draws the arrivals, which are the same for the same seed, rate and samples; 1 where left out. */
  readonly seed?: number;
  /** Of each call, from its start. */
  readonly deadlineMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** How a classifier answers calls that do not wait for each other. */
export interface Load {
  /** Calls per second: asked for, as they came, and answered. */
  readonly rate: number;
  readonly offered: number;
  readonly achieved: number;
  /** Calls answered, and calls that found the queue full. */
  readonly served: number;
  readonly rejected: number;
  /** Milliseconds of each call answered, from its arrival, in the order of arrivals. */
  readonly times: readonly number[];
  /** Of these; NaN if there are none. */
  readonly latencyMs: Percentiles;
}

/** Calls made at once before the clock starts: so that the classifier has the lanes that it may have. */
const WARM_UP = 20;

/**
 * Response times in an open system: calls begin when they arrive, whatever still waits, and are timed from their
 * arrival, so that waiting counts and a slow answer delays no later call (Schroeder, Wierman and Harchol-Balter 2006,
 * "Open versus closed: a cautionary tale", section 2). What the host is late to begin waits as well: timers alone add
 * up to a millisecond, in pages up to four.
 * @throws ArgumentError, DeviceLostError, the signal's reason: once every call that has begun has come to an end
 */
export async function measureLoad(classifier: Classifier, dataset: Dataset, options: LoadOptions): Promise<Load> {
  const { rate, deadlineMs, signal } = options;
  const due = arrivalTimes(options);
  checkFits(classifier.model.network, dataset, 'measureLoad');
  const failed = new AbortController();
  const ended = signal ? AbortSignal.any([signal, failed.signal]) : failed.signal;
  /** Milliseconds from `began` to the answer; nothing of a call that was refused, or failed. */
  const call = async (sample: number, began: number): Promise<number | undefined> => {
    try {
      const image = imageAt(dataset, sample % dataset.labels.length);
      // A signal each: of more than ten that wait on one Node warns as of a leak.
      await classifier.classify(image, { deadlineMs, signal: AbortSignal.any([ended]) });
      return performance.now() - began;
    } catch (error) {
      if (!(error instanceof QueueFullError)) failed.abort(error);
      return undefined;
    }
  };

  await Promise.all(Array.from({ length: WARM_UP }, (_, sample) => call(sample, 0)));
  const origin = performance.now();
  const calls: Promise<number | undefined>[] = [];
  while (calls.length < due.length && !ended.aborted) {
    await sleep(origin + due[calls.length]! - performance.now(), ended);
    const now = performance.now() - origin;
    while (due[calls.length]! <= now) calls.push(call(calls.length, origin + due[calls.length]!));
  }
  const ends = await Promise.all(calls);
  ended.throwIfAborted();
  const times = ends.filter((time) => time !== undefined);
  const lasted = due.reduce((last, at, sample) => Math.max(last, at + (ends[sample] ?? 0)), 0);
  return {
    rate,
    offered: (due.length / due.at(-1)!) * 1000,
    achieved: (times.length / lasted) * 1000,
    served: times.length,
    rejected: due.length - times.length,
    times,
    latencyMs: percentiles(times),
  };
}

/** The same calls at the same times, with exits and then without; a deadline is for those with exits. */
export async function compareLoad(
  { early, full }: { early: Classifier; full: Classifier },
  dataset: Dataset,
  options: LoadOptions,
): Promise<{ early: Load; full: Load }> {
  return {
    early: await measureLoad(early, dataset, options),
    full: await measureLoad(full, dataset, { ...options, deadlineMs: undefined }),
  };
}

/**
 * When calls come, in milliseconds from the start: gaps are exponential with mean `1 / rate`, or all equal to it.
 * @throws ArgumentError
 */
export function arrivalTimes({ rate, samples, arrivals = 'poisson', seed = 1 }: LoadOptions): number[] {
  if (!(Number.isFinite(rate) && rate > 0)) {
    throw new ArgumentError(`measureLoad: expected a rate above 0, in calls per second, got ${rate}`);
  }
  if (!(Number.isInteger(samples) && samples >= 1)) {
    throw new ArgumentError(`measureLoad: expected samples of 1 or more, got ${samples}`);
  }
  if (arrivals !== 'poisson' && arrivals !== 'even') {
    throw new ArgumentError(`measureLoad: expected arrivals that are poisson or even, got ${String(arrivals)}`);
  }
  const random = new Random(seed);
  let at = 0;
  return Array.from({ length: samples }, () => {
    at += (arrivals === 'even' ? 1 : -Math.log(1 - random.uniform())) * (1000 / rate);
    return at;
  });
}

function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const wake = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', wake);
      resolve();
    };
    const timer = setTimeout(wake, milliseconds);
    signal.addEventListener('abort', wake);
  });
}
