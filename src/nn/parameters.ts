import type { Device } from '../device/device.ts';
import { GpuError, ModelFileError } from '../errors.ts';
import { Random } from '../random.ts';
import { bytesPer, sizeOf } from '../tensor/spec.ts';
import { arena } from '../tensor/tensor.ts';
import type { Arena, Tensor } from '../tensor/tensor.ts';
import type { ParameterSpec } from './layer.ts';

/** How many numbers an optimiser steps, and how many are only kept: those of `trained: false`. */
export function countParameters(specs: Readonly<Record<string, ParameterSpec>>): { trained: number; kept: number } {
  const counts = { trained: 0, kept: 0 };
  for (const { shape, trained } of Object.values(specs)) {
    counts[trained === false ? 'kept' : 'trained'] += sizeOf(shape);
  }
  return counts;
}

/**
 * Named weights in one GPU buffer, and in a second one what is not trained. Programs for training and for inference
 * bind the same memory: nothing is copied.
 */
export class Parameters {
  readonly device: Device;
  /** Those that are trained as one flat tensor, for the optimiser. */
  readonly whole: Tensor;
  /** Those that are trained, the parts of `whole`. */
  readonly trained: ReadonlyMap<string, Tensor>;
  /** All, in the order of their specs. */
  readonly tensors: ReadonlyMap<string, Tensor>;
  #kept: Arena | undefined;

  private constructor(
    device: Device,
    specs: Readonly<Record<string, Pick<ParameterSpec, 'shape' | 'trained'>>>,
    dtype: 'f32' | 'f16' = 'f32',
  ) {
    const shapes = (trained: boolean): Map<string, readonly number[]> => {
      const chosen = Object.entries(specs).filter(([, spec]) => (spec.trained !== false) === trained);
      return new Map(chosen.map(([name, { shape }]) => [name, shape]));
    };
    const { whole, tensors } = arena(device, shapes(true), 'parameters', dtype);
    const kept = shapes(false);
    this.#kept = kept.size > 0 ? arena(device, kept, 'statistics') : undefined;
    this.device = device;
    this.whole = whole;
    this.trained = tensors;
    const place = (name: string): Tensor => tensors.get(name) ?? this.#kept!.tensors.get(name)!;
    this.tensors = new Map(Object.keys(specs).map((name) => [name, place(name)]));
  }

  /** Fresh weights. Each tensor draws from a stream of its own, so that its values depend on seed and name alone. */
  static initialize(device: Device, specs: Readonly<Record<string, ParameterSpec>>, seed: number): Parameters {
    const random = new Random(seed);
    const parameters = new Parameters(device, specs);
    for (const [name, { shape, initialize }] of Object.entries(specs)) {
      parameters.get(name).write(initialize(random.split(name), sizeOf(shape)));
    }
    return parameters;
  }

  /** @throws ModelFileError if a tensor is missing, unknown, or of another shape */
  static from(
    device: Device,
    specs: Readonly<Record<string, ParameterSpec>>,
    values: ReadonlyMap<string, { readonly shape: readonly number[]; readonly data: Float32Array }>,
    source: string,
  ): Parameters {
    for (const [name, { shape }] of Object.entries(specs)) {
      const value = values.get(name);
      if (!value) throw new ModelFileError(`${source}: expected a tensor '${name}' of [${shape.join(', ')}], got none`);
      if (value.shape.join() !== shape.join() || value.data.length !== sizeOf(shape)) {
        throw new ModelFileError(
          `${source}: expected tensor '${name}' of [${shape.join(', ')}], got [${value.shape.join(', ')}]`,
        );
      }
    }
    for (const name of values.keys()) {
      if (!Object.hasOwn(specs, name)) {
        throw new ModelFileError(`${source}: has a tensor '${name}' that its architecture does not use`);
      }
    }
    const parameters = new Parameters(device, specs);
    for (const [name, { data }] of values) parameters.get(name).write(data);
    return parameters;
  }

  /**
   * A copy for inference: what is trained in f16, as it is now, and the statistics as they are.
   * @throws GpuError on a device without `shader-f16`
   */
  async inHalf(): Promise<Parameters> {
    if (!this.device.features.has('shader-f16')) {
      throw new GpuError('parameters: expected a device with shader-f16 to keep f16 on, got one without; stay with f32');
    }
    const values = await this.read();
    const specs = [...this.tensors].map(([name, { shape }]) =>
      [name, { shape, ...(!this.trained.has(name) && { trained: false as const }) }] as const);
    const half = new Parameters(this.device, Object.fromEntries(specs), 'f16');
    half.write(values);
    return half;
  }

  get(name: string): Tensor {
    const tensor = this.tensors.get(name);
    if (!tensor) {
      throw new ModelFileError(`parameters: no tensor '${name}'; there are ${[...this.tensors.keys()].join(', ')}`);
    }
    return tensor;
  }

  /** Replaces values, by name. @throws ModelFileError, ShapeError for a name or a length that is none of these */
  write(values: ReadonlyMap<string, Float32Array>): void {
    for (const [name, data] of values) this.get(name).write(data);
  }

  /** Copies all values to the host, in one read of each buffer. */
  async read(): Promise<Map<string, Float32Array>> {
    const [trained, kept] = await Promise.all([this.whole.read(), this.#kept?.whole.read()]);
    return new Map(
      [...this.tensors].map(([name, { dtype, offset, shape }]) => {
        const all = (this.trained.has(name) ? trained : kept) as Float32Array;
        const first = offset / bytesPer(dtype);
        return [name, all.slice(first, first + sizeOf(shape))];
      }),
    );
  }

  dispose(): void {
    this.whole.dispose();
    this.#kept?.whole.dispose();
    for (const tensor of this.tensors.values()) tensor.dispose();
  }
}
