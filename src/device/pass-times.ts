import { GpuError } from '../errors.ts';
import type { Device } from './device.ts';

/** Begin and end of a pass in nanoseconds of a clock that starts anywhere. */
export interface PassTime {
  readonly begin: bigint;
  readonly end: bigint;
}

/** WebGPU's largest query set; a longer recording takes several. */
const QUERIES_PER_SET = 4096;

/** GPU memory for the begin and end of any number of compute passes: hand them out, submit, then `read()`. */
export class PassTimes implements Disposable {
  #device: Device;
  #sets: GPUQuerySet[] = [];
  #queries = 0;

  /** @throws GpuError if the device was not given the feature `timestamp-query` */
  constructor(device: Device, label: string) {
    if (!device.features.has('timestamp-query')) {
      throw new GpuError(
        `${label}: needs the feature timestamp-query, which this device was not given: the adapter lacks it, or the ` +
          'page made the device without it; time whole runs on the host instead',
      );
    }
    this.#device = device;
  }

  /** For the next pass. */
  next(): GPUComputePassTimestampWrites {
    const index = this.#queries % QUERIES_PER_SET;
    if (index === 0) this.#sets.push(this.#device.gpu.createQuerySet({ type: 'timestamp', count: QUERIES_PER_SET }));
    this.#queries += 2;
    return { querySet: this.#sets.at(-1)!, beginningOfPassWriteIndex: index, endOfPassWriteIndex: index + 1 };
  }

  /** Of all passes so far, in order, once they are submitted and done. @throws DeviceLostError, GpuError */
  async read(): Promise<PassTime[]> {
    if (this.#queries === 0) return [];
    const { gpu } = this.#device;
    const usage = GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC;
    const buffer = this.#device.createBuffer(this.#queries * 8, usage, 'pass times');
    try {
      const encoder = gpu.createCommandEncoder({ label: 'pass times' });
      this.#sets.forEach((set, index) => {
        const first = index * QUERIES_PER_SET;
        encoder.resolveQuerySet(set, 0, Math.min(QUERIES_PER_SET, this.#queries - first), buffer, first * 8);
      });
      gpu.queue.submit([encoder.finish()]);
      const times = new BigUint64Array(await this.#device.read({ buffer, offset: 0, size: buffer.size }));
      return Array.from({ length: times.length / 2 }, (_, pass) => ({
        begin: times[2 * pass]!,
        end: times[2 * pass + 1]!,
      }));
    } finally {
      this.#device.destroyBuffer(buffer);
    }
  }

  [Symbol.dispose](): void {
    for (const set of this.#sets) set.destroy();
  }
}
