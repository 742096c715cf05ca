type Method = (this: never, ...args: never[]) => unknown;

interface Counts {
  submits: number;
  /** Compute launches recorded, direct and indirect. */
  dispatches: number;
  /** The bytes of each map, in the order in which they began. */
  maps: number[];
  /** By copies between buffers. */
  bytesCopied: number;
  buffersMade: number;
  bindGroupsMade: number;
}

const nothing = (): Counts => ({
  submits: 0, dispatches: 0, maps: [], bytesCopied: 0, buffersMade: 0, bindGroupsMade: 0,
});

/**
 * Counts what this process asks of WebGPU, below the library and not by its own counters. The methods of the real
 * objects are wrapped and do what they did, until the counter is disposed of.
 */
export class CountingDevice implements Disposable {
  /** Since the last `reset()`. */
  counts = nothing();
  /** Every buffer made while the counter is there. */
  readonly buffers: GPUBuffer[] = [];
  readonly #restore: (() => void)[] = [];

  constructor() {
    this.#wrap(GPUQueue.prototype, 'submit', () => void this.counts.submits++);
    this.#wrap(GPUComputePassEncoder.prototype, 'dispatchWorkgroups', () => void this.counts.dispatches++);
    this.#wrap(GPUComputePassEncoder.prototype, 'dispatchWorkgroupsIndirect', () => void this.counts.dispatches++);
    this.#wrap(GPUBuffer.prototype, 'mapAsync', (_, args) => this.counts.maps.push(Number(args[2])));
    this.#wrap(GPUCommandEncoder.prototype, 'copyBufferToBuffer', (_, args) => {
      this.counts.bytesCopied += Number(args[4]);
    });
    this.#wrap(GPUDevice.prototype, 'createBindGroup', () => void this.counts.bindGroupsMade++);
    this.#wrap(GPUDevice.prototype, 'createBuffer', (buffer) => {
      this.counts.buffersMade++;
      this.buffers.push(buffer as GPUBuffer);
    });
  }

  reset(): void {
    this.counts = nothing();
  }

  [Symbol.dispose](): void {
    for (const restore of this.#restore) restore();
  }

  #wrap(prototype: object, name: string, note: (result: unknown, args: readonly unknown[]) => void): void {
    this.#restore.push(wrapMethod(prototype, name, (call, args) => {
      const result = call();
      note(result, args);
      return result;
    }));
  }
}

/** Puts `body` around a method of a prototype; the result puts the method back. */
export function wrapMethod(
  prototype: object,
  name: string,
  body: (call: () => unknown, args: readonly unknown[]) => unknown,
): () => void {
  const methods = prototype as Record<string, Method>;
  const method = methods[name]!;
  methods[name] = function (this: never, ...args: never[]) {
    return body(() => method.apply(this, args), args);
  };
  return () => void (methods[name] = method);
}
