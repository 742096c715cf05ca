import { adam } from '../../autograd/optimizer.ts';
import type { Optimizer } from '../../autograd/optimizer.ts';
import { batches } from '../../data/batches.ts';
import { fingerprint } from '../../data/dataset.ts';
import type { Dataset } from '../../data/dataset.ts';
import { ArgumentError, TrainingError } from '../../errors.ts';
import { Random } from '../../random.ts';
import type { Model } from '../model.ts';
import { checkFits } from '../network.ts';
import { compileStep } from './step.ts';

export interface TrainOptions {
  /** Times through the data; 5 where left out. */
  readonly epochs?: number;
  /** Samples per step; 64 where left out. */
  readonly batch?: number;
  /** Decides the order of the samples and what dropout drops; 1 where left out. */
  readonly seed?: number;
  /** Weight of each exit's loss, the last included; 1 each where left out. */
  readonly weights?: readonly number[];
  readonly optimizer?: Optimizer;
  /** Called after each step. */
  readonly onStep?: (progress: StepProgress) => void;
  /** Called after each epoch; training waits for what it returns. */
  readonly onEpoch?: (progress: EpochProgress) => void | Promise<void>;
  /** Ends training after the step under way; the model keeps what it has learnt, and its record says `interrupted`. */
  readonly signal?: AbortSignal;
}

export interface StepProgress {
  /** Counted from 1 over all epochs. */
  readonly step: number;
  readonly steps: number;
  /** Weighted sum of the exits' losses, in nats. */
  readonly loss: number;
}

export interface EpochProgress {
  /** Counted from 1. */
  readonly epoch: number;
  readonly epochs: number;
  /** Means over the epoch. */
  readonly loss: number;
  readonly exitLosses: readonly number[];
  readonly seconds: number;
}

/** Steps that may be on the GPU at once: the host prepares and naps while others run. */
const IN_FLIGHT = 4;

/**
 * Trains all exits together (the joint loss of BranchyNet, Teerapittayanon et al. 2016, section III-B:
 * `sum_k weight_k * cross-entropy_k`). Each step is one submit; losses are read back without holding up the next step.
 * Thresholds that the model had are dropped: they were chosen for other weights.
 *
 * @throws ArgumentError for options out of range, TrainingError if a loss is not finite, DeviceLostError
 */
export async function train(model: Model, dataset: Dataset, options: TrainOptions = {}): Promise<void> {
  const { epochs = 5, batch = 64, seed = 1, optimizer = adam(), signal } = options;
  const exits = model.network.stages.length;
  const weights = options.weights ?? new Array<number>(exits).fill(1);
  checkOptions(model, dataset, epochs, batch, weights);

  using step = await compileStep(model, { batch, weights, optimizer });
  const steps = epochs * Math.ceil(dataset.labels.length / batch);
  const seeds = new Random(seed).split('dropout');
  const losses: number[] = [];
  const pending: Pending[] = [];
  const pace = new Pace();
  let number = 0;
  // Thresholds were chosen for the weights that were.
  model.thresholds = undefined;

  try {
    for (let epoch = 1; epoch <= epochs && !signal?.aborted; epoch++) {
      const began = performance.now();
      const sums = new Array<number>(exits + 1).fill(0);
      let samples = 0;
      const collect = async (): Promise<void> => {
        const { read, rows, at } = pending.shift()!;
        const values = await pace.collect(read);
        checkFinite(values, at, epoch);
        values.forEach((value, index) => (sums[index]! += value * rows));
        samples += rows;
        options.onStep?.({ step: at, steps, loss: values[exits]! });
      };
      for (const { x, y, rows } of batches(dataset, { batch, seed, epoch: epoch - 1, normalize: model.normalization })) {
        if (signal?.aborted) break;
        number++;
        const read = step.run({ x, y, hyper: optimizer.hyper(number), seed: Uint32Array.of(seeds.nextUint32()) });
        pending.push({ read, rows, at: number });
        if (pending.length >= IN_FLIGHT) await collect();
      }
      while (pending.length > 0) await collect();
      if (samples < dataset.labels.length) break;
      const [loss, ...exitLosses] = [sums[exits]!, ...sums.slice(0, exits)].map((sum) => sum / samples) as [number, ...number[]];
      losses.push(loss);
      await options.onEpoch?.({ epoch, epochs, loss, exitLosses, seconds: (performance.now() - began) / 1000 });
    }
  } finally {
    // After a failure: what is still to come goes back to the staging ring.
    await Promise.allSettled(pending.map(({ read }) => read()));
  }
  model.training = {
    dataset: dataset.name,
    fingerprint: fingerprint(dataset),
    samples: dataset.labels.length,
    seed,
    epochs: { planned: epochs, done: losses.length },
    interrupted: losses.length < epochs,
    batch,
    weights,
    optimizer: { name: optimizer.name, ...optimizer.options },
    adapter: model.device.name,
    losses,
  };
}

interface Pending {
  readonly read: () => Promise<Float32Array>;
  readonly rows: number;
  readonly at: number;
}

function checkFinite(values: Float32Array, step: number, epoch: number): void {
  const bad = values.findIndex((value) => !Number.isFinite(value));
  if (bad < 0) return;
  const what = bad < values.length - 1 ? `loss of exit ${bad + 1}` : 'total loss';
  throw new TrainingError(
    `train: the ${what} became ${values[bad]} at step ${step} (epoch ${epoch}); lower the learning rate, or look for NaN in the data`,
  );
}

/** Naps shorter than this are not worth a timer. */
const SHORTEST_NAP_MS = 4;

/**
 * Sleeps about as long as a step takes before asking for a loss: while a map is pending, Dawn in Node spins on the main
 * thread, and a software GPU needs that core. A loss that has to be waited for lengthens the nap, one that is there
 * shortens it; the steps in flight keep the GPU busy meanwhile.
 */
class Pace {
  #nap = 0;
  #last = performance.now();

  async collect<T>(read: () => Promise<T>): Promise<T> {
    const rest = this.#nap - (performance.now() - this.#last);
    if (rest > SHORTEST_NAP_MS) await new Promise((resolve) => setTimeout(resolve, rest));
    const asked = performance.now();
    const value = await read();
    this.#last = performance.now();
    const waited = this.#last - asked;
    this.#nap = waited > 1 ? this.#nap + waited / 4 : this.#nap * 0.95;
    return value;
  }
}

function checkOptions(model: Model, dataset: Dataset, epochs: number, batch: number, weights: readonly number[]): void {
  const { network } = model;
  const whole = (value: number): boolean => Number.isInteger(value) && value >= 1;
  if (!whole(epochs)) throw new ArgumentError(`train: expected epochs of 1 or more, got ${epochs}`);
  if (!whole(batch)) throw new ArgumentError(`train: expected a batch of 1 or more, got ${batch}`);
  if (weights.length !== network.stages.length || weights.some((weight) => !(weight >= 0 && weight < Infinity)) || !weights.some(Boolean)) {
    throw new ArgumentError(
      `train: expected ${network.stages.length} weights of 0 or more, one per exit and not all 0, got [${weights.join(', ')}]`,
    );
  }
  checkFits(network, dataset, 'train');
}
