import { batches } from '../../data/batches.ts';
import type { Dataset } from '../../data/dataset.ts';
import { ArgumentError } from '../../errors.ts';
import type { Classifier, ClassifierOptions, ClassifyOptions, Prediction } from '../classifier.ts';
import type { Criterion } from '../criteria.ts';
import type { Model } from '../model.ts';
import { checkFits, macsToExit } from '../network.ts';
import type { PolicyKind } from '../scheduling/costs.ts';
import type { PlanStore } from '../scheduling/plan-store.ts';
import { measureLatency } from './latency.ts';
import { percentiles } from './percentiles.ts';
import type { Percentiles } from './percentiles.ts';
import { accuracyOf, checkBatch, isRight, scoreExits } from './scores.ts';
import type { ScoreTable } from './scores.ts';

export type { Percentiles };

export interface ExitReport {
  /** Counted from 1. */
  readonly exit: number;
  /** Share of the samples that leave here. */
  readonly share: number;
  /** Of those that leave here, the share that is right; null if none does. */
  readonly accuracy: number | null;
  /** If this exit answered for all samples. */
  readonly accuracyAll: number;
  /** Multiply-accumulates of a sample that leaves here, heads on the way counted. */
  readonly macs: number;
}

export interface EvaluationReport {
  readonly adapter: string;
  readonly dataset: string;
  readonly samples: number;
  readonly criterion: Criterion;
  /** Share of right answers with exits, and of the full network. */
  readonly accuracy: number;
  readonly accuracyFull: number;
  /** Samples that the last exit answered with a NaN or infinite logit; they count as wrong. */
  readonly notFinite: number;
  readonly exits: readonly ExitReport[];
  /** How the host learned where samples leave; with `auto`, why, and the exits that were checked. */
  readonly policy: PolicyKind;
  readonly plan?: string;
  readonly checked: readonly number[];
  /** Share of the samples for which the deadline came first. */
  readonly deadline?: { readonly ms: number; readonly timedOut: number };
  /**
   * Per sample; `full` is trunk and last head, `speedup` full / mean. The exit checks cost time, not
   * multiply-accumulates.
   */
  readonly macs: { readonly mean: number; readonly full: number; readonly speedup: number };
  /** Of one sample at a time, measured alternately: with exits, and the full network without. */
  readonly latencyMs: { readonly early: Percentiles; readonly full: Percentiles; readonly samples: number };
  /** Per sample, while latency was measured with exits. */
  readonly reads: number;
  readonly submits: number;
  readonly dispatches: number;
}

export interface EvaluateOptions {
  /** The thresholds stored in the model where left out. */
  readonly criterion?: Criterion;
  /** As for `Model.compile`; `readback` where left out. `auto` takes the shares and the store. */
  readonly policy?: ClassifierOptions['policy'];
  readonly shares?: readonly number[];
  readonly store?: PlanStore;
  /** Samples are then classified one by one, each with this many milliseconds. */
  readonly deadlineMs?: number;
  readonly signal?: AbortSignal;
  /** Samples that go through the network together when accuracy is measured; 64 where left out. */
  readonly batch?: number;
  /** Of this model on this data, where they have been recorded already. */
  readonly scores?: ScoreTable | undefined;
  /** Samples whose latency is measured one by one; 500, or all if fewer, where left out. */
  readonly latencySamples?: number;
}

/**
 * Judges a model on data it was not trained or tuned on: accuracy with exits and without, where samples leave, what
 * they cost, and the latency of one sample against the network without exits, interleaved in one run.
 * @throws ArgumentError, DeviceLostError
 */
export async function evaluate(
  model: Model,
  dataset: Dataset,
  options: EvaluateOptions = {},
): Promise<EvaluationReport> {
  const { network } = model;
  const { batch = 64, latencySamples = 500 } = options;
  checkFits(network, dataset, 'evaluate');
  checkBatch(batch, 'evaluate');
  if (!(Number.isInteger(latencySamples) && latencySamples >= 1)) {
    throw new ArgumentError(`evaluate: expected latencySamples of 1 or more, got ${latencySamples}`);
  }
  const { criterion, policy, shares, store, deadlineMs, signal } = options;
  const chosen = criterion && { criterion };
  const table = options.scores ?? (await scoreExits(model, dataset, { batch, signal }));
  const count = dataset.labels.length;

  using early = await model.compile({ ...chosen, policy, shares, store, signal });
  const predictions = await classifyAll(early, dataset, options);
  const checked = early.exits;
  const right = (list: readonly number[]): number =>
    list.filter((sample) => isRight(predictions[sample]!, dataset.labels[sample]!)).length;
  const all = predictions.map((_, sample) => sample);
  const exits = network.stages.map((_, index): ExitReport => {
    const here = all.filter((sample) => predictions[sample]!.exit === index + 1);
    return {
      exit: index + 1,
      share: here.length / count,
      accuracy: here.length ? right(here) / here.length : null,
      accuracyAll: accuracyOf(table, index + 1),
      macs: macsToExit(network.macs, index + 1, checked),
    };
  });
  const mean = exits.reduce((sum, { share, macs }) => sum + share * macs, 0);
  const { full } = network.macs;

  using last = await model.compile({ exits: [network.stages.length] });
  // Now: while latency is measured, `auto` may plan anew.
  const { policy: used, plan } = early;
  const timed = Math.min(latencySamples, count);
  const { times, ...cost } = await measureLatency({ early, full: last }, dataset, timed, { deadlineMs, signal });
  return {
    adapter: model.device.name,
    dataset: dataset.name,
    samples: count,
    criterion: early.criterion,
    policy: deadlineMs !== undefined && used === 'gated' ? 'readback' : used,
    ...(plan && { plan: plan.explain() }),
    checked,
    ...(deadlineMs !== undefined && {
      deadline: { ms: deadlineMs, timedOut: predictions.filter(({ timedOut }) => timedOut).length / count },
    }),
    accuracy: right(all) / count,
    accuracyFull: accuracyOf(table, network.stages.length),
    notFinite: predictions.filter(({ finite }) => !finite).length,
    exits,
    macs: { mean, full, speedup: full / mean },
    latencyMs: { early: percentiles(times.early), full: percentiles(times.full), samples: timed },
    ...cost,
  };
}

/** Answers are the same one by one and in batches, but for a deadline. */
async function classifyAll(early: Classifier, dataset: Dataset, options: EvaluateOptions): Promise<Prediction[]> {
  const { model, exits, criterion } = early;
  const { batch = 64, deadlineMs, signal } = options;
  const call = { deadlineMs, signal };
  using grouped = deadlineMs === undefined ? await model.compile({ criterion, exits, batch }) : undefined;
  const predictions: Prediction[] = [];
  for (const { x } of batches(dataset, { batch, normalize: model.normalization })) {
    predictions.push(...(await (grouped ? grouped.classifyBatch(x, call) : oneByOne(early, x, call))));
  }
  return predictions;
}

async function oneByOne(early: Classifier, x: Float32Array, call: ClassifyOptions): Promise<Prediction[]> {
  const { sampleSize } = early.model;
  const predictions: Prediction[] = [];
  for (let start = 0; start < x.length; start += sampleSize) {
    predictions.push(await early.classify(x.subarray(start, start + sampleSize), call));
  }
  return predictions;
}
