import { adam } from '../../autograd/optimizer.ts';
import type { Optimizer } from '../../autograd/optimizer.ts';
import { fingerprint } from '../../data/dataset.ts';
import type { Dataset } from '../../data/dataset.ts';
import { ArgumentError } from '../../errors.ts';
import { augmentation } from '../../kernels/augment.ts';
import type { Augmentation } from '../../kernels/augment.ts';
import type { Model, TrainingRecord } from '../model.ts';
import { checkFits } from '../network.ts';
import { crossEntropies } from './losses.ts';
import { planPhases, weightsPerExit } from './phases.ts';
import type { PlannedPhase } from './phases.ts';
import type { ScheduleContext } from './schedules.ts';
import { joint } from './strategies.ts';
import type { TrainOptions } from './train.ts';
import { weightsAt } from './weighing.ts';
import type { Weights } from './weighing.ts';

/** A training as it was asked for: what is to be done, and the part of its record that says so. */
export interface TrainingPlan {
  readonly phases: readonly PlannedPhase[];
  /** For each phase, the epoch behind its last one, counted from 0. */
  readonly ends: readonly number[];
  readonly epochs: number;
  readonly batch: number;
  /** Batches per step. */
  readonly accumulate: number;
  readonly seed: number;
  readonly optimizer: Optimizer;
  readonly augmentation: Augmentation | undefined;
  readonly schedule: ScheduleContext;
  /** Between two checkpoints. */
  readonly everySeconds: number;
  readonly record: PlanRecord;
}

/** What two trainings have in common that come to the same weights; functions are told apart by their names only. */
export type PlanRecord = Omit<TrainingRecord, 'epochs' | 'interrupted' | 'adapter' | 'losses' | 'validation'> & {
  readonly epochs: number;
};

/** @throws ArgumentError for options out of range, and data that do not fit the network */
export function planTraining(model: Model, dataset: Dataset, options: TrainOptions): TrainingPlan {
  const { batch = 64, seed = 1, accumulate = 1, optimizer = adam(), strategy = joint(), clipNorm } = options;
  const { epochs: asked = 5, loss = [crossEntropies()], headGradient } = options;
  const { everySeconds = 60 } = options.checkpoint ?? {};
  checkOptions(model, dataset, { ...options, epochs: asked, batch, accumulate, everySeconds });
  const exits = model.network.stages.length;
  const samples = dataset.labels.length;
  const weights = weightsPerExit(options.weights, exits);
  const phases = planPhases(model, { strategy, epochs: asked, weights, loss });
  const ends = phases.map((_, index) => phases.slice(0, index + 1).reduce((sum, phase) => sum + phase.epochs, 0));
  const epochs = ends.at(-1)!;
  const stepsPerEpoch = Math.ceil(samples / (batch * accumulate));
  const schedule: ScheduleContext = { steps: epochs * stepsPerEpoch, stepsPerEpoch, exits, macs: model.network.macs };
  const augmented = augmentationOf(model, options);
  const record: PlanRecord = {
    dataset: dataset.name,
    fingerprint: fingerprint(dataset),
    samples,
    seed,
    epochs,
    batch,
    ...(accumulate > 1 && { accumulate }),
    ...(clipNorm && { clipNorm }),
    ...recordOfPhases(weights, phases, schedule),
    strategy: strategy.name || 'function',
    ...(headGradient && { headGradient }),
    ...(augmented && { augmentation: { ...augmented } }),
    optimizer: { name: optimizer.name, ...optimizer.options },
  };
  const plan = { phases, ends, epochs, batch, accumulate, seed, optimizer, schedule, everySeconds, record };
  return { ...plan, augmentation: augmented };
}

type PhasesRecord = Pick<TrainingRecord, 'weights' | 'weightSchedule' | 'loss' | 'phases'>;

/** Weights are those of the first step; that they change is said by the name of the schedule. @throws ArgumentError */
function recordOfPhases(weights: Weights, phases: readonly PlannedPhase[], schedule: ScheduleContext): PhasesRecord {
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

/** None where nothing is on. @throws ArgumentError */
function augmentationOf({ normalization }: Model, { augmentation: given }: TrainOptions): Augmentation | undefined {
  if (!given) return undefined;
  const black = -normalization.mean[0]! / normalization.std[0]!;
  const checked = augmentation({ fill: black, ...given });
  return checked.shift || checked.flip || checked.cutout || checked.noise ? checked : undefined;
}

type Resolved = TrainOptions & Pick<TrainingPlan, 'epochs' | 'batch' | 'accumulate' | 'everySeconds'>;

function checkOptions({ network }: Model, dataset: Dataset, options: Resolved): void {
  const { epochs, batch, accumulate, everySeconds, clipNorm, headGradient, validation } = options;
  const refuse = (expected: string, got: unknown): never => {
    throw new ArgumentError(`train: expected ${expected}, got ${String(got)}`);
  };
  const whole = (value: number): boolean => Number.isInteger(value) && value >= 1;
  const exits = network.stages.length;
  if (!whole(epochs)) refuse('epochs of 1 or more', epochs);
  if (!whole(batch)) refuse('a batch of 1 or more', batch);
  if (!whole(accumulate)) refuse('1 batch or more to accumulate', accumulate);
  if (clipNorm !== undefined && !(clipNorm > 0 && clipNorm < Infinity)) refuse('a clipNorm above 0', clipNorm);
  const factors = headGradient === 'equilibrium' ? undefined : headGradient;
  if (factors && (factors.length !== exits || !factors.every(Number.isFinite))) {
    refuse(`${exits} factors for the gradients of the heads`, `[${factors.join(', ')}]`);
  }
  if (validation?.patience !== undefined && !whole(validation.patience)) {
    refuse('a patience of 1 epoch or more', validation.patience);
  }
  if (!(everySeconds >= 0)) refuse('checkpoints every 0 seconds or more', everySeconds);
  checkFits(network, dataset, 'train');
  if (validation) checkFits(network, validation.dataset, 'train: validation');
}
