import { ArgumentError } from '../errors.ts';
import type { Device } from './device.ts';
import type { StagingRing } from './staging.ts';

/** A part of a buffer; offset and size are multiples of 4. */
export interface BufferRange {
  readonly buffer: GPUBuffer;
  readonly offset: number;
  readonly size: number;
}

/** Bytes under way to the host. */
export interface PendingRead {
  /** Call once, after `submit()`; the map begins then, not before: a pending map costs Node a core. */
  (): Promise<ArrayBuffer>;
  /** In place of the call, where nobody wants the bytes any more: their memory serves the next read. */
  release(): void;
}

/** Where the pass that holds the one dispatch of `group` writes the time of its begin and of its end. */
export type PassTimestamps = (group: GPUBindGroup) => GPUComputePassTimestampWrites;

/** Work collected in order and handed to the GPU in one submit: dispatches share a pass until a copy comes between. */
export class Recording {
  dispatches = 0;
  #device: Device;
  #staging: StagingRing;
  #encoder: GPUCommandEncoder;
  #pass: GPUComputePassEncoder | undefined;
  #pipeline: GPUComputePipeline | undefined;
  #label: string;
  #timestamps: PassTimestamps | undefined;
  #submitted = false;

  /** With `timestamps` each dispatch has a pass of its own: WebGPU measures passes and nothing smaller. */
  constructor(device: Device, staging: StagingRing, label: string, timestamps?: PassTimestamps) {
    this.#device = device;
    this.#staging = staging;
    this.#label = label;
    this.#timestamps = timestamps;
    this.#encoder = device.gpu.createCommandEncoder({ label });
  }

  dispatch(pipeline: GPUComputePipeline, group: GPUBindGroup, x: number, y: number, z: number): void {
    this.#begin(pipeline, group).dispatchWorkgroups(x, y, z);
    this.dispatches++;
  }

  /** The number of workgroups is in the buffer: three u32 at `offset`. */
  dispatchIndirect(pipeline: GPUComputePipeline, group: GPUBindGroup, grids: GPUBuffer, offset: number): void {
    this.#begin(pipeline, group).dispatchWorkgroupsIndirect(grids, offset);
    this.dispatches++;
  }

  copy(from: BufferRange, to: BufferRange): void {
    this.#endPass();
    this.#encoder.copyBufferToBuffer(from.buffer, from.offset, to.buffer, to.offset, Math.min(from.size, to.size));
  }

  /** The bytes of the ranges as they are at this point of the recording, one after the other, in one map. */
  read(...ranges: readonly BufferRange[]): PendingRead {
    const size = ranges.reduce((sum, range) => sum + range.size, 0);
    const staging = this.#staging.take(size);
    let offset = 0;
    for (const range of ranges) {
      this.copy(range, { buffer: staging, offset, size: range.size });
      offset += range.size;
    }
    const collect = (): Promise<ArrayBuffer> => {
      if (!this.#submitted) {
        throw new ArgumentError(`${this.#label}: submit() the recording before its reads are collected`);
      }
      return this.#staging.collect(staging, size);
    };
    return Object.assign(collect, { release: () => this.#staging.give(staging) });
  }

  /** @throws DeviceLostError, GpuError */
  submit(): void {
    if (this.#submitted) throw new ArgumentError(`${this.#label}: a recording is submitted once; record() a new one`);
    this.#submitted = true;
    this.#endPass();
    const device = this.#device;
    device.check();
    device.gpu.queue.submit([this.#encoder.finish()]);
    device.counters.submits++;
    device.counters.dispatches += this.dispatches;
  }

  #begin(pipeline: GPUComputePipeline, group: GPUBindGroup): GPUComputePassEncoder {
    if (this.#timestamps) this.#endPass();
    const timestampWrites = this.#timestamps?.(group);
    const pass = (this.#pass ??= this.#encoder.beginComputePass({
      label: this.#label,
      ...(timestampWrites && { timestampWrites }),
    }));
    if (this.#pipeline !== pipeline) pass.setPipeline((this.#pipeline = pipeline));
    pass.setBindGroup(0, group);
    return pass;
  }

  #endPass(): void {
    this.#pass?.end();
    this.#pass = undefined;
    this.#pipeline = undefined;
  }
}
