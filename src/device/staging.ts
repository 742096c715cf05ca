import type { Device } from './device.ts';

/** Smallest staging buffer; sizes are powers of two from here, so that few buffers serve all reads. */
const SMALLEST = 256;
/** Buffers kept per size for the next read; more than that were a burst. */
const KEPT = 8;

/**
 * Reusable buffers that the GPU copies into and the host maps: a fresh one for each read costs 1.6 to 4.4 times as
 * much. Whatever a browser needs to make a map resolve sooner belongs here and nowhere else.
 */
export class StagingRing {
  #device: Device;
  #free = new Map<number, GPUBuffer[]>();
  /** Bytes of all staging buffers, in use or not. */
  bytes = 0;

  constructor(device: Device) {
    this.#device = device;
  }

  take(size: number): GPUBuffer {
    const rounded = Math.max(SMALLEST, 2 ** Math.ceil(Math.log2(size)));
    const free = this.#free.get(rounded)?.pop();
    if (free) return free;
    const buffer = this.#device.createBuffer(rounded, GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ, 'staging');
    this.bytes += rounded;
    return buffer;
  }

  /** Maps, copies out and gives the buffer back. @throws DeviceLostError */
  async collect(buffer: GPUBuffer, size: number): Promise<ArrayBuffer> {
    const device = this.#device;
    try {
      device.counters.reads++;
      device.counters.bytesRead += size;
      await buffer.mapAsync(GPUMapMode.READ, 0, size);
      const bytes = buffer.getMappedRange(0, size).slice(0);
      buffer.unmap();
      this.give(buffer);
      device.check();
      return bytes;
    } catch (error) {
      throw device.explain(error);
    }
  }

  give(buffer: GPUBuffer): void {
    let free = this.#free.get(buffer.size);
    if (!free) this.#free.set(buffer.size, (free = []));
    if (free.length < KEPT) {
      free.push(buffer);
    } else {
      this.bytes -= buffer.size;
      this.#device.destroyBuffer(buffer);
    }
  }
}
