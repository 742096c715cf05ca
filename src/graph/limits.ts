import type { Device } from '../device/device.ts';
import { GpuError } from '../errors.ts';
import { copyProbe, multiplyAddProbe } from '../kernels/probes.ts';
import { Tensor } from '../tensor/tensor.ts';
import { compile } from './program.ts';
import type { Program } from './program.ts';
import { repeated } from './repeated.ts';
import { workOf } from './work.ts';
import type { Work } from './work.ts';

/** What a device was seen to do at most. */
export interface Limits {
  /** Multiply-adds of f32, two operations each. */
  readonly flopsPerSecond: number;
  /** Of a copy from storage to storage that no cache holds, read and written bytes together. */
  readonly bytesPerSecond: number;
}

/** Copied where bandwidth is measured: more than most caches hold. */
const COPIED_BYTES = 64 * 2 ** 20;
/** Of multiply-adds in one launch: what a launch costs is little beside. */
const LONG_ENOUGH_MS = 10;
const INVOCATIONS = 2 ** 17;
const ROUND_TRIPS = 20;
/** A limit is what was seen once, whatever else the machine did the other times. */
const ROUNDS = 3;

/** Takes about a second. @throws DeviceLostError, GpuError */
export async function measureLimits(device: Device): Promise<Limits> {
  using arithmetic = await Probe.multiplyAdd(device);
  const { work, ms } = await arithmetic.fastest();
  let bytesPerSecond = 0;
  for (const wide of [false, true]) {
    using copy = await Probe.copy(device, COPIED_BYTES, { wide });
    const copied = await copy.fastest();
    bytesPerSecond = Math.max(bytesPerSecond, (1000 * copied.work.bytes) / copied.ms);
  }
  return { flopsPerSecond: (1000 * work.flops) / ms, bytesPerSecond };
}

/** Work without a purpose, done any number of times in one submit. */
export class Probe implements Disposable {
  /** Of one time. */
  readonly work: Work;
  #program: Program<never, 'y'>;
  #x: Tensor;
  /** The last word of the result, as it must be. */
  #last: number;

  private constructor(program: Program<never, 'y'>, x: Tensor, last: number) {
    this.work = workOf(program).values().next().value!;
    this.#program = program;
    this.#x = x;
    this.#last = last;
  }

  /** Copies `bytes` bytes, a multiple of 16: word by word, or, `wide`, four at once. */
  static async copy(device: Device, bytes: number, { wide = false } = {}): Promise<Probe> {
    const x = Tensor.zeros(device, { dtype: 'u32', shape: [bytes / 4] }, 'copy probe');
    device.write(x.buffer, x.offset + bytes - 4, Uint32Array.of(bytes));
    const program = await compile(device, {}, () => ({ y: copyProbe({ x }, { wide }) }), { label: x.label });
    return new Probe(program, x, bytes);
  }

  /** As many multiply-adds as take long enough to be timed; `half`: in f16. @throws GpuError without `shader-f16` */
  static async multiplyAdd(device: Device, { half = false } = {}): Promise<Probe> {
    for (let rounds = 16; ; rounds *= 4) {
      const probe = await Probe.#multiplyAdds(device, rounds, half);
      await probe.run();
      if ((await probe.run()) >= LONG_ENOUGH_MS) return probe;
      probe[Symbol.dispose]();
    }
  }

  static async #multiplyAdds(device: Device, rounds: number, half: boolean): Promise<Probe> {
    const x = Tensor.from(device, Float32Array.of(0.5, 0.5), [2], 'multiply-add probe');
    const attributes = { count: INVOCATIONS, rounds, half };
    const program = await compile(device, {}, () => ({ y: multiplyAddProbe({ x }, attributes) }), { label: x.label });
    // Each of eight chains has come to 1.
    return new Probe(program, x, new Uint32Array(Float32Array.of(8).buffer)[0]!);
  }

  /** Milliseconds from here until the host has seen the result. @throws GpuError if it is wrong, DeviceLostError */
  async run(times = 1): Promise<number> {
    const began = performance.now();
    const recording = this.#program.start({});
    for (let time = 0; time < times; time++) this.#program.encode(recording, 0);
    const { buffer, offset, size } = this.#program.outputs().y.range;
    const pending = recording.read({ buffer, offset: offset + size - 4, size: 4 });
    recording.submit();
    const [last] = new Uint32Array(await pending());
    const ms = performance.now() - began;
    if (last === this.#last) return ms;
    const wrong = `expected ${this.#last} as the last word, got ${last}`;
    throw new GpuError(`${this.#program.label}: ${wrong}; no figure of this adapter can be trusted`);
  }

  /** Launches it once and waits for nothing. */
  submit(): void {
    this.#program.run({});
  }

  /** One time at its fastest, the round trip taken away. @throws GpuError, DeviceLostError */
  async fastest(): Promise<{ work: Work; ms: number }> {
    await this.run();
    let roundTripMs = Infinity;
    for (let trip = 0; trip < ROUND_TRIPS; trip++) roundTripMs = Math.min(roundTripMs, await this.run(0));
    let ms = Infinity;
    for (let round = 0; round < ROUNDS; round++) {
      ms = Math.min(ms, await repeated((times) => this.run(times), roundTripMs));
    }
    return { work: this.work, ms };
  }

  [Symbol.dispose](): void {
    this.#program.dispose();
    this.#x.dispose();
  }
}
