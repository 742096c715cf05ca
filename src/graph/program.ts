import type { Device, Pipeline, PipelineSource } from '../device/device.ts';
import type { BufferRange, PassTimestamps, Recording } from '../device/recording.ts';
import { ArgumentError, DisposedError, GpuError, ShapeError, StaleOutputError } from '../errors.ts';
import type { Dispatch, Operand, Value } from '../kernels/define.ts';
import { extentsOf, GRID_BYTES, GRIDS_PER_WORKGROUP, indirectGridKernel } from '../kernels/indirect-grid.ts';
import type { Kernel } from '../kernels/kernel.ts';
import { codeOf, writeStruct } from '../kernels/kernel.ts';
import { byteLengthOf, bytesOf, decode, describe, encode, perSample, sizeOf, typedArray } from '../tensor/spec.ts';
import type { Rows, Spec, TypedArray } from '../tensor/spec.ts';
import { Tensor } from '../tensor/tensor.ts';
import { COUNTER_STRIDE, counted, counterBinding } from './counting.ts';
import { indirectGroups } from './indirect.ts';
import type { IndirectGroup } from './indirect.ts';
import { gridFor, lower } from './lower.ts';
import type { Lowered, Step } from './lower.ts';
import type { PassName } from './passes/index.ts';
import { trace } from './trace.ts';
import type { Graph, TracedValue } from './trace.ts';
import { choosing } from './variants.ts';
import type { Chooser } from './variants.ts';

export interface CompileOptions {
  /** Prefix of every WebGPU label, so that Dawn's messages name the operation. */
  label?: string;
  /**
   * `false` gives each value a buffer of its own: slower to make, the reference that planned memory is tested against.
   */
  reuse?: boolean;
  /** Leaves out passes over what was traced, for the same reason. */
  without?: readonly PassName[];
  /** Picks variants, in place of what was measured on the device. */
  choose?: Chooser;
  /** Also prepares what `encode` needs to size grids on the GPU. */
  indirect?: boolean;
  /**
   * For traces: kernels count on the GPU the invocations that found a live row. Slower, and one storage binding more.
   */
  count?: boolean;
}

/**
 * How launches are sized: `full` for the rows that the host knows of, `indirect` by the counts on the GPU, so that
 * nothing is launched for rows that are gone.
 */
export type GridKind = 'full' | 'indirect';

/** What a run takes: host data, a tensor, an earlier output, or, but for f16, (part of) a buffer of the page. */
export type RunInput = TypedArray | Tensor | Output | GPUBuffer | BufferRange;

export interface Launch {
  readonly pipeline: GPUComputePipeline;
  readonly group: GPUBindGroup;
  readonly op: string;
  readonly dispatch: Dispatch;
  readonly live: LiveRows;
  readonly segment: number;
  /** As of its step. */
  readonly macs: number;
  /** What it may write. */
  readonly written: readonly BufferRange[];
  /** Where the GPU writes the grid of this launch. */
  indirect?: { readonly buffer: GPUBuffer; readonly offset: number };
}

/** Params structs are bound at multiples of this (WebGPU's default minUniformBufferOffsetAlignment). */
const UNIFORM_ALIGNMENT = 256;

/** The live count of one `Rows` in one program: in GPU memory, and as far as the host knows. */
export class LiveRows {
  readonly max: number;
  readonly buffer: GPUBuffer;
  #device: Device;
  #onGpu = -1;
  /** What grids are sized for: never less than what is live. */
  known: number;

  /** @internal */
  constructor(device: Device, max: number, label: string) {
    const usage = GPUBufferUsage.UNIFORM | GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC;
    this.#device = device;
    this.max = max;
    this.known = max;
    this.buffer = device.createBuffer(16, usage, label);
  }

  get range(): BufferRange {
    return { buffer: this.buffer, offset: 0, size: this.buffer.size };
  }

  /** The host decides: written to the GPU if it is news. */
  set(count: number): void {
    this.known = count;
    if (this.#onGpu === count) return;
    this.#onGpu = count;
    this.#device.write(this.buffer, 0, new Uint32Array([count]));
  }

  /** A kernel decides; the host may have read the count (`known`) or not (the maximum). */
  decidedOnGpu(known = this.max): void {
    this.#onGpu = -1;
    this.known = known;
  }
}

/** A result of the last run. It stands for the memory, not for the values: the next run overwrites it. */
export class Output implements Spec {
  readonly dtype;
  readonly shape;
  readonly rows?: Rows;
  readonly range: BufferRange;
  #program: Program;
  #generation: number;
  #name: string;

  /** @internal */
  constructor(program: Program, name: string, spec: Spec, range: BufferRange, generation: number) {
    this.dtype = spec.dtype;
    this.shape = spec.shape;
    if (spec.rows) this.rows = spec.rows;
    this.range = range;
    this.#program = program;
    this.#generation = generation;
    this.#name = name;
  }

  /** @throws StaleOutputError if the program has run again, DisposedError */
  check(): void {
    if (this.#program.generation !== this.#generation) {
      throw new StaleOutputError(
        `${this.#program.label}: output '${this.#name}' is of run ${this.#generation}, ` +
          `but run ${this.#program.generation} has overwritten it; read() it before the next run`,
      );
    }
  }

  /** Elements of the live samples, as far as the host knows: the maximum where a kernel decides how many. */
  get length(): number {
    return this.rows ? perSample(this) * this.#program.live(this.rows).known : sizeOf(this.shape);
  }

  /** The memory of the live samples. @throws StaleOutputError, DisposedError */
  live(): BufferRange {
    this.#program.check();
    this.check();
    return { ...this.range, size: bytesOf(this.dtype, this.length) };
  }

  /** The values of `live()`; f16 as a Float32Array. @throws StaleOutputError, DisposedError, DeviceLostError */
  async read(): Promise<TypedArray> {
    const { length } = this;
    const range = this.live();
    return range.size ? decode(this.dtype, await this.#program.device.read(range), length) : typedArray(this.dtype, 0);
  }
}

/** A frozen list of launches with planned memory: replayed in one submit, or segment by segment. */
export class Program<I extends string = string, O extends string = string> {
  readonly device: Device;
  readonly label: string;
  /** Counts runs; outputs of an older one are stale. */
  generation = 0;

  #graph: Graph;
  #lowered: Lowered;
  #launches: Launch[] = [];
  /** Compute the grids of a segment's launches. */
  #gridLaunches: Launch[] = [];
  #inputs = new Map<string, BufferRange>();
  #ranges = new Map<TracedValue, BufferRange>();
  #live = new Map<Rows | undefined, LiveRows>();
  #owned: GPUBuffer[] = [];
  /** Asked for their memory at each run: one that was disposed of says so. */
  #captured = new Set<Tensor>();
  #counters: GPUBuffer | undefined;
  #disposed = false;

  /** @internal `compile()` is the way to get one. */
  constructor(device: Device, graph: Graph, lowered: Lowered, label: string) {
    this.device = device;
    this.label = label;
    this.#graph = graph;
    this.#lowered = lowered;
  }

  get dispatches(): number {
    return this.#launches.length;
  }

  /** @internal In order. */
  get launches(): readonly Launch[] {
    return this.#launches;
  }

  /** `12.3 MB -> 4.1 MB, 34 -> 6 buffers`: intermediate memory without and with the plan. */
  get memory(): string {
    const { unplanned, buffers } = this.#lowered;
    const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
    const bytes = `${megabytes(unplanned.bytes)} -> ${megabytes(this.memoryBytes)}`;
    return `${bytes}, ${unplanned.buffers} -> ${buffers.length} buffers`;
  }

  /** Intermediate memory as planned: activations, and gradients on their way. */
  get memoryBytes(): number {
    return this.#lowered.buffers.reduce((sum, bytes) => sum + bytes, 0);
  }

  /** @throws DisposedError, DeviceLostError, GpuError */
  check(): void {
    if (this.#disposed) throw new DisposedError(`${this.label}: used after dispose()`);
    this.device.check();
  }

  /** The live count of `rows` in this program. */
  live(rows: Rows): LiveRows {
    const live = this.#live.get(rows);
    if (!live) throw new ArgumentError(`${this.label}: has no rows '${rows.label}'`);
    return live;
  }

  /**
   * Writes inputs, launches everything in one submit and returns handles; nothing is waited for.
   * The number of live samples follows from the length of the data, up to the maximum compiled for.
   * @throws ShapeError naming the input that is missing, unknown, or does not fit
   */
  run(inputs: Readonly<Record<I, RunInput>>): Record<O, Output> {
    this.record(inputs).submit();
    return this.outputs();
  }

  /** Runs and reads all outputs back: one submit, one map. @throws ShapeError, DeviceLostError */
  async call(inputs: Readonly<Record<I, RunInput>>): Promise<Record<O, TypedArray>> {
    return this.submit(inputs)();
  }

  /**
   * Runs like `call`, but leaves it to the caller when to wait: call the result once, or a staging buffer stays taken.
   */
  submit(inputs: Readonly<Record<I, RunInput>>): () => Promise<Record<O, TypedArray>> {
    const recording = this.record(inputs);
    const outputs = Object.entries<Output>(this.outputs());
    const ranges = outputs.map(([, output]) => ({ ...output.live(), length: output.length }));
    const pending = recording.read(...ranges.filter(({ size }) => size > 0));
    recording.submit();
    return async () => {
      const bytes = await pending();
      let offset = 0;
      const read = outputs.map(([name, { dtype }], index) => {
        const { size, length } = ranges[index]!;
        const values = decode(dtype, bytes.slice(offset, offset + size), length);
        offset += size;
        return [name, values];
      });
      return Object.fromEntries(read) as Record<O, TypedArray>;
    };
  }

  /** @internal A run that is yet to be submitted; `profile()` has its passes timed. */
  record(inputs: Readonly<Record<I, RunInput>>, timestamps?: PassTimestamps): Recording {
    const recording = this.start(inputs, timestamps);
    for (let segment = 0; segment < this.#graph.segments; segment++) this.encode(recording, segment);
    return recording;
  }

  /**
   * Takes the inputs of a new run and starts its recording; `encode` the segments into it, then `submit()` it before
   * the next one is started: they share the memory of the inputs.
   */
  start(inputs: Readonly<Record<I, RunInput>>, timestamps?: PassTimestamps): Recording {
    this.check();
    const given = inputs as Readonly<Record<string, RunInput>>;
    for (const name of Object.keys(given)) {
      if (!this.#graph.inputs.has(name)) {
        throw new ShapeError(
          `${this.label}: has no input '${name}'; its inputs are ${[...this.#graph.inputs.keys()].join(', ')}`,
        );
      }
    }
    const counts = this.#countSamples(given);
    for (const tensor of this.#captured) void tensor.buffer;
    const recording = this.device.record(this.label, timestamps);
    for (const [rows, live] of this.#live) {
      const count = rows && counts.get(rows);
      if (count !== undefined) live.set(count);
      else if (rows) live.decidedOnGpu();
    }
    for (const [name, value] of this.#graph.inputs) this.#write(recording, name, value, given[name]!);
    if (this.#counters) this.device.write(this.#counters, 0, new Uint8Array(this.#counters.size));
    this.generation++;
    return recording;
  }

  /** Records the launches of one segment. `indirect` grids are for programs compiled with that option. */
  encode(recording: Recording, segment: number, grids: GridKind = 'full'): void {
    if (grids === 'indirect') {
      for (const launch of this.#gridLaunches) {
        if (launch.segment === segment) this.encodeLaunch(recording, launch);
      }
    }
    for (const launch of this.#launches) {
      if (launch.segment !== segment) continue;
      const { pipeline, group, indirect } = launch;
      if (grids === 'indirect' && indirect) {
        recording.dispatchIndirect(pipeline, group, indirect.buffer, indirect.offset);
      } else {
        this.encodeLaunch(recording, launch);
      }
    }
  }

  /** @internal For the rows that the host knows of; nothing where there are none. */
  encodeLaunch(recording: Recording, { pipeline, group, dispatch, live }: Launch): void {
    const [x, y, z] = gridFor(dispatch, live.known);
    if (x && y && z) recording.dispatch(pipeline, group, x, y, z);
  }

  /**
   * Where a program compiled with `count` has added up the invocations of a segment that found a live row in the latest
   * run.
   */
  reached(segment: number): BufferRange {
    if (!this.#counters) throw new ArgumentError(`${this.label}: counts nothing; compile it with { count: true }`);
    return { buffer: this.#counters, offset: segment * COUNTER_STRIDE, size: 4 };
  }

  /** Handles on the results of the latest run. */
  outputs(): Record<O, Output> {
    const handles: Record<string, Output> = {};
    for (const [name, value] of this.#graph.outputs) {
      handles[name] = new Output(this as unknown as Program, name, value, this.#range(value), this.generation);
    }
    return handles as Record<O, Output>;
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    for (const buffer of this.#owned) this.device.destroyBuffer(buffer);
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** How many samples the data holds, per `Rows`; inputs of one `Rows` must agree. */
  #countSamples(given: Readonly<Record<string, RunInput>>): Map<Rows, number> {
    const counts = new Map<Rows, number>();
    for (const [name, value] of this.#graph.inputs) {
      const input = given[name];
      const wrong = (got: string): ShapeError => {
        const most = value.rows ? ` with at most ${value.rows.max} rows` : '';
        return new ShapeError(`${this.label}: expected ${describe(value)}${most} for input '${name}', got ${got}`);
      };
      if (input === undefined) throw wrong('nothing');
      const elements = this.#elements(input, value, wrong);
      if (!value.rows) {
        if (elements !== sizeOf(value.shape)) throw wrong(`${elements} values`);
        continue;
      }
      const count = elements / perSample(value);
      if (!Number.isInteger(count) || count > value.rows.max) throw wrong(`${elements} values, which is ${count} rows`);
      const known = counts.get(value.rows);
      if (known !== undefined && known !== count) throw wrong(`${count} rows, where another input has ${known}`);
      counts.set(value.rows, count);
    }
    return counts;
  }

  #elements(input: RunInput, value: TracedValue, wrong: (got: string) => ShapeError): number {
    if (ArrayBuffer.isView(input)) {
      if (input.constructor !== typedArray(value.dtype, 0).constructor) throw wrong(`${input.constructor.name}`);
      return input.length;
    }
    if (input instanceof Tensor || input instanceof Output) {
      if (input.dtype !== value.dtype) throw wrong(describe(input));
      return input instanceof Output ? input.length : sizeOf(input.shape);
    }
    if (typeof (input as BufferRange | null)?.size !== 'number') throw wrong(typeof input);
    if (value.dtype === 'f16') throw wrong('a buffer; give the output or the tensor that it is of');
    return Math.min(Math.floor(input.size / 4), sizeOf(value.shape));
  }

  #write(recording: Recording, name: string, value: TracedValue, input: RunInput): void {
    const to = this.#inputs.get(name)!;
    if (ArrayBuffer.isView(input)) {
      if (input.length) this.device.write(to.buffer, to.offset, encode(value.dtype, input));
      return;
    }
    const from: BufferRange =
      input instanceof Output ? input.live()
      : input instanceof Tensor ? { buffer: input.buffer, offset: input.offset, size: input.byteLength }
      : 'buffer' in input ? input
      : { buffer: input, offset: 0, size: input.size };
    // Its own input, handed out as an output and fed back, is there already.
    if (from.buffer !== to.buffer) recording.copy(from, { ...to, size: bytesOf(value.dtype, sizeOf(value.shape)) });
  }

  #buffer(size: number, usage: GPUBufferUsageFlags, label: string): GPUBuffer {
    const buffer = this.device.createBuffer(size, usage, `${this.label}/${label}`);
    this.#owned.push(buffer);
    return buffer;
  }

  #range(value: TracedValue): BufferRange {
    const root = value.root;
    const range = this.#ranges.get(root);
    if (range) return range;
    const tensor = root.placed ?? (root.origin.kind === 'tensor' ? root.origin.tensor : undefined);
    if (tensor) this.#captured.add(tensor);
    if (tensor) return { buffer: tensor.buffer, offset: tensor.offset, size: tensor.byteLength };
    const size = byteLengthOf(root);
    const buffer = this.#buffer(size, STORAGE, root.origin.kind);
    if (root.origin.kind === 'constant' && root.origin.data.length) this.device.write(buffer, 0, encode(root.dtype, root.origin.data));
    const made = { buffer, offset: 0, size };
    this.#ranges.set(root, made);
    return made;
  }

  /** @internal Makes buffers, pipelines and bind groups. */
  async build({ indirect, count }: CompileOptions): Promise<this> {
    const { device } = this;
    const { steps, buffers, planned } = this.#lowered;
    for (const { dispatch: { kernel }, op } of steps) {
      const missing = kernel.features.find((feature) => !device.features.has(feature));
      if (missing) {
        throw new GpuError(
          `${this.label}/${op}: kernel ${kernel.name} needs the feature ${missing}, ` +
            'which this device was not given; choose another variant',
        );
      }
    }
    const source = count ? countingSource : pipelineSource;
    const make = async (wanted: Promise<PipelineSource>): Promise<Pipeline> => device.pipeline(await wanted);
    const [gridPipeline, made] = await Promise.all([
      indirect && make(pipelineSource({ kernel: indirectGridKernel })),
      Promise.all(steps.map(({ dispatch }) => make(source(dispatch)))),
    ]);
    device.check();
    try {
      await device.validated(this.label, () => {
        const plannedBuffers = buffers.map((size, index) => this.#buffer(size, STORAGE, `plan ${index}`));
        for (const [value, index] of planned) {
          this.#ranges.set(value, { buffer: plannedBuffers[index]!, offset: 0, size: byteLengthOf(value) });
        }
        for (const [name, value] of this.#graph.inputs) this.#inputs.set(name, this.#range(value));
        this.#makeLive(steps);
        const params = this.#writeParams(steps);
        if (count) this.#counters = this.#buffer(this.#graph.segments * COUNTER_STRIDE, STORAGE, 'counters');
        steps.forEach((step, index) => this.#launches.push(this.#launch(step, made[index]!, params[index])));
        if (gridPipeline) for (const group of indirectGroups(steps)) this.#makeIndirect(group, gridPipeline);
      });
    } catch (error) {
      this.dispose();
      throw error;
    }
    return this;
  }

  #makeLive(steps: readonly Step[]): void {
    const make = (rows: Rows | undefined): void => {
      if (this.#live.has(rows)) return;
      const live = new LiveRows(this.device, rows?.max ?? 1, `${this.label}/live ${rows?.label ?? 'static'}`);
      this.#owned.push(live.buffer);
      this.#live.set(rows, live);
    };
    make(undefined);
    this.#live.get(undefined)!.set(1);
    for (const value of [...this.#graph.inputs.values(), ...this.#graph.outputs.values()]) {
      if (value.rows) make(value.rows);
    }
    for (const { dispatch } of steps) {
      make(dispatch.rows);
      for (const bound of Object.values(dispatch.bind)) if (bound.rows) make(bound.rows);
    }
  }

  /** All Params structs in one uniform buffer, written once. Returns where each step's is. */
  #writeParams(steps: readonly Step[]): (BufferRange | undefined)[] {
    let size = 0;
    const offsets = steps.map(({ dispatch }) => {
      if (!dispatch.kernel.params) return 0;
      const offset = size;
      size += Math.ceil(dispatch.kernel.params.struct.size / UNIFORM_ALIGNMENT) * UNIFORM_ALIGNMENT;
      return offset;
    });
    if (size === 0) return steps.map(() => undefined);
    const view = new DataView(new ArrayBuffer(size));
    steps.forEach(({ dispatch }, index) => {
      if (dispatch.kernel.params) writeStruct(dispatch.kernel.params.struct, view, offsets[index]!, dispatch.params);
    });
    const buffer = this.#buffer(size, GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST, 'params');
    this.device.write(buffer, 0, view.buffer);
    return steps.map(({ dispatch }, index) =>
      dispatch.kernel.params
        ? { buffer, offset: offsets[index]!, size: dispatch.kernel.params.struct.size }
        : undefined,
    );
  }

  #launch(step: Step, { pipeline, layout }: Pipeline, params: BufferRange | undefined): Launch {
    const { dispatch, op, segment } = step;
    const { kernel } = dispatch;
    const live = this.#live.get(dispatch.rows)!;
    const written: BufferRange[] = [];
    const read = new Set<GPUBuffer>();
    const entries: GPUBindGroupEntry[] = kernel.storage.map(({ name, binding, access }) => {
      const bound = dispatch.bind[name]!;
      const resource = bound.kind === 'live' ? this.#live.get(bound.rows)!.range : this.#range(bound as TracedValue);
      if (access === 'read') read.add(resource.buffer);
      else written.push(resource);
      return { binding, resource };
    });
    // WebGPU would refuse each run instead of this compilation.
    for (const buffer of read) {
      if (!written.some((range) => range.buffer === buffer)) continue;
      throw new ArgumentError(
        `${this.label}/${op}: reads and writes '${buffer.label}' in one launch; ` +
          'store() a copy({ x }), or use an arena of its own',
      );
    }
    if (kernel.params) entries.push({ binding: kernel.params.binding, resource: params! });
    if (kernel.live) entries.push({ binding: kernel.live.binding, resource: { buffer: live.buffer } });
    if (this.#counters) entries.push({ binding: counterBinding(kernel), resource: this.reached(segment) });
    const group = this.device.gpu.createBindGroup({ label: `${this.label}/${op} ${kernel.name}`, layout, entries });
    return { pipeline, group, live, written, ...step };
  }

  /** One launch that computes the grids of a group of others. */
  #makeIndirect({ segment, rows, steps }: IndirectGroup, { pipeline, layout }: Pipeline): void {
    const launches = steps.map((position) => this.#launches[position]!);
    const data = extentsOf(launches.map(({ dispatch }) => dispatch));
    const extents = this.#buffer(data.byteLength, STORAGE, `extents of segment ${segment}`);
    this.device.write(extents, 0, data);
    const grids = this.#buffer(
      launches.length * GRID_BYTES,
      GPUBufferUsage.STORAGE | GPUBufferUsage.INDIRECT,
      `grids of segment ${segment}`,
    );
    launches.forEach((launch, index) => (launch.indirect = { buffer: grids, offset: index * GRID_BYTES }));
    const bound: Record<string, GPUBuffer> = { extents, grids };
    const live = this.#live.get(rows)!;
    const entries = indirectGridKernel.storage.map(({ name, binding }) => ({
      binding,
      resource: { buffer: bound[name]! },
    }));
    entries.push({ binding: indirectGridKernel.live!.binding, resource: { buffer: live.buffer } });
    const group = this.device.gpu.createBindGroup({
      label: `${this.label}/grids of segment ${segment}`,
      layout,
      entries,
    });
    const grid = [Math.ceil(launches.length / GRIDS_PER_WORKGROUP)] as const;
    this.#gridLaunches.push({
      pipeline,
      group,
      op: indirectGridKernel.name,
      dispatch: { kernel: indirectGridKernel, bind: {}, grid },
      live,
      segment,
      macs: 0,
      written: [{ buffer: grids, offset: 0, size: grids.size }],
    });
  }
}

const COMPUTE = 0x4; // GPUShaderStage.COMPUTE
const STORAGE = 0x80 /* STORAGE */ | 0x8 /* COPY_DST */ | 0x4; /* COPY_SRC */

async function pipelineSource({ kernel, overrides }: Pick<Dispatch, 'kernel' | 'overrides'>): Promise<PipelineSource> {
  const constants: Record<string, number> = {};
  for (const [name, value] of Object.entries(overrides ?? {})) constants[name] = Number(value);
  return { name: kernel.name, code: await codeOf(kernel), layout: layoutOf(kernel), constants };
}

/** The same kernel, counting: under a name of its own, for messages. */
async function countingSource(dispatch: Dispatch): Promise<PipelineSource> {
  const { kernel } = dispatch;
  const counter: GPUBindGroupLayoutEntry = {
    binding: counterBinding(kernel),
    visibility: COMPUTE,
    buffer: { type: 'storage' },
  };
  const { layout, ...source } = await pipelineSource(dispatch);
  return { ...source, name: `${kernel.name} counted`, code: await counted(kernel), layout: [...layout, counter] };
}

/** Explicit, from reflection: `layout: 'auto'` would drop bindings that a variant does not use. */
export function layoutOf(kernel: Kernel): GPUBindGroupLayoutEntry[] {
  const entries: GPUBindGroupLayoutEntry[] = kernel.storage.map(({ binding, access }) => ({
    binding,
    visibility: COMPUTE,
    buffer: { type: access === 'read' ? 'read-only-storage' : 'storage' },
  }));
  for (const uniform of [kernel.params, kernel.live]) {
    if (uniform) entries.push({ binding: uniform.binding, visibility: COMPUTE, buffer: { type: 'uniform' } });
  }
  return entries;
}

/**
 * Traces `body` once over symbolic inputs and compiles what it did: pipelines, planned memory, bind groups.
 * @throws ShapeError, NoGradientError while tracing; GpuError if a kernel does not compile
 */
export async function compile<I extends string, O extends string>(
  device: Device,
  inputs: Readonly<Record<I, Spec>>,
  body: (inputs: Record<I, Value>) => Record<O, Operand>,
  options: CompileOptions = {},
): Promise<Program<I, O>> {
  const graph = trace(inputs, body as (inputs: Record<string, Value>) => Record<string, Operand>);
  return compileGraph(device, graph, options) as Promise<Program<I, O>>;
}

/** Compiles a graph that `trace()` made. */
export async function compileGraph(device: Device, graph: Graph, options: CompileOptions = {}): Promise<Program> {
  device.check();
  const lowered = lower(graph, { choose: choosing(device.features, device.fastest), ...options });
  const program = new Program(device, graph, lowered, options.label ?? 'program');
  return program.build(options);
}
