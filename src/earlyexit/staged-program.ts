import type { BufferRange, Recording } from '../device/recording.ts';
import { compile } from '../graph/program.ts';
import type { GridKind, LiveRows, Program, RunInput } from '../graph/program.ts';
import { checkpoint } from '../graph/trace.ts';
import { add } from '../kernels/binary.ts';
import { compactRows } from '../kernels/compact-rows.ts';
import { constant } from '../kernels/define.ts';
import type { Value } from '../kernels/define.ts';
import { ExitSettings, exitCheck } from '../kernels/exit-check.ts';
import type { ExitKernels } from '../kernels/exit-kernels.ts';
import { copy } from '../kernels/unary.ts';
import { perSample, Rows } from '../tensor/spec.ts';
import { Tensor } from '../tensor/tensor.ts';
import { exitSettings } from './criterion-steps.ts';
import type { Criterion } from './criteria.ts';
import type { ExitCounters } from './exit-counters.ts';
import type { Model } from './model.ts';
import { RECORD_BYTES } from './records.ts';

export interface StagedOptions {
  /** Most samples that go through together. */
  readonly batch: number;
  /** The exits to build, ascending, counted from 1; the last of them always answers. */
  readonly exits: readonly number[];
  /** Exits judge the mean of the logits of all exits so far. */
  readonly ensemble: boolean;
  /** Grids may be sized on the GPU. */
  readonly indirect: boolean;
  /** Stages count on the GPU the invocations that found a live row. */
  readonly count?: boolean | undefined;
  /** Check the exits, in place of the built-in kernels. */
  readonly kernels?: ExitKernels | undefined;
  /** Where the samples that leave are counted; nowhere if left out. */
  readonly counters?: ExitCounters | undefined;
}

/** What the host may set while the program runs as it is. */
export interface StagedSettings {
  /** A resolved one. */
  readonly criterion: Criterion;
  /** Per exit built: rows are regrouped where at least so many leave; 1 where left out. */
  readonly regroupFrom?: readonly number[] | undefined;
  /** For measurements: rows come to each exit as if it were the first. */
  readonly fresh?: boolean;
}

/** For measuring: every stage has its rows, and nobody counts as gone when a check is repeated. */
export const nobodyLeaves = (exits: number): StagedSettings => ({
  criterion: { kind: 'entropy', thresholds: Array.from({ length: exits - 1 }, () => 0) },
  fresh: true,
});

/** The two segments of a stage: the trunk up to its exit, and the exit itself. */
const PARTS = ['body', 'exit'] as const;
export type Part = (typeof PARTS)[number];

/**
 * A network compiled with an exit check after each exit. The live count of a stage's rows is written by the check
 * before it, so that with none left a stage does nothing, whoever launched it. In a batch the rows that stay are
 * regrouped as the next stage begins, with everything that crosses to it.
 */
export class StagedProgram {
  readonly program: Program<'x'>;
  readonly options: StagedOptions;
  /** Where the records are, one per sample of the batch, in the order of the input. */
  readonly records: BufferRange;
  /** Numbers of one row that cross from each stage built to the next. */
  readonly crossing: readonly number[];
  /** The samples that reach each exit built. */
  #live: readonly LiveRows[];
  #tensors: StagedTensors;
  #classes: number;
  #applied: StagedSettings | undefined;

  private constructor(
    program: Program<'x'>,
    options: StagedOptions,
    rows: readonly Rows[],
    crossing: readonly number[],
    tensors: StagedTensors,
    classes: number,
  ) {
    const { buffer, offset, byteLength } = tensors.records;
    this.program = program;
    this.options = options;
    this.crossing = crossing;
    this.records = { buffer, offset, size: byteLength };
    this.#live = rows.map((each) => program.live(each));
    this.#tensors = tensors;
    this.#classes = classes;
  }

  /** Traces stages, heads and exit checks over the model's own weights. @throws ArgumentError, GpuError */
  static async build(model: Model, options: StagedOptions): Promise<StagedProgram> {
    const { network, device } = model;
    const { batch, exits, indirect, count = false } = options;
    await options.kernels?.check(device);
    const tensors = new StagedTensors(model, options);
    const rows = exits.map(
      (_, index) => new Rows(batch, index === 0 ? 'samples' : `samples after exit ${exits[index - 1]}`),
    );
    const input = { dtype: 'f32', shape: [batch, ...network.input], rows: rows[0]! } as const;
    let crossing: readonly number[] = [];
    try {
      const body = ({ x }: { x: Value }): Record<string, never> => {
        crossing = traceStages(model, options, rows, tensors, x);
        return {};
      };
      const program = await compile(device, { x: input }, body, { label: network.name, indirect, count });
      return new StagedProgram(program, options, rows, crossing, tensors, network.classes);
    } catch (error) {
      tensors.dispose();
      throw error;
    }
  }

  /** For the runs that follow; written to the GPU if they are news. @throws ArgumentError */
  apply(settings: StagedSettings): void {
    if (settings === this.#applied) return;
    const { exits, ensemble } = this.options;
    exits.forEach((exit, index) => {
      const written = exitSettings(settings.criterion, {
        exit,
        classes: this.#classes,
        first: index === 0 || settings.fresh === true,
        always: index === exits.length - 1,
        summed: ensemble ? index + 1 : 1,
        regroupFrom: settings.regroupFrom?.[index] ?? 1,
      });
      this.#tensors.settings[index]!.write(written.settings);
      if (written.classThresholds.length) this.#tensors.classThresholds[index]!.write(written.classThresholds);
    });
    this.#applied = settings;
  }

  /** Takes the input of a new run and starts its recording. */
  start(x: RunInput): Recording {
    const recording = this.program.start({ x });
    // Counts the run before: where a call ends the host learns when the submit that it ended in is under way, and
    // another would cost more than this one dispatch.
    if (this.options.counters) this.#count(recording);
    return recording;
  }

  /** Counts the rows that have left since the latest run began, as far as they are not counted yet. */
  count(): void {
    const recording = this.record();
    this.#count(recording);
    recording.submit();
  }

  /** The last segment, behind those of all stages. */
  #count(recording: Recording): void {
    this.program.encode(recording, this.options.exits.length * PARTS.length);
  }

  /** A further recording of the run under way. */
  record(): Recording {
    return this.program.device.record(this.program.label);
  }

  /** Encodes the stage that ends in exit `index` of those built, or a part of it. */
  encode(recording: Recording, index: number, grids: GridKind = 'full', parts: readonly Part[] = PARTS): void {
    // As many as are here may stay: grids need not be made for more.
    this.#live[index + 1]?.decidedOnGpu(this.#live[index]!.known);
    parts.forEach((part) => this.program.encode(recording, index * PARTS.length + PARTS.indexOf(part), grids));
  }

  /** Where the GPU says how many rows go on after exit `index`. */
  left(index: number): BufferRange {
    return { buffer: this.#live[index + 1]!.buffer, offset: 0, size: 4 };
  }

  /** The host has read how many rows go on after exit `index`: at no later one are there more. */
  know(index: number, left: number): void {
    for (const live of this.#live.slice(index + 1)) live.decidedOnGpu(Math.min(left, live.known));
  }

  /** For measurements: how many rows reach exit `index`, told to the GPU alone, as if a check had decided it. */
  force(index: number, count: number): void {
    this.#live[index]!.set(count);
    this.#live[index]!.decidedOnGpu();
  }

  /**
   * Where a program that counts has, for each exit built, a word for its body and one for its exit: see
   * `Program.reached`.
   */
  reached(): BufferRange[] {
    return this.options.exits.flatMap((_, index) =>
      PARTS.map((_, part) => this.program.reached(index * PARTS.length + part)),
    );
  }

  dispose(): void {
    try {
      // The last run is not counted yet.
      if (this.options.counters && !this.program.device.isLost) this.count();
    } finally {
      this.program.dispose();
      this.#tensors.dispose();
    }
  }
}

/** What the host writes and reads of a staged program. */
class StagedTensors {
  readonly records: Tensor;
  readonly settings: readonly Tensor[];
  /** Or the parameters of kernels of one's own. */
  readonly classThresholds: readonly Tensor[];
  readonly #counters: ExitCounters | undefined;

  constructor({ device, network }: Model, { batch, exits, kernels, counters }: StagedOptions) {
    const words = (count: number, label: string): Tensor =>
      Tensor.zeros(device, { dtype: 'u32', shape: [count] }, label);
    this.records = words((RECORD_BYTES / 4) * batch, 'exit records');
    this.settings = exits.map((exit) => words(ExitSettings.size / 4, `exit ${exit} settings`));
    const shape = [kernels?.params ? kernels.params.size / 4 : network.classes];
    this.classThresholds = exits.map((exit) =>
      Tensor.zeros(device, { dtype: 'f32', shape }, `exit ${exit} thresholds by class`),
    );
    this.#counters = counters;
    counters?.hold();
  }

  dispose(): void {
    this.#counters?.letGo();
    for (const tensor of [this.records, ...this.settings, ...this.classThresholds]) tensor.dispose();
  }
}

/** Returns how many numbers of a row cross from each stage to the next. */
function traceStages(
  model: Model,
  options: StagedOptions,
  rows: readonly Rows[],
  tensors: StagedTensors,
  x: Value,
): number[] {
  const { network, context } = model;
  const { batch, exits, ensemble, kernels, counters } = options;
  const { records } = tensors;
  const iota = Uint32Array.from({ length: batch }, (_, row) => row);
  const originOf = (index: number): Value => constant({ dtype: 'u32', shape: [batch], rows: rows[index]! }, iota);
  let value = x;
  let origin = originOf(0);
  let sum: Value | undefined;
  let stage = 1;
  const crossing: number[] = [];
  exits.forEach((exit, index) => {
    for (; stage <= exit; stage++) value = network.body(stage, value, context);
    checkpoint();
    const logits = network.exit(exit, value, context);
    // A copy: logits may be the very memory that crosses, and each crossing value is regrouped in place.
    const judged = sum ? add({ a: sum, b: logits }) : ensemble ? copy({ x: logits }) : logits;
    const [settings, classThresholds] = [tensors.settings[index]!, tensors.classThresholds[index]!];
    const next = rows[index + 1];
    const attributes = { ...(next && { next }), ...(kernels && { kernels }), halting: network.halting };
    const { order, nextOrigin } = exitCheck({ logits: judged, settings, classThresholds, origin, records }, attributes);
    if (!next) return;
    crossing.push(perSample(value) + (ensemble ? perSample(judged) : 0));
    checkpoint();
    origin = batch === 1 ? originOf(index + 1) : nextOrigin;
    value = compactRows({ x: value, order });
    if (ensemble) sum = compactRows({ x: judged, order });
  });
  if (counters) {
    checkpoint();
    counters.count(records);
  }
  return crossing;
}
