import { ArgumentError, DeviceLostError, ExitGpuError, GpuError } from '../errors.ts';
import { Recording } from './recording.ts';
import type { BufferRange, PassTimestamps } from './recording.ts';
import { StagingRing } from './staging.ts';

/** What a pipeline is made of; equal sources share one pipeline. */
export interface PipelineSource {
  readonly name: string;
  readonly code: string;
  readonly layout: readonly GPUBindGroupLayoutEntry[];
  readonly constants: Readonly<Record<string, number>>;
}

export interface Pipeline {
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
}

/** Totals since the device was opened, or since a caller last compared them. */
export interface Counters {
  submits: number;
  dispatches: number;
  /** Buffer maps: the times the host waited for the GPU. */
  reads: number;
  bytesRead: number;
  writes: number;
}

export interface MemoryUse {
  /** GPU buffers that this device made and has not destroyed. */
  readonly buffers: number;
  readonly bytes: number;
  /** The part of these that the staging ring holds for reads. */
  readonly stagingBytes: number;
}

const noted = (why: string): string =>
  `${why}; nothing on this device can be used again: open() a new one and load the weights from their file`;

/**
 * A GPU device: buffers, pipelines, recordings, reads. Knows WebGPU, not what a tensor means.
 *
 * After a loss WebGPU goes on accepting work and doing nothing, so every entry here asks `check()` first.
 */
export class Device {
  readonly gpu: GPUDevice;
  readonly info: GPUAdapterInfo;
  readonly counters: Counters = { submits: 0, dispatches: 0, reads: 0, bytesRead: 0, writes: 0 };
  /**
   * The variant measured to be the fastest here, for an operation and a class of shapes. `tune()` fills it; programs that
   * are compiled later go by it.
   */
  readonly fastest = new Map<string, string>();
  /** Errors that WebGPU reported outside compilation; any at all means that some result is wrong. */
  uncapturedErrors = 0;
  /** Resolves when the device is gone, with the reason. Never rejects. */
  readonly lost: Promise<DeviceLostError>;

  #lostError: DeviceLostError | undefined;
  #firstError: GpuError | undefined;
  #buffers = new Set<GPUBuffer>();
  #bytes = 0;
  #peakBytes = 0;
  /** By code, then by name and constants. */
  #pipelines = new Map<string, Map<string, Promise<Pipeline>>>();
  #staging: StagingRing;
  #owned: boolean;
  /** Resolves `lost` for a device that is not ours to destroy. */
  #letGo: (error: DeviceLostError) => void = () => {};
  #count = (event: GPUUncapturedErrorEvent): void => {
    this.uncapturedErrors++;
    this.#firstError ??= new GpuError(`WebGPU reported: ${firstLines(event.error.message)}`);
  };

  /** @internal `open()` is the way to get one. */
  constructor(gpu: GPUDevice, info: GPUAdapterInfo, owned: boolean) {
    this.gpu = gpu;
    this.info = info;
    this.#owned = owned;
    this.#staging = new StagingRing(this);
    gpu.addEventListener('uncapturederror', this.#count);
    this.lost = Promise.race([
      gpu.lost.then((info) => this.#lose(info.reason || 'unknown', info.message)),
      new Promise<DeviceLostError>((resolve) => (this.#letGo = resolve)),
    ]);
  }

  /** Features that were granted, e.g. `timestamp-query`. */
  get features(): ReadonlySet<string> {
    return this.gpu.features as ReadonlySet<string>;
  }

  get limits(): GPUSupportedLimits {
    return this.gpu.limits;
  }

  /** Vendor, architecture and description as the adapter gives them, in one line. */
  get name(): string {
    const { vendor, architecture, device, description } = this.info;
    return [...new Set([vendor, architecture, device, description])].filter(Boolean).join(' ') || 'unnamed adapter';
  }

  /**
   * Throws what callbacks could not.
   * @throws DeviceLostError after a loss or `destroy()`
   * @throws GpuError once, for the first error that WebGPU reported since the last call
   */
  check(): void {
    if (this.#lostError) throw this.#lostError;
    if (this.#firstError) {
      const error = this.#firstError;
      this.#firstError = undefined;
      throw error;
    }
  }

  /** After a loss, or `destroy()`. */
  get isLost(): boolean {
    return this.#lostError !== undefined;
  }

  /** What an awaited WebGPU call failed with, told as this library tells it. */
  explain(error: unknown): Error {
    if (this.#lostError) return this.#lostError;
    if (error instanceof ExitGpuError) return error;
    return new GpuError(`WebGPU failed: ${firstLines(error instanceof Error ? error.message : String(error))}`, {
      cause: error,
    });
  }

  /** @throws ArgumentError if `size` is beyond the device's limits */
  createBuffer(size: number, usage: GPUBufferUsageFlags, label: string): GPUBuffer {
    this.check();
    const limit = Math.min(
      this.limits.maxBufferSize,
      usage & GPUBufferUsage.STORAGE ? this.limits.maxStorageBufferBindingSize : Infinity,
    );
    if (size > limit) {
      throw new ArgumentError(
        `${label}: needs a buffer of ${size} bytes, but this adapter binds at most ${limit}; ` +
          'use a smaller batch or split the tensor',
      );
    }
    const buffer = this.gpu.createBuffer({ size, usage, label });
    this.#buffers.add(buffer);
    this.#bytes += size;
    this.#peakBytes = Math.max(this.#peakBytes, this.#bytes);
    return buffer;
  }

  destroyBuffer(buffer: GPUBuffer): void {
    if (!this.#buffers.delete(buffer)) return;
    this.#bytes -= buffer.size;
    buffer.destroy();
  }

  memory(): MemoryUse {
    return { buffers: this.#buffers.size, bytes: this.#bytes, stagingBytes: this.#staging.bytes };
  }

  /** The most bytes that `memory()` has come to since the device was opened, or since `resetPeak()`. */
  get peakBytes(): number {
    return this.#peakBytes;
  }

  /** The peak is from now on counted from what is held now. */
  resetPeak(): void {
    this.#peakBytes = this.#bytes;
  }

  /** Host to GPU, in order with what is submitted before and after. */
  write(buffer: GPUBuffer, offset: number, data: ArrayBufferView | ArrayBuffer): void {
    this.check();
    this.counters.writes++;
    this.gpu.queue.writeBuffer(buffer, offset, data as GPUAllowSharedBufferSource);
  }

  /** Starts a list of work that goes to the GPU in one submit. */
  record(label: string, timestamps?: PassTimestamps): Recording {
    this.check();
    return new Recording(this, this.#staging, label, timestamps);
  }

  /** The bytes of a range, after everything submitted so far. @throws DeviceLostError */
  async read(range: BufferRange): Promise<ArrayBuffer> {
    const recording = this.record(`read ${range.buffer.label}`);
    const pending = recording.read(range);
    recording.submit();
    return pending();
  }

  /** Resolves when everything submitted so far is done. */
  async idle(): Promise<void> {
    this.check();
    await this.gpu.queue.onSubmittedWorkDone().catch((error: unknown) => {
      throw this.explain(error);
    });
    this.check();
  }

  /** Compiles once per source. @throws GpuError with the compiler's message and the kernel's name */
  pipeline(source: PipelineSource): Promise<Pipeline> {
    const ofCode = this.#pipelines.get(source.code) ?? new Map<string, Promise<Pipeline>>();
    this.#pipelines.set(source.code, ofCode);
    const key = JSON.stringify([source.name, source.constants]);
    let made = ofCode.get(key);
    if (!made) {
      made = this.#compile(source);
      ofCode.set(key, made);
      made.catch(() => ofCode.delete(key));
    }
    return made;
  }

  async #compile(source: PipelineSource): Promise<Pipeline> {
    this.check();
    const label = source.name;
    const layout = this.gpu.createBindGroupLayout({ label, entries: [...source.layout] });
    // The error of a module says what is wrong with it, that of the pipeline only that something is.
    this.gpu.pushErrorScope('validation');
    const making = this.gpu.createComputePipelineAsync({
      label,
      layout: this.gpu.createPipelineLayout({ label, bindGroupLayouts: [layout] }),
      compute: {
        module: this.gpu.createShaderModule({ label, code: source.code }),
        entryPoint: 'main',
        constants: source.constants,
      },
    });
    const reported = this.gpu.popErrorScope().catch(() => null);
    try {
      const pipeline = await making;
      this.check();
      return { pipeline, layout };
    } catch (error) {
      if (this.#lostError || error instanceof ExitGpuError) throw this.explain(error);
      const { message } = (await reported) ?? (error as Error);
      throw new GpuError(`kernel ${source.name}: ${firstLines(message)}`, { cause: error });
    }
  }

  /** Runs `body` and waits for what WebGPU has to say of it. @throws GpuError beginning with `label` */
  async validated<T>(label: string, body: () => T): Promise<T> {
    this.check();
    this.gpu.pushErrorScope('validation');
    this.gpu.pushErrorScope('out-of-memory');
    let scopes: Promise<GPUError | null>[] = [];
    let result: T;
    try {
      result = body();
    } finally {
      scopes = [this.gpu.popErrorScope(), this.gpu.popErrorScope()];
    }
    const errors = await Promise.all(scopes).catch(() => []);
    this.check();
    const error = errors.find(Boolean);
    if (error) throw new GpuError(`${label}: ${firstLines(error.message)}`);
    return result;
  }

  #lose(reason: string, message: string): DeviceLostError {
    this.#lostError ??= new DeviceLostError(
      reason,
      noted(`the GPU device was lost (${reason}${message ? `: ${firstLines(message)}` : ''})`),
    );
    return this.#lostError;
  }

  /**
   * Frees the device and everything on it; work under way rejects with `DeviceLostError`. A device that was given to
   * `open()` stays.
   */
  destroy(): void {
    if (this.#lostError) return;
    this.#lostError = new DeviceLostError('destroyed', noted('the GPU device was destroyed'));
    for (const buffer of this.#buffers) buffer.destroy();
    this.#buffers.clear();
    this.#bytes = 0;
    this.gpu.removeEventListener('uncapturederror', this.#count);
    if (this.#owned) this.gpu.destroy();
    else this.#letGo(this.#lostError);
  }

  [Symbol.dispose](): void {
    this.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.destroy();
    await this.lost;
  }
}

const firstLines = (message: string): string => message.trim().split('\n').slice(0, 3).join(' ').slice(0, 600);
