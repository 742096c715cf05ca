import { ArgumentError } from '../errors.ts';
import type { Device } from './device.ts';
import type { StagingRing } from './staging.ts';

interface PendingRead {
  readonly staging: GPUBuffer;
  readonly size: number;
  readonly resolve: (bytes: Promise<ArrayBuffer>) => void;
  readonly reject: (error: unknown) => void;
}

/** Work collected in order and handed to the GPU in one submit: dispatches share a pass until a copy comes between. */
export class Recording {
  dispatches = 0;
  #device: Device;
  #staging: StagingRing;
  #encoder: GPUCommandEncoder;
  #pass: GPUComputePassEncoder | undefined;
  #pipeline: GPUComputePipeline | undefined;
  #reads: PendingRead[] = [];
  #label: string;
  #submitted = false;

  constructor(device: Device, staging: StagingRing, label: string) {
    this.#device = device;
    this.#staging = staging;
    this.#label = label;
    this.#encoder = device.gpu.createCommandEncoder({ label });
  }

  dispatch(pipeline: GPUComputePipeline, group: GPUBindGroup, x: number, y: number, z: number): void {
    const pass = (this.#pass ??= this.#encoder.beginComputePass({ label: this.#label }));
    if (this.#pipeline !== pipeline) pass.setPipeline((this.#pipeline = pipeline));
    pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(x, y, z);
    this.dispatches++;
  }

  copy(from: GPUBuffer, fromOffset: number, to: GPUBuffer, toOffset: number, size: number): void {
    this.#endPass();
    this.#encoder.copyBufferToBuffer(from, fromOffset, to, toOffset, size);
  }

  /** Bytes as they are at this point of the recording. `offset` and `size` are multiples of 4. Resolves after `submit()`. */
  read(buffer: GPUBuffer, offset: number, size: number): Promise<ArrayBuffer> {
    const staging = this.#staging.take(size);
    this.copy(buffer, offset, staging, 0, size);
    return new Promise((resolve, reject) => this.#reads.push({ staging, size, resolve, reject }));
  }

  submit(): void {
    if (this.#submitted) throw new ArgumentError(`${this.#label}: a recording is submitted once; record() a new one`);
    this.#submitted = true;
    this.#endPass();
    const device = this.#device;
    try {
      device.check();
      device.gpu.queue.submit([this.#encoder.finish()]);
    } catch (error) {
      for (const { staging, reject } of this.#reads) {
        this.#staging.give(staging);
        reject(error);
      }
      throw error;
    }
    device.counters.submits++;
    device.counters.dispatches += this.dispatches;
    for (const { staging, size, resolve } of this.#reads) resolve(this.#staging.collect(staging, size));
  }

  #endPass(): void {
    this.#pass?.end();
    this.#pass = undefined;
    this.#pipeline = undefined;
  }
}
