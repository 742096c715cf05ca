import type { Optimizer } from '../../autograd/optimizer.ts';
import { batches } from '../../data/batches.ts';
import type { Dataset } from '../../data/dataset.ts';
import { TrainingError } from '../../errors.ts';
import type { Augmentation } from '../../kernels/augment.ts';
import { Random } from '../../random.ts';
import type { Model } from '../model.ts';
import { findNotFinite } from './diagnose.ts';
import type { HeadGradient } from './head-gradient.ts';
import type { LossTerm } from './losses.ts';
import { Pace } from './pace.ts';
import { planTraining } from './plan.ts';
import type { TrainingPlan } from './plan.ts';
import type { PlannedPhase } from './phases.ts';
import type { ExitWeights } from './schedules.ts';
import { GRADIENT_NORM, gradientNormOf } from './step.ts';
import { StepPrograms } from './step-programs.ts';
import type { HeldStep } from './step-programs.ts';
import type { Strategy } from './strategies.ts';
import { checkSamePlan, parseState, serializeState } from './training-state.ts';
import type { Progress, TrainingState } from './training-state.ts';
import { validate } from './validation.ts';
import type { ValidationOptions, ValidationProgress } from './validation.ts';

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
  /** Batches whose gradients are added up for one step, for steps of more samples than fit; 1 where left out. */
  readonly accumulate?: number;
  /** The gradient by all parameters together is shortened to this length where it is longer; never where left out. */
  readonly clipNorm?: number;
  /** Computes activations again for the gradients instead of keeping them: less memory, more work, the same bits. */
  readonly recompute?: boolean;
  /** Looks at other data after each epoch, and ends the training when they gain no more. */
  readonly validation?: ValidationOptions;
  /** Keeps what is needed to go on after an interruption. */
  readonly checkpoint?: CheckpointOptions;
  /** What a checkpoint kept: goes on from there, on the same adapter to the same bits. */
  readonly resume?: Uint8Array;
  /** Called after each step. */
  readonly onStep?: (progress: StepProgress) => void;
  /** Called after each epoch; training waits for what it returns. */
  readonly onEpoch?: (progress: EpochProgress) => void | Promise<void>;
  /**
   * Ends training after the step under way; the model keeps what it has learnt, its record says `interrupted`, and a
   * checkpoint is made.
   */
  readonly signal?: AbortSignal;
}

export interface CheckpointOptions {
  /** Gets a safetensors file with weights, optimiser, generator and position; training waits for what it returns. */
  save(state: Uint8Array<ArrayBuffer>): void | Promise<void>;
  /** How often; 60 where left out. With 0 after each step. */
  readonly everySeconds?: number;
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
  /** Length of the whole gradient before it is clipped, if it is. */
  readonly gradientNorm?: number;
  /** With `validation`. */
  readonly validation?: ValidationProgress;
  /** Of this sitting: after `resume`, from there on. */
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
 * A step whose loss is not finite changes nothing: after the error the model has the last weights that were good.
 *
 * @throws ArgumentError for options out of range, ModelFileError for a `resume` of another training, TrainingError if a
 *   loss is not finite, DeviceLostError
 */
export async function train(model: Model, dataset: Dataset, options: TrainOptions = {}): Promise<void> {
  const plan = planTraining(model, dataset, options);
  const resumed = options.resume && parseState(options.resume, model.network);
  if (resumed) checkSamePlan(plan.record, resumed.plan);
  // Thresholds were chosen for the weights that were.
  model.thresholds = undefined;
  using training = new Training(model, dataset, options, plan);
  if (resumed) await training.restore(resumed);
  await training.run();
}

interface Pending {
  readonly read: () => Promise<Float32Array>;
  /** Of the batch, and of the step that it is a part of. */
  readonly rows: number;
  readonly samples: number;
  readonly step: number;
  /** The last of its step. */
  readonly last: boolean;
}

/** One call of `train`. */
class Training implements Disposable {
  readonly #model: Model;
  readonly #dataset: Dataset;
  readonly #options: TrainOptions;
  readonly #plan: TrainingPlan;
  readonly #programs: StepPrograms;
  readonly #pending: Pending[] = [];
  readonly #pace = new Pace();
  #random: Random;
  #progress: Progress;
  /** Weights to go back to. */
  #best: ReadonlyMap<string, Float32Array> | undefined;
  #saved = performance.now();
  /** Of the step whose batches are coming in. */
  #stepLoss = 0;

  constructor(model: Model, dataset: Dataset, options: TrainOptions, plan: TrainingPlan) {
    const { batch, optimizer, augmentation, schedule, seed } = plan;
    const { headGradient, gradientNorms, clipNorm, recompute } = options;
    const accumulates = plan.accumulate > 1;
    const how = { headGradient, gradientNorms, augmentation, clipNorm, accumulates, recompute };
    const given = { batch, optimizer, schedule, ...how };
    this.#model = model;
    this.#dataset = dataset;
    this.#options = options;
    this.#plan = plan;
    this.#programs = new StepPrograms(model, given);
    this.#random = new Random(seed).split('dropout');
    const none = { losses: [], validation: [], best: undefined, sums: [], random: [] };
    this.#progress = { step: 0, epoch: 0, batches: 0, phase: 0, phaseBegan: 0, samples: 0, ...none };
  }

  async restore({ progress, parameters, best, programs }: TrainingState): Promise<void> {
    const { phases } = this.#plan;
    this.#progress = progress;
    this.#random = new Random(Uint32Array.from(progress.random));
    this.#best = best;
    this.#model.parameters.write(parameters);
    await this.#programs.restore(programs.map(({ phase, ...rest }) => ({ of: phases[phase]!, ...rest })));
  }

  async run(): Promise<void> {
    const { signal } = this.#options;
    const progress = this.#progress;
    try {
      while (!this.#isOver && !signal?.aborted) await this.#epoch();
      if (signal?.aborted && !this.#isOver) await this.#save();
    } finally {
      // After a failure: what is still to come goes back to the staging ring.
      await Promise.allSettled(this.#pending.map(({ read }) => read()));
    }
    if (this.#isOver && this.#best && progress.best!.epoch < progress.epoch) this.#model.parameters.write(this.#best);
    this.#writeRecord();
  }

  /** All epochs are done, or as many as did any good. */
  get #isOver(): boolean {
    const { epoch, best, phase } = this.#progress;
    const { patience = Infinity } = this.#options.validation ?? {};
    const last = phase === this.#plan.phases.length - 1;
    return epoch >= this.#plan.epochs || (last && best !== undefined && epoch - best.epoch >= patience);
  }

  get #phase(): PlannedPhase {
    return this.#plan.phases[this.#progress.phase]!;
  }

  /** One epoch, or what is left of one that was interrupted; ends early at a signal. */
  async #epoch(): Promise<void> {
    const progress = this.#progress;
    const [phase, ...ahead] = this.#plan.phases.slice(progress.phase) as [PlannedPhase, ...PlannedPhase[]];
    const program = await this.#programs.of([phase, ...ahead]);
    const { names } = program.step;
    const began = performance.now();
    if (progress.batches === 0) progress.sums = new Array<number>(names.length).fill(0);
    await this.#steps(program);
    if (progress.samples < this.#dataset.labels.length) return;

    const exits = this.#model.network.stages.length;
    const means = progress.sums.map((sum) => sum / progress.samples);
    const loss = means.at(-1)!;
    progress.losses.push(loss);
    Object.assign(progress, { epoch: progress.epoch + 1, batches: 0, samples: 0 });
    const validation = await this.#validate(phase);
    await this.#options.onEpoch?.({
      epoch: progress.epoch,
      epochs: this.#plan.epochs,
      phase: phase.name,
      loss,
      exitLosses: means.slice(0, exits),
      ...(this.#options.gradientNorms && { gradientNorms: normsIn(means, names, exits) }),
      ...(this.#options.clipNorm && { gradientNorm: means[names.indexOf(GRADIENT_NORM)]! }),
      ...(validation && { validation }),
      seconds: (performance.now() - began) / 1000,
    });
    this.#advance();
    await this.#saveIfDue();
  }

  async #steps(program: HeldStep): Promise<void> {
    const { batch, accumulate, seed, optimizer } = this.#plan;
    const { signal } = this.#options;
    const progress = this.#progress;
    const count = this.#dataset.labels.length;
    const learningRate = this.#phase.learningRate;
    const order = { batch, seed, epoch: progress.epoch, normalize: this.#model.normalization };
    let at = 0;
    for (const { x, y, rows } of batches(this.#dataset, order)) {
      // What was done before an interruption.
      if (at++ < progress.batches) continue;
      const first = (at - 1) % accumulate === 0;
      const last = at % accumulate === 0 || at * batch >= count;
      if (first) {
        if (signal?.aborted) break;
        progress.step++;
        program.age++;
      }
      const stepBegan = Math.floor((at - 1) / accumulate) * accumulate * batch;
      const samples = Math.min(count - stepBegan, accumulate * batch);
      const { step } = progress;
      const read = program.step.run({
        x,
        y,
        hyper: optimizer.hyper(step, { age: program.age, factor: learningRate }),
        seed: Uint32Array.of(this.#random.nextUint32()),
        step,
        ...(accumulate > 1 && { part: { first, share: rows / samples, last } }),
      });
      progress.batches = at;
      this.#pending.push({ read, rows, samples, step, last });
      if (this.#pending.length >= IN_FLIGHT) await this.#collect(program);
      if (last && this.#isDue) {
        await this.#drain(program);
        await this.#save();
      }
    }
    await this.#drain(program);
  }

  async #drain(program: HeldStep): Promise<void> {
    while (this.#pending.length > 0) await this.#collect(program);
  }

  async #collect({ step: { names } }: HeldStep): Promise<void> {
    const { read, rows, samples, step, last } = this.#pending.shift()!;
    const progress = this.#progress;
    const values = await this.#pace.collect(read);
    const bad = values.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) throw await this.#notFinite(names[bad]!, values[bad]!, step);
    values.forEach((value, index) => (progress.sums[index]! += value * rows));
    progress.samples += rows;
    this.#stepLoss += (values.at(-1)! * rows) / samples;
    if (!last) return;
    const { name: phase } = this.#phase;
    this.#options.onStep?.({ step, steps: this.#plan.schedule.steps, loss: this.#stepLoss, phase });
    this.#stepLoss = 0;
  }

  /** The weights are still those of the step: where its loss was not finite, it changed nothing. */
  async #notFinite(what: string, value: number, step: number): Promise<TrainingError> {
    const { batch, seed, accumulate, schedule } = this.#plan;
    const epoch = Math.floor((step - 1) / schedule.stepsPerEpoch);
    const first = ((step - 1) % schedule.stepsPerEpoch) * accumulate;
    const order = { batch, seed, epoch, normalize: this.#model.normalization };
    let where: string | undefined;
    let at = 0;
    for (const { x } of batches(this.#dataset, order)) {
      if (at++ < first) continue;
      if (where || at > first + accumulate) break;
      where = await findNotFinite(this.#model, x);
    }
    const seen = where ? `, first seen in ${where}` : '';
    return new TrainingError(
      `train: the ${what} became ${value} at step ${step} (epoch ${epoch + 1})${seen}; ` +
        'lower the learning rate, clip the gradients, or look at the weights that training began with',
    );
  }

  async #validate(phase: PlannedPhase): Promise<ValidationProgress | undefined> {
    const { validation } = this.#options;
    if (!validation) return undefined;
    const progress = this.#progress;
    const result = await validate(this.#model, validation, phase);
    progress.validation.push(result.value);
    const last = progress.phase === this.#plan.phases.length - 1;
    if (validation.patience && last && result.value > (progress.best?.value ?? -Infinity)) {
      progress.best = { epoch: progress.epoch, value: result.value };
      this.#best = await this.#model.parameters.read();
    }
    return result;
  }

  /** To the next phase where this one has had its epochs, or gains no more. */
  #advance(): void {
    const progress = this.#progress;
    const { epoch, phase, phaseBegan, losses } = progress;
    if (phase === this.#plan.phases.length - 1) return;
    if (epoch < this.#plan.ends[phase]! && !this.#phase.plateau?.(losses.slice(phaseBegan))) return;
    Object.assign(progress, { phase: phase + 1, phaseBegan: epoch });
  }

  get #isDue(): boolean {
    const { checkpoint } = this.#options;
    return checkpoint !== undefined && performance.now() - this.#saved >= this.#plan.everySeconds * 1000;
  }

  async #saveIfDue(): Promise<void> {
    if (this.#isDue && !this.#isOver) await this.#save();
  }

  /** With nothing under way. */
  async #save(): Promise<void> {
    const { checkpoint } = this.#options;
    if (!checkpoint) return;
    const { phases, record } = this.#plan;
    const programs = await Promise.all(
      this.#programs.states.map(async ({ of, age, state }) => ({
        phase: phases.indexOf(of),
        age,
        state: (await Promise.all(state.map((tensor) => tensor.read()))) as Float32Array[],
      })),
    );
    const progress = { ...this.#progress, random: [...this.#random.state] };
    const parameters = await this.#model.parameters.read();
    await checkpoint.save(serializeState({ plan: record, progress, parameters, best: this.#best, programs }));
    this.#saved = performance.now();
  }

  #writeRecord(): void {
    const { losses, validation, best } = this.#progress;
    const { epochs, ...record } = this.#plan.record;
    this.#model.training = {
      ...record,
      epochs: { planned: epochs, done: losses.length },
      interrupted: !this.#isOver,
      adapter: this.#model.device.name,
      losses,
      ...(validation.length > 0 && { validation: { values: validation, ...(best && { best }) } }),
    };
  }

  [Symbol.dispose](): void {
    this.#programs[Symbol.dispose]();
  }
}

const normsIn = (means: readonly number[], names: readonly string[], exits: number): number[] =>
  Array.from({ length: exits }, (_, index) => means[names.indexOf(gradientNormOf(index + 1))] ?? 0);
