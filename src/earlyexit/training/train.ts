import { adam } from '../../autograd/optimizer.ts';
import type { Optimizer } from '../../autograd/optimizer.ts';
import { batches } from '../../data/batches.ts';
import { fingerprint } from '../../data/dataset.ts';
import type { Dataset } from '../../data/dataset.ts';
import { ArgumentError, TrainingError } from '../../errors.ts';
import { augmentation } from '../../kernels/augment.ts';
import type { Augmentation } from '../../kernels/augment.ts';
import { Random } from '../../random.ts';
import type { Model, TrainingRecord } from '../model.ts';
import { checkFits } from '../network.ts';
import type { HeadGradient } from './head-gradient.ts';
import { crossEntropies } from './losses.ts';
import type { LossTerm } from './losses.ts';
import { Pace } from './pace.ts';
import { planPhases, weightsPerExit } from './phases.ts';
import type { PlannedPhase } from './phases.ts';
import type { ExitWeights, ScheduleContext } from './schedules.ts';
import { gradientNormOf } from './step.ts';
import { StepPrograms } from './step-programs.ts';
import { joint } from './strategies.ts';
import type { Strategy } from './strategies.ts';
import { weightsAt } from './weighing.ts';
import type { Weights } from './weighing.ts';

export interface TrainOptions {
  /** Times through the data; 5 where left out. */
  readonly epochs?: number;
  /** Samples per step; 64 where left out. */
  readonly batch?: number;
  /** Decides the order of the samples and what dropout drops; 1 where left out. */
  readonly seed?: number;
  /**
   * Weight of each exit's loss, the last included; 1 each where left out. Schedules change it from step to step, see
   * `schedules.ts` for those of the literature; any function of step and exit will do.
   */
  readonly weights?: ExitWeights;
  /** The terms that are added up, see `losses.ts`; the weighted cross-entropies where left out. */
  readonly loss?: readonly LossTerm[];
  /** In which phases what is trained, see `strategies.ts`; everything at once where left out. */
  readonly strategy?: Strategy;
  /** What the heads send into the trunk; all of it where left out. */
  readonly headGradient?: HeadGradient;
  /** Has the gradients that the heads send into the trunk measured, see `EpochProgress`; a little slower. */
  readonly gradientNorms?: boolean;
  /**
   * Random changes of the images, on the GPU: shift, flip, cutout, noise (in units of the normalised pixels). `fill` is
   * black where left out.
   */
  readonly augmentation?: Augmentation;
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
  /** The sum of all terms, in nats. */
  readonly loss: number;
  /** Of the strategy. */
  readonly phase: string;
}

export interface EpochProgress {
  /** Counted from 1. */
  readonly epoch: number;
  readonly epochs: number;
  /** Of the strategy. */
  readonly phase: string;
  /** Means over the epoch. */
  readonly loss: number;
  readonly exitLosses: readonly number[];
  /** Lengths of the gradients that the exits send into the trunk, 0 for exits of weight 0; if asked for. */
  readonly gradientNorms?: readonly number[];
  readonly seconds: number;
}

/** Steps that may be on the GPU at once: the host prepares and naps while others run. */
const IN_FLIGHT = 4;

/**
 * Trains a model in the phases of a strategy; where left out, all exits together by the joint loss of BranchyNet
 * (Teerapittayanon et al. 2016, section III-B: `sum_k weight_k * cross-entropy_k`). Each step is one submit; losses are
 * read back without holding up the next step. Learning rates and schedules follow the step over all phases; the
 * optimiser's state is fresh where a phase begins, unless it goes on with an earlier one of the same structure.
 * Thresholds that the model had are dropped: they were chosen for other weights.
 *
 * @throws ArgumentError for options out of range, TrainingError if a loss is not finite, DeviceLostError
 */
export async function train(model: Model, dataset: Dataset, options: TrainOptions = {}): Promise<void> {
  const { batch = 64, seed = 1, optimizer = adam(), headGradient, gradientNorms, signal } = options;
  const { strategy = joint(), loss = [crossEntropies()] } = options;
  checkOptions(model, dataset, options);
  const weights = weightsPerExit(options.weights, model.network.stages.length);
  const phases = planPhases(model, { strategy, epochs: options.epochs ?? 5, weights, loss });
  const phaseOf = phases.flatMap((phase, index) => new Array<number>(phase.epochs).fill(index));
  const epochs = phaseOf.length;
  const exits = model.network.stages.length;
  const stepsPerEpoch = Math.ceil(dataset.labels.length / batch);
  const schedule: ScheduleContext = { steps: epochs * stepsPerEpoch, stepsPerEpoch, exits, macs: model.network.macs };
  const record = recordOfPlan(weights, phases, schedule);

  const augmented = augmentationOf(model, options);
  const stepOptions = { batch, optimizer, headGradient, gradientNorms, augmentation: augmented };
  using programs = new StepPrograms(model, stepOptions);
  const seeds = new Random(seed).split('dropout');
  const losses: number[] = [];
  const pending: Pending[] = [];
  const pace = new Pace();
  let number = 0;
  // Thresholds were chosen for the weights that were.
  model.thresholds = undefined;

  try {
    for (let epoch = 1; epoch <= epochs && !signal?.aborted; epoch++) {
      const [phase, ...ahead] = phases.slice(phaseOf[epoch - 1]) as [PlannedPhase, ...PlannedPhase[]];
      const program = await programs.of([phase, ...ahead]);
      const began = performance.now();
      const sums = new Array<number>(program.step.names.length).fill(0);
      let samples = 0;
      const collect = async (): Promise<void> => {
        const { read, rows, at } = pending.shift()!;
        const values = await pace.collect(read);
        checkFinite(values, program.step.names, at, epoch);
        values.forEach((value, index) => (sums[index]! += value * rows));
        samples += rows;
        options.onStep?.({ step: at, steps: schedule.steps, loss: values.at(-1)!, phase: phase.name });
      };
      const order = { batch, seed, epoch: epoch - 1, normalize: model.normalization };
      for (const { x, y, rows } of batches(dataset, order)) {
        if (signal?.aborted) break;
        number++;
        const read = program.step.run({
          x,
          y,
          hyper: optimizer.hyper(number, { age: ++program.age, factor: phase.learningRate }),
          seed: Uint32Array.of(seeds.nextUint32()),
          weights: weightsAt(phase.weights, number, schedule),
        });
        pending.push({ read, rows, at: number });
        if (pending.length >= IN_FLIGHT) await collect();
      }
      while (pending.length > 0) await collect();
      if (samples < dataset.labels.length) break;
      const means = sums.map((sum) => sum / samples);
      losses.push(means.at(-1)!);
      await options.onEpoch?.({
        epoch,
        epochs,
        phase: phase.name,
        loss: means.at(-1)!,
        exitLosses: means.slice(0, exits),
        ...(gradientNorms && { gradientNorms: normsIn(means, program.step.names, exits) }),
        seconds: (performance.now() - began) / 1000,
      });
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
    ...record,
    strategy: strategy.name || 'function',
    ...(augmented && { augmentation: { ...augmented } }),
    optimizer: { name: optimizer.name, ...optimizer.options },
    adapter: model.device.name,
    losses,
  };
}

type PlanRecord = Pick<TrainingRecord, 'weights' | 'weightSchedule' | 'loss' | 'phases'>;

/** Weights are those of the first step; that they change is said by the name of the schedule. @throws ArgumentError */
function recordOfPlan(weights: Weights, phases: readonly PlannedPhase[], schedule: ScheduleContext): PlanRecord {
  const names = new Set(weights.flatMap((weight) => (typeof weight === 'function' ? [weight.name || 'function'] : [])));
  return {
    weights: weightsAt(weights, 1, schedule),
    ...(names.size > 0 && { weightSchedule: [...names].join(', ') }),
    loss: [...new Set(phases.flatMap((phase) => phase.loss))].map((term) => ({ name: term.name, ...term.options })),
    phases: phases.map((phase) => ({
      name: phase.name,
      epochs: phase.epochs,
      weights: weightsAt(phase.weights, 1, schedule),
      trained: phase.trained.size,
    })),
  };
}

const normsIn = (means: readonly number[], names: readonly string[], exits: number): number[] =>
  Array.from({ length: exits }, (_, index) => means[names.indexOf(gradientNormOf(index + 1))] ?? 0);

interface Pending {
  readonly read: () => Promise<Float32Array>;
  readonly rows: number;
  readonly at: number;
}

function checkFinite(values: Float32Array, names: readonly string[], step: number, epoch: number): void {
  const bad = values.findIndex((value) => !Number.isFinite(value));
  if (bad < 0) return;
  const what = `the ${names[bad]} became ${values[bad]} at step ${step} (epoch ${epoch})`;
  throw new TrainingError(`train: ${what}; lower the learning rate, or look for NaN in the data`);
}

/** None where nothing is on. @throws ArgumentError */
function augmentationOf({ normalization }: Model, { augmentation: given }: TrainOptions): Augmentation | undefined {
  if (!given) return undefined;
  const black = -normalization.mean[0]! / normalization.std[0]!;
  const checked = augmentation({ fill: black, ...given });
  return checked.shift || checked.flip || checked.cutout || checked.noise ? checked : undefined;
}

function checkOptions({ network }: Model, dataset: Dataset, options: TrainOptions): void {
  const { epochs = 5, batch = 64, headGradient } = options;
  const whole = (value: number): boolean => Number.isInteger(value) && value >= 1;
  const exits = network.stages.length;
  if (!whole(epochs)) throw new ArgumentError(`train: expected epochs of 1 or more, got ${epochs}`);
  if (!whole(batch)) throw new ArgumentError(`train: expected a batch of 1 or more, got ${batch}`);
  const factors = headGradient === 'equilibrium' ? undefined : headGradient;
  if (factors && (factors.length !== exits || !factors.every(Number.isFinite))) {
    const got = `[${factors.join(', ')}]`;
    throw new ArgumentError(`train: expected ${exits} factors for the gradients of the heads, got ${got}`);
  }
  checkFits(network, dataset, 'train');
}
