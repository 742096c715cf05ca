import type { Dataset } from '../../data/dataset.ts';
import { ArgumentError } from '../../errors.ts';
import type { ClassifierOptions } from '../classifier.ts';
import { entropy } from '../criteria.ts';
import type { Model } from '../model.ts';
import { checkFits, macsToExit } from '../network.ts';
import { measureLatency } from './latency.ts';
import { percentiles } from './percentiles.ts';
import type { Percentiles } from './percentiles.ts';

/** Of single samples, one by one; `slowest` is the longest of them. */
export type LatencyTail = Percentiles & { readonly slowest: number };

/** What no input can exceed: a sample that goes to the last exit, through every head on the way. */
export interface WorstCase {
  /** Multiply-accumulates of such a sample, and of the network without exits: trunk and last head. */
  readonly macs: { readonly worst: number; readonly full: number };
  /** Milliseconds, measured in turn. */
  readonly latencyMs: { readonly worst: LatencyTail; readonly full: LatencyTail; readonly samples: number };
}

export interface WorstCaseOptions {
  /** As for `Model.compile`, but for `auto`: of a classifier that was compiled with it, its `plan`. */
  readonly policy?: Exclude<ClassifierOptions['policy'], 'auto'>;
  /** Samples timed, from the start of the data; 100 where left out, or all if fewer. */
  readonly samples?: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * What exits cost where they never help: every sample is asked to leave below an entropy of 0, which none does.
 * @throws ArgumentError, DeviceLostError, the signal's reason
 */
export async function measureWorstCase(
  model: Model,
  dataset: Dataset,
  { policy, samples = 100, signal }: WorstCaseOptions = {},
): Promise<WorstCase> {
  const { network } = model;
  checkFits(network, dataset, 'measureWorstCase');
  if (!(Number.isInteger(samples) && samples >= 1)) {
    throw new ArgumentError(`measureWorstCase: expected samples of 1 or more, got ${samples}`);
  }
  using early = await model.compile({ criterion: entropy(0), policy });
  using full = await model.compile({ exits: [network.stages.length] });
  const timed = Math.min(samples, dataset.labels.length);
  const { times } = await measureLatency({ early, full }, dataset, timed, { signal });
  const worst = macsToExit(network.macs, early.exits.at(-1)!, early.exits);
  return {
    macs: { worst, full: network.macs.full },
    latencyMs: { worst: tailOf(times.early), full: tailOf(times.full), samples: timed },
  };
}

const tailOf = (times: readonly number[]): LatencyTail => ({ ...percentiles(times), slowest: Math.max(...times) });
