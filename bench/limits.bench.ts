import type { Device } from '../src/device/device.ts';
import { Probe } from '../src/graph/limits.ts';
import { Tensor } from '../src/tensor/tensor.ts';
import { bench } from './harness.ts';
import type { Case } from './harness.ts';

const KIB = 2 ** 10;
const MIB = 2 ** 20;
const SIZES = [64 * KIB, 256 * KIB, MIB, 4 * MIB, 16 * MIB, 64 * MIB];
/** Small copies are repeated in one submit, so that they are timed and not the way there and back. */
const BYTES_PER_SUBMIT = 16 * MIB;
const COUNTS = [1, 10, 100, 1000];
/** A launch that does next to nothing copies so many bytes. */
const LEAST_BYTES = 16;

const rounded = (value: number): number => Number(value.toPrecision(3));
const sized = (bytes: number): string => (bytes < MIB ? `${bytes / KIB} KiB` : `${bytes / MIB} MiB`);

/** Storage to storage by a kernel, scalar and vec4, and by WebGPU's own copy. */
async function* copies(device: Device): AsyncGenerator<Case[]> {
  for (const size of SIZES) {
    const times = Math.max(1, BYTES_PER_SUBMIT / size);
    const facts = (ms: number) => ({ copies: times, 'GB/s': rounded((2 * size * times) / ms / 1e6) });
    using scalar = await Probe.copy(device, size);
    using wide = await Probe.copy(device, size, { wide: true });
    using buffers = new BufferCopy(device, size);
    yield [
      { name: `copy of ${sized(size)}, word by word`, run: () => scalar.run(times), facts },
      { name: `copy of ${sized(size)}, by vec4`, run: () => wide.run(times), facts },
      { name: `copy of ${sized(size)}, copyBufferToBuffer`, run: () => buffers.run(times), facts },
    ];
  }
}

/** `copyBufferToBuffer`, so many times in one submit. */
class BufferCopy implements Disposable {
  #device: Device;
  #from: Tensor;
  #to: Tensor;

  constructor(device: Device, size: number) {
    const spec = { dtype: 'u32', shape: [size / 4] } as const;
    this.#device = device;
    [this.#from, this.#to] = [Tensor.zeros(device, spec), Tensor.zeros(device, spec)];
    device.write(this.#from.buffer, size - 4, Uint32Array.of(size));
  }

  async run(times: number): Promise<void> {
    const recording = this.#device.record('copy');
    const size = this.#from.byteLength;
    const [from, to] = [this.#from, this.#to].map(({ buffer }) => ({ buffer, offset: 0, size }));
    for (let time = 0; time < times; time++) recording.copy(from!, to!);
    const pending = recording.read({ ...to!, offset: size - 4, size: 4 });
    recording.submit();
    const [last] = new Uint32Array(await pending());
    if (last !== size) throw new Error(`copyBufferToBuffer: expected ${size} as the last word, got ${last}`);
  }

  [Symbol.dispose](): void {
    this.#from.dispose();
    this.#to.dispose();
  }
}

/** Chains of multiply-adds in registers, f32 and f16. */
async function* arithmetic(device: Device): AsyncGenerator<Case[]> {
  for (const half of device.features.has('shader-f16') ? [false, true] : [false]) {
    using probe = await Probe.multiplyAdd(device, { half });
    const facts = (ms: number) => ({ 'GFLOP/s': rounded(probe.work.flops / ms / 1e6) });
    yield [{ name: `multiply-adds, ${half ? 'f16' : 'f32'}`, run: () => probe.run(), facts }];
  }
}

/** Launches of next to nothing, each waiting for the one before as in a network, in one submit or in one each. */
async function* overheads(device: Device): AsyncGenerator<Case[]> {
  using probe = await Probe.copy(device, LEAST_BYTES);
  const each = (count: number) => (ms: number) => ({ 'us each': rounded((1000 * ms) / count) });
  await probe.run();
  yield [{ name: 'round trip: a read of 4 bytes', run: () => probe.run(0) }];
  yield COUNTS.map((count) => ({
    name: `launches in a submit: ${count}`,
    run: () => probe.run(count),
    facts: each(count),
  }));
  yield COUNTS.map((count) => ({
    name: `submits of one launch: ${count}`,
    async run() {
      for (let submit = 1; submit < count; submit++) probe.submit();
      await probe.run();
    },
    facts: each(count),
  }));
}

await bench(
  'limits',
  'What can this device do at most: bytes copied, multiply-adds, launches, submits, reads?',
  async function* (device) {
    yield* overheads(device);
    yield* copies(device);
    yield* arithmetic(device);
  },
  { secondsPerCase: 0.5 },
);
