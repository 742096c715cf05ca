import type { BufferRange } from '../device/recording.ts';
import { ArgumentError, DisposedError, ShapeError } from '../errors.ts';
import { checkCriterion, isPlan, resolveOptions } from './compile-options.ts';
import type { ClassifierOptions, Resolved } from './compile-options.ts';
import type { Criterion } from './criteria.ts';
import type { Model } from './model.ts';
import type { ExitHistogram } from './monitor/histograms.ts';
import type { Scores } from './records.ts';
import type { Choice, PolicyKind } from './scheduling/costs.ts';
import type { DriftWatch } from './scheduling/drift.ts';
import { Lanes } from './scheduling/lanes.ts';
import type { Plan } from './scheduling/planner.ts';
import { emptyCost, runStages } from './scheduling/policies.ts';
import type { ClassifyTrace, Cost, RowAnswer, Run } from './scheduling/policies.ts';
import { StagedProgram } from './staged-program.ts';
import type { StagedSettings } from './staged-program.ts';

export type { ClassifierOptions, ClassifyTrace };

/**
 * The classifier's input: bytes 0..255 are normalised as the model says, floats and GPU buffers are taken as they are.
 */
export type ClassifierInput = Uint8Array | Float32Array | GPUBuffer;

export interface Prediction extends Partial<Omit<Scores, 'label' | 'finite' | 'halting'>>, Pick<Scores, 'label' | 'finite'> {
  /** The exit that gave the answer, counted from 1. */
  readonly exit: number;
  /** The deadline came first: the answer is the best known by then. */
  readonly timedOut?: true;
}

export interface ClassifyOptions {
  /** Also read confidence, margin and entropy (by the same map). */
  readonly scores?: boolean;
  /** Also say what the call cost. */
  readonly trace?: boolean;
  /**
   * Answer with the best that is known when so many milliseconds have passed since the call: at least the first exit's
   * answer, and at most one stage and one round trip late, once it is the call's turn; of more samples than `batch`,
   * each further `batch` of them takes as much again. Met stage by stage: `gated` runs as `readback` does.
   */
  readonly deadlineMs?: number | undefined;
  /** Rejects the call with the signal's reason: while it waits at once, else when what was submitted is done. */
  readonly signal?: AbortSignal | undefined;
}

type Traced<T> = T & { trace?: ClassifyTrace };

/** A compiled set of exits and how it is run; `auto` replaces it as a whole. */
interface Schedule {
  readonly plan: Choice;
  /** The same object as long as nothing changes: programs write it to the GPU when it is another. */
  readonly settings: StagedSettings;
  readonly first: StagedProgram;
  readonly lanes: Lanes<StagedProgram>;
}

const settingsOf = (plan: Choice, criterion: Criterion): StagedSettings => ({
  criterion,
  ...(isPlan(plan) && { regroupFrom: plan.regroupFrom }),
});

/** A plan that can say why. */
export type ExplainedPlan = Plan & { explain(): string };

/**
 * A compiled multi-exit network. Calls may overlap; each runs on rows of its own and sees the criterion that was set
 * when it was made.
 */
export class Classifier {
  readonly model: Model;
  readonly batch: number;
  #schedule: Schedule;
  #options: ClassifierOptions;
  readonly #drift: DriftWatch | undefined;
  readonly #explain: ((plan: Plan) => string) | undefined;
  /** Calls begun, and those not yet done. */
  #begun = 0;
  #underWay = 0;
  #recompiling = false;
  #disposed = false;
  #now: () => number;

  private constructor(
    model: Model,
    staged: StagedProgram,
    { criterion, plan, drift, explain }: Resolved,
    options: ClassifierOptions,
  ) {
    this.model = model;
    this.batch = staged.options.batch;
    this.#options = options;
    this.#drift = drift;
    this.#explain = explain;
    this.#now = options.now ?? (() => performance.now());
    this.#schedule = { plan, settings: settingsOf(plan, criterion), first: staged, lanes: this.#lanesOf(staged) };
  }

  #lanesOf(first: StagedProgram): Lanes<StagedProgram> {
    const { concurrency = 4, queue = 256 } = this.#options;
    const make = (): Promise<StagedProgram> => StagedProgram.build(this.model, first.options);
    return new Lanes({ name: this.model.network.name, first, most: concurrency, queue, make });
  }

  /** @internal `model.compile()` is the way to get one. */
  static async compile(model: Model, options: ClassifierOptions): Promise<Classifier> {
    const resolved = await resolveOptions(model, options);
    const staged = await StagedProgram.build(model, resolved.staged);
    try {
      return new Classifier(model, staged, resolved, options);
    } catch (error) {
      staged.dispose();
      throw error;
    }
  }

  get criterion(): Criterion {
    return this.#schedule.settings.criterion;
  }

  /** The exits built, counted from 1. */
  get exits(): readonly number[] {
    return this.#schedule.plan.exits;
  }

  /** The policy in use. */
  get policy(): PolicyKind {
    return this.#schedule.plan.policy;
  }

  /**
   * What `auto` picked, or the plan given. `auto` changes it, and policy and exits with it, when calls drift away from
   * it.
   */
  get plan(): ExplainedPlan | undefined {
    const { plan } = this.#schedule;
    return isPlan(plan) ? { ...plan, explain: () => this.#explain!(plan) } : undefined;
  }

  /**
   * Changes criterion, thresholds, tables, gates or temperatures for the calls that follow; nothing is compiled.
   * @throws ArgumentError
   */
  setCriterion(criterion: Criterion): void {
    const { plan, first } = this.#schedule;
    const checked = checkCriterion(criterion, this.model, first.options.kernels);
    this.#schedule = { ...this.#schedule, settings: settingsOf(plan, checked) };
  }

  /** Dispatches of the whole network with all its exits. */
  get dispatches(): number {
    return this.#schedule.first.program.dispatches;
  }

  /** Intermediate memory of one call, e.g. `12.3 MB -> 4.1 MB, 34 -> 6 buffers`. */
  get memory(): string {
    return this.#schedule.first.program.memory;
  }

  /**
   * Classifies one sample. The array may be used again at once, a GPU buffer when the result is there.
   * @throws ShapeError, ArgumentError for a deadline in the past, QueueFullError, DeviceLostError, the signal's reason
   */
  async classify(input: ClassifierInput, options: ClassifyOptions = {}): Promise<Traced<Prediction>> {
    const count = this.#count(input);
    if (count !== 1) throw this.#wrong('one sample', `${count} samples; classifyBatch() takes many`);
    const { predictions, trace } = await this.#classify(input, 1, options);
    return { ...predictions[0]!, ...(options.trace && { trace }) };
  }

  /**
   * Classifies any number of samples, `batch` at a time; results come in the order of the input. A GPU buffer holds
   * `samples` of them, as many as fit where left out. The array may be used again at once, a buffer when the results
   * are there.
   * @throws ShapeError, ArgumentError for a deadline in the past, QueueFullError, DeviceLostError, the signal's reason
   */
  async classifyBatch(
    input: ClassifierInput,
    options: ClassifyOptions & { readonly samples?: number } = {},
  ): Promise<Traced<Prediction[]>> {
    const room = this.#count(input);
    const count = options.samples ?? room;
    if (!(Number.isInteger(count) && count >= 0 && count <= room)) {
      throw this.#wrong(`${count} samples`, `room for ${room}`);
    }
    const { predictions, trace } = await this.#classify(input, count, options);
    const results: Traced<Prediction[]> = predictions;
    if (options.trace) results.trace = trace;
    return results;
  }

  /**
   * Of a classifier compiled with `monitor`: for each exit of the network, the samples that have left there since the
   * last reading. Counting starts anew with each reading, so that their sum misses nothing and has nothing twice. What
   * counts is what left on the GPU: calls that were aborted, and samples that a deadline cut short and that left
   * meanwhile, too.
   * @throws ArgumentError if it does not count, DisposedError, DeviceLostError
   */
  async readHistograms(): Promise<ExitHistogram[]> {
    const { first, lanes } = this.#schedule;
    const { counters } = first.options;
    const { name } = this.model.network;
    if (!counters) throw new ArgumentError(`${name}: counts nothing; compile it with { monitor: true }`);
    if (this.#disposed) throw new DisposedError(`${name}: used after dispose()`);
    lanes.forEach((staged) => staged.count());
    return counters.take();
  }

  /** Frees what the classifier holds, once the calls under way are done. Later calls reject with `DisposedError`. */
  dispose(): void {
    this.#disposed = true;
    this.#schedule.lanes.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  async #classify(
    input: ClassifierInput,
    count: number,
    options: ClassifyOptions,
  ): Promise<{ predictions: Prediction[]; trace: ClassifyTrace }> {
    const { scores = false, deadlineMs, signal } = options;
    if (deadlineMs !== undefined && !(typeof deadlineMs === 'number' && deadlineMs > 0)) {
      throw new ArgumentError(`classify: expected deadlineMs, the time from now, above 0, got ${deadlineMs}`);
    }
    const deadline = deadlineMs === undefined ? undefined : this.#now() + deadlineMs;
    const taken = this.#taken(input);
    const { plan, lanes, settings } = this.#schedule;
    const body = async (staged: StagedProgram): Promise<{ predictions: Prediction[]; trace: Cost }> => {
      this.model.device.check();
      // Asking for the buffer of weights that were disposed of says so.
      void this.model.parameters.whole.buffer;
      staged.apply(settings);
      const trace = emptyCost();
      const predictions: Prediction[] = [];
      for (let start = 0; start < count; start += this.batch) {
        const size = Math.min(this.batch, count - start);
        const run = {
          input: this.#part(taken, start, size),
          count: size,
          scores,
          deadline,
          signal,
          cost: trace,
          now: this.#now,
        };
        predictions.push(...(await this.#run(staged, plan, run)).map((answer) => predictionOf(answer, scores)));
      }
      return { predictions, trace };
    };
    return lanes.use(body, signal && { signal });
  }

  async #run(staged: StagedProgram, plan: Choice, run: Run): Promise<RowAnswer[]> {
    const began = this.#now();
    const number = ++this.#begun;
    this.#underWay++;
    try {
      const answers = await runStages(staged, plan, run);
      // A call beside others, planned otherwise, or cut short tells nothing of the present plan.
      const alone = this.#underWay === 1 && this.#begun === number;
      if (alone && run.deadline === undefined) this.#watch(plan, answers, this.#now() - began);
      return answers;
    } finally {
      this.#underWay--;
    }
  }

  #watch(plan: Choice, answers: readonly RowAnswer[], elapsedMs: number): void {
    if (this.#drift?.plan !== plan || !(elapsedMs >= 0 && elapsedMs < Infinity)) return;
    const better = this.#drift.observe({ policy: plan.policy, exits: answers.map(({ exit }) => exit), elapsedMs });
    if (better) void this.#adopt(better);
  }

  /** Calls under way keep the plan they began with. */
  async #adopt(plan: Plan): Promise<void> {
    const { first, lanes } = this.#schedule;
    if (plan.exits.join() === this.exits.join()) {
      this.#schedule = { plan, settings: settingsOf(plan, this.criterion), first, lanes };
      this.#drift!.adopt(plan);
    } else if (!this.#recompiling) {
      this.#recompiling = true;
      const staged = await StagedProgram.build(this.model, { ...first.options, exits: plan.exits }).catch(
        () => undefined,
      );
      this.#recompiling = false;
      // What failed to compile leaves the plan as it was; of a lost device the calls themselves tell.
      if (!staged || this.#disposed) return staged?.dispose();
      this.#schedule = {
        plan,
        settings: settingsOf(plan, this.criterion),
        first: staged,
        lanes: this.#lanesOf(staged),
      };
      this.#drift!.adopt(plan);
      lanes.dispose();
    }
  }

  #count(input: ClassifierInput): number {
    const { sampleSize } = this.model;
    if (input instanceof Uint8Array || input instanceof Float32Array) {
      if (input.length % sampleSize) throw this.#wrong('whole samples', `${input.length} values`);
      return input.length / sampleSize;
    }
    if (typeof (input as GPUBuffer | undefined)?.mapAsync !== 'function') {
      throw this.#wrong('a Uint8Array of pixels, a Float32Array or a GPUBuffer', Object.prototype.toString.call(input));
    }
    return Math.floor(input.size / (sampleSize * 4));
  }

  #wrong(expected: string, got: string): ShapeError {
    const { name, input } = this.model.network;
    return new ShapeError(`${name}: expected ${expected} of [${input.join(', ')}], got ${got}`);
  }

  /**
   * The input as the network reads it, in memory that the caller cannot change any more; a GPU buffer stays what it is.
   */
  #taken(input: ClassifierInput): Float32Array | GPUBuffer {
    if (input instanceof Uint8Array) return this.model.normalize(input);
    return input instanceof Float32Array ? input.slice() : input;
  }

  #part(input: Float32Array | GPUBuffer, start: number, count: number): Float32Array | BufferRange {
    const { sampleSize } = this.model;
    if (!ArrayBuffer.isView(input)) {
      return { buffer: input, offset: start * sampleSize * 4, size: count * sampleSize * 4 };
    }
    return input.subarray(start * sampleSize, (start + count) * sampleSize);
  }
}

function predictionOf({ left, label, exit, finite, ...scores }: RowAnswer, wanted: boolean): Prediction {
  return { label, exit, finite, ...(wanted && scores), ...(!left && { timedOut: true }) };
}
