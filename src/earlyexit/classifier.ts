import type { PendingRead, BufferRange, Recording } from '../device/recording.ts';
import { ArgumentError, DisposedError, ShapeError } from '../errors.ts';
import { entropy, exitSettings, resolveCriterion } from './criteria.ts';
import type { Criterion } from './criteria.ts';
import type { Model } from './model.ts';
import { readExit, readScores, RECORD_BYTES, SCORE_BYTES, splitLabel, staysOn } from './records.ts';
import type { Scores } from './records.ts';
import { buildStaged } from './staged-program.ts';
import type { StagedProgram } from './staged-program.ts';

export interface ClassifierOptions {
  /** When to leave; the thresholds stored in the model where left out. */
  readonly criterion?: Criterion;
  /** Most samples that go through the network together; 1 where left out. */
  readonly batch?: number;
  /**
   * The exits to build, ascending; all where left out. The last of them always answers, so `[k]` is the network cut off
   * at exit k, and the last exit alone is the network without exits.
   */
  readonly exits?: readonly number[];
}

/** The classifier's input: bytes 0..255 are normalised as the model says, floats and GPU buffers are taken as they are. */
export type ClassifierInput = Uint8Array | Float32Array | GPUBuffer;

export interface Prediction extends Partial<Omit<Scores, 'label' | 'finite'>>, Pick<Scores, 'label' | 'finite'> {
  /** Where the sample left, counted from 1. */
  readonly exit: number;
}

/** What one call cost. */
export interface ClassifyTrace {
  readonly submits: number;
  readonly dispatches: number;
  /** Times that the host waited for the GPU. */
  readonly reads: number;
  readonly bytesRead: number;
  /** Per exit that was asked: host time from encoding to the answer, in milliseconds. */
  readonly stageMs: readonly number[];
}

export interface ClassifyOptions {
  /** Also read confidence, margin and entropy (by the same map). */
  readonly scores?: boolean;
  /** Also say what the call cost. */
  readonly trace?: boolean;
}

type Traced<T> = T & { trace?: ClassifyTrace };

/**
 * A compiled multi-exit network. After each exit the host reads one word: at batch 1 the decision itself, for batches the
 * number of samples left, which the GPU has regrouped. What lies behind the last exit needed is never encoded.
 */
export class Classifier {
  readonly model: Model;
  readonly batch: number;
  /** The exits built, counted from 1. */
  readonly exits: readonly number[];
  #criterion: Criterion;
  #staged: StagedProgram;
  /** Calls take turns: they share the program's memory. */
  #turn: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #disposed = false;

  private constructor(model: Model, batch: number, exits: readonly number[], criterion: Criterion, staged: StagedProgram) {
    this.model = model;
    this.batch = batch;
    this.exits = exits;
    this.#criterion = criterion;
    this.#staged = staged;
  }

  /** @internal `model.compile()` is the way to get one. */
  static async compile(model: Model, options: ClassifierOptions): Promise<Classifier> {
    const { network } = model;
    const { batch = 1, exits = network.stages.map((_, index) => index + 1) } = options;
    if (!(Number.isInteger(batch) && batch >= 1)) throw new ArgumentError(`compile: expected a batch of 1 or more, got ${batch}`);
    const ascending = exits.every((exit, index) => Number.isInteger(exit) && exit > (exits[index - 1] ?? 0));
    if (exits.length === 0 || !ascending || exits.at(-1)! > network.stages.length) {
      throw new ArgumentError(`compile: expected ascending exits from 1 to ${network.stages.length}, got [${exits.join(', ')}]`);
    }
    const criterion = options.criterion ?? storedCriterion(model, exits);
    const resolved = resolveCriterion(criterion, network.stages.length, network.classes);
    const classifier = new Classifier(model, batch, exits, resolved, await buildStaged(model, batch, exits));
    classifier.#writeSettings(resolved);
    return classifier;
  }

  get criterion(): Criterion {
    return this.#criterion;
  }

  /** Changes criterion, thresholds or temperatures for the calls that follow; nothing is compiled. @throws ArgumentError */
  setCriterion(criterion: Criterion): void {
    const { network } = this.model;
    const resolved = resolveCriterion(criterion, network.stages.length, network.classes);
    this.#criterion = resolved;
    // In turn: calls under way keep the thresholds they began with. Should it fail, the call that follows fails too.
    this.#inTurn(async () => this.#writeSettings(resolved)).catch(() => undefined);
  }

  #writeSettings(criterion: Criterion): void {
    this.exits.forEach((exit, index) => {
      const last = index === this.exits.length - 1;
      this.#staged.settings[index]!.write(exitSettings(criterion, exit, last ? 'always' : undefined));
    });
  }

  /** Dispatches of the whole network with all its exits. */
  get dispatches(): number {
    return this.#staged.program.dispatches;
  }

  /** Intermediate memory, e.g. `12.3 MB -> 4.1 MB, 34 -> 6 buffers`. */
  get memory(): string {
    return this.#staged.program.memory;
  }

  /**
   * Classifies one sample. The array may be used again at once, a GPU buffer when the result is there.
   * @throws ShapeError, DeviceLostError
   */
  async classify(input: ClassifierInput, options: ClassifyOptions = {}): Promise<Traced<Prediction>> {
    const count = this.#count(input);
    if (count !== 1) throw this.#wrong('one sample', `${count} samples; classifyBatch() takes many`);
    const part = this.#part(this.#taken(input), 0, 1);
    return this.#inTurn(async () => {
      const trace = emptyTrace();
      const prediction =
        this.batch === 1 ? await this.#single(part, options.scores === true, trace) : (await this.#group(part, 1, trace))[0]!;
      return { ...(options.scores ? prediction : bare(prediction)), ...(options.trace && { trace }) };
    });
  }

  /**
   * Classifies any number of samples, `batch` at a time; results come in the order of the input. A GPU buffer holds
   * `samples` of them, as many as fit where left out. The array may be used again at once, a buffer when the results are there.
   * @throws ShapeError, DeviceLostError
   */
  async classifyBatch(
    input: ClassifierInput,
    options: ClassifyOptions & { readonly samples?: number } = {},
  ): Promise<Traced<Prediction[]>> {
    const room = this.#count(input);
    const count = options.samples ?? room;
    if (!(Number.isInteger(count) && count >= 0 && count <= room)) throw this.#wrong(`${count} samples`, `room for ${room}`);
    const taken = this.#taken(input);
    return this.#inTurn(async () => {
      const trace = emptyTrace();
      const predictions: Prediction[] = [];
      for (let start = 0; start < count; start += this.batch) {
        const size = Math.min(this.batch, count - start);
        const part = this.#part(taken, start, size);
        if (this.batch === 1) predictions.push(await this.#single(part, options.scores === true, trace));
        else predictions.push(...(await this.#group(part, size, trace)));
      }
      const results: Traced<Prediction[]> = options.scores ? predictions : predictions.map(bare);
      if (options.trace) results.trace = trace;
      return results;
    });
  }

  /** Frees what the classifier holds, once the calls under way are done. Later calls reject with `DisposedError`. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    if (this.#waiting === 0) this.#staged.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** One sample: after each exit one word says the label, or to go on. */
  async #single(input: RunPart, scores: boolean, trace: Cost): Promise<Prediction> {
    const { program, records } = this.#staged;
    const decision = { ...records, size: scores ? SCORE_BYTES : 4 };
    let recording = program.start({ x: input });
    for (let index = 0; ; index++) {
      const began = performance.now();
      program.encode(recording, index);
      const bytes = await finish(recording, decision, trace);
      trace.stageMs.push(performance.now() - began);
      const word = new Uint32Array(bytes, 0, 1)[0]!;
      if (!staysOn(word)) return { ...(scores ? readScores(bytes) : splitLabel(word)), exit: this.exits[index]! };
      recording = program.device.record(program.label);
    }
  }

  /** Several samples: after each exit the host reads how many are left; all records come in one map at the end. */
  async #group(input: RunPart, count: number, trace: Cost): Promise<Prediction[]> {
    const { program, records, rows } = this.#staged;
    const answers = { ...records, size: count * RECORD_BYTES };
    let recording = program.start({ x: input });
    let bytes: ArrayBuffer | undefined;
    for (let index = 0; !bytes; index++) {
      const began = performance.now();
      const live = rows[index + 1] && program.live(rows[index + 1]!);
      // As many as are here may stay: grids need not be made for more.
      live?.decidedOnGpu(program.live(rows[index]!).known);
      program.encode(recording, index);
      if (live) {
        const left = new Uint32Array(await finish(recording, { buffer: live.buffer, offset: 0, size: 4 }, trace))[0]!;
        live.decidedOnGpu(left);
        recording = program.device.record(program.label);
        if (left === 0) bytes = await finish(recording, answers, trace);
      } else {
        bytes = await finish(recording, answers, trace);
      }
      trace.stageMs.push(performance.now() - began);
    }
    const all = bytes;
    return Array.from({ length: count }, (_, row) => ({ ...readScores(all, row), exit: readExit(all, row) }));
  }

  async #inTurn<T>(body: () => Promise<T>): Promise<T> {
    if (this.#disposed) throw new DisposedError('classifier: used after dispose()');
    this.#waiting++;
    const result = this.#turn.then(() => {
      this.model.device.check();
      // Asking for the buffer of weights that were disposed of says so.
      void this.model.parameters.whole.buffer;
      return body();
    });
    this.#turn = result.catch(() => undefined);
    try {
      return await result;
    } finally {
      if (--this.#waiting === 0 && this.#disposed) this.#staged.dispose();
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

  /** The input as the network reads it, in memory that the caller cannot change any more; a GPU buffer stays what it is. */
  #taken(input: ClassifierInput): Float32Array | GPUBuffer {
    if (input instanceof Uint8Array) return this.model.normalize(input);
    return input instanceof Float32Array ? input.slice() : input;
  }

  #part(input: Float32Array | GPUBuffer, start: number, count: number): RunPart {
    const { sampleSize } = this.model;
    if (!ArrayBuffer.isView(input)) return { buffer: input, offset: start * sampleSize * 4, size: count * sampleSize * 4 };
    return input.subarray(start * sampleSize, (start + count) * sampleSize);
  }
}

type RunPart = Float32Array | BufferRange;

type Cost = { -readonly [K in keyof ClassifyTrace]: ClassifyTrace[K] } & { stageMs: number[] };

const emptyTrace = (): Cost => ({ submits: 0, dispatches: 0, reads: 0, bytesRead: 0, stageMs: [] });

/** Submits with one read at the end and waits for it. */
async function finish(recording: Recording, range: BufferRange, trace: Cost): Promise<ArrayBuffer> {
  const pending: PendingRead = recording.read(range);
  recording.submit();
  trace.submits++;
  trace.dispatches += recording.dispatches;
  trace.reads++;
  trace.bytesRead += range.size;
  return pending();
}

const bare = ({ label, exit, finite }: Prediction): Prediction => ({ label, exit, finite });

/** @throws ArgumentError if the model has no thresholds and there is something to decide */
function storedCriterion(model: Model, exits: readonly number[]): Criterion {
  if (model.thresholds) return { kind: model.thresholds.criterion, thresholds: model.thresholds.values };
  if (exits.length === 1) return entropy(0);
  throw new ArgumentError(
    `compile: ${model.network.name} has no stored thresholds; give a criterion such as entropy(0.05), or choose thresholds on validation data first`,
  );
}
