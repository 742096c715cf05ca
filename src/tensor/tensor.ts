import type { Device } from '../device/device.ts';
import { DisposedError, ShapeError } from '../errors.ts';
import { byteLengthOf, bytesOf, bytesPer, decode, describe, encode, sizeOf, typedArray } from './spec.ts';
import type { Dtype, Spec, TypedArray } from './spec.ts';

const USAGE = 0x80 /* STORAGE */ | 0x8 /* COPY_DST */ | 0x4 /* COPY_SRC */;

/** Bind group offsets must be multiples of this on every adapter (WebGPU's default limit). */
const ALIGNMENT = 256;

/** A shape, a dtype and a place in GPU memory. No math: operations take tensors inside a trace. */
export class Tensor implements Spec {
  readonly kind = 'tensor';
  readonly device: Device;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly label: string;
  readonly offset: number;
  readonly byteLength: number;
  #buffer: GPUBuffer | undefined;
  #owned: boolean;

  private constructor(device: Device, spec: Spec, label: string, place?: { buffer: GPUBuffer; offset: number }) {
    this.device = device;
    this.dtype = spec.dtype;
    this.shape = spec.shape;
    this.label = label;
    this.byteLength = byteLengthOf(spec);
    this.offset = place?.offset ?? 0;
    this.#owned = !place;
    this.#buffer = place?.buffer ?? device.createBuffer(this.byteLength, USAGE, label);
  }

  /** All zero. */
  static zeros(device: Device, spec: Spec, label = 'tensor'): Tensor {
    return new Tensor(device, spec, label);
  }

  /**
   * Numbers as f32, u32 or i32, as the array is; for f16, `zeros` and `write`.
   * @throws ShapeError if the array's type or length does not fit `shape`
   */
  static from(device: Device, data: TypedArray, shape: readonly number[] = [data.length], label = 'tensor'): Tensor {
    const dtype = data instanceof Float32Array ? 'f32' : data instanceof Uint32Array ? 'u32' : 'i32';
    checkFits({ dtype, shape }, data, label);
    const tensor = new Tensor(device, { dtype, shape }, label);
    tensor.write(data);
    return tensor;
  }

  /** @internal A part of another tensor's memory; disposing it frees nothing. */
  static within(buffer: GPUBuffer, offset: number, device: Device, spec: Spec, label: string): Tensor {
    return new Tensor(device, spec, label, { buffer, offset });
  }

  /** @throws DisposedError */
  get buffer(): GPUBuffer {
    if (!this.#buffer) {
      throw new DisposedError(`tensor ${this.label}: used after dispose(); keep it alive as long as programs use it`);
    }
    return this.#buffer;
  }

  /** Replaces the contents; those of f16 with the nearest f16 of a Float32Array. @throws ShapeError */
  write(data: TypedArray): void {
    checkFits(this, data, this.label);
    if (data.length) this.device.write(this.buffer, this.offset, encode(this.dtype, data));
  }

  /** Copies the values back to the host, f16 as a Float32Array. @throws DeviceLostError, DisposedError */
  async read(): Promise<TypedArray> {
    const count = sizeOf(this.shape);
    if (count === 0) return typedArray(this.dtype, 0);
    const range = { buffer: this.buffer, offset: this.offset, size: bytesOf(this.dtype, count) };
    return decode(this.dtype, await this.device.read(range), count);
  }

  dispose(): void {
    if (this.#buffer && this.#owned) this.device.destroyBuffer(this.#buffer);
    this.#buffer = undefined;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

function checkFits(spec: Spec, data: TypedArray, label: string): void {
  const same = data.constructor === typedArray(spec.dtype, 0).constructor;
  if (same && data.length === sizeOf(spec.shape)) return;
  throw new ShapeError(
    `tensor ${label}: expected ${sizeOf(spec.shape)} values for ${describe(spec)}, ` +
      `got ${data.constructor.name} of ${data.length}`,
  );
}

/** Tensors side by side in one buffer, so that one dispatch over `whole` can walk them all. */
export interface Arena {
  readonly whole: Tensor;
  readonly tensors: ReadonlyMap<string, Tensor>;
}

/** Lays tensors out in one buffer, each at an offset that WebGPU can bind; the gaps between them stay zero. */
export function arena(
  device: Device,
  shapes: ReadonlyMap<string, readonly number[]>,
  label: string,
  dtype: 'f32' | 'f16' = 'f32',
): Arena {
  let size = 0;
  const offsets = new Map<string, number>();
  for (const [name, shape] of shapes) {
    offsets.set(name, size);
    size += Math.ceil(byteLengthOf({ dtype, shape }) / ALIGNMENT) * ALIGNMENT;
  }
  const whole = Tensor.zeros(device, { dtype, shape: [size / bytesPer(dtype)] }, label);
  const tensors = new Map<string, Tensor>();
  for (const [name, shape] of shapes) {
    tensors.set(name, Tensor.within(whole.buffer, offsets.get(name)!, device, { dtype, shape }, name));
  }
  return { whole, tensors };
}
