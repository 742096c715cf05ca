import { UnsupportedError } from '../errors.ts';
import { constant } from '../kernels/define.ts';
import type { Operand } from '../kernels/define.ts';
import { sizeOf, typedArray } from '../tensor/spec.ts';
import type { Dtype } from '../tensor/spec.ts';

/** Element types of ONNX that lie on the device. It has no integers of 64 bits: `int64` is narrowed to 32. */
export type OnnxDtype = 'float32' | 'int32' | 'int64' | 'uint32' | 'bool';

const dtypes: Readonly<Record<OnnxDtype, Dtype>> = {
  float32: 'f32',
  int32: 'i32',
  int64: 'i32',
  uint32: 'u32',
  bool: 'u32',
};

/** A tensor as files have it. */
export interface OnnxTensor {
  readonly dtype: OnnxDtype;
  readonly dims: readonly number[];
  readonly data: readonly number[];
}

export type OnnxAttribute = number | string | readonly number[] | readonly string[] | OnnxTensor;

/** A value of the graph that is being mapped. */
export interface OnnxValue {
  readonly dtype: OnnxDtype;
  readonly value: Operand;
  /** Its numbers, where they are known before anything runs: an initializer, or what follows from shapes. */
  readonly known?: readonly number[] | undefined;
}

/** One node of a graph, as files have it. */
export interface OnnxNode {
  readonly op: string;
  readonly attributes: Readonly<Record<string, OnnxAttribute>>;
  /** One for each input; undefined where an optional one is left out. */
  readonly inputs: readonly (OnnxValue | undefined)[];
  /** How many outputs somebody wants, from the first on. */
  readonly outputs: number;
  /** Version of the operator set. */
  readonly opset: number;
}

/** @throws UnsupportedError for element types that do not lie on the device, or numbers beyond 32 bits */
export function deviceDtype(dtype: string): Dtype {
  const known = (dtypes as Readonly<Record<string, Dtype>>)[dtype];
  if (known) return known;
  throw new UnsupportedError(`element type ${dtype}: expected one of ${Object.keys(dtypes).join(', ')}`);
}

/** What files write for "to the end"; on the device the last number of 32 bits stands for it. */
const END = 2 ** 63;

/**
 * A value whose numbers are known, inside a trace.
 * @throws UnsupportedError for numbers that the element type does not hold on the device
 */
export function known(tensor: OnnxTensor): OnnxValue {
  const spec = { dtype: deviceDtype(tensor.dtype), shape: tensor.dims };
  const narrow = (number: number): number =>
    tensor.dtype === 'int64' && Math.abs(number) === END ? (number > 0 ? 2 ** 31 - 1 : -(2 ** 31)) : number;
  const numbers = tensor.data.map(narrow);
  const data = typedArray(spec.dtype, numbers);
  const stray = spec.dtype === 'f32' ? undefined : numbers.find((number, index) => number !== data[index]);
  if (stray !== undefined) throw new UnsupportedError(`${tensor.dtype}: expected integers of 32 bits, got ${stray}`);
  return { dtype: tensor.dtype, value: constant(spec, data), known: tensor.data };
}

/** What a mapping reads of its node. Complaints name the operator. */
export class NodeReader {
  readonly node: OnnxNode;

  constructor(node: OnnxNode) {
    this.node = node;
  }

  get outputs(): number {
    return this.node.outputs;
  }

  get opset(): number {
    return this.node.opset;
  }

  /** @throws UnsupportedError */
  reject(why: string): never {
    throw new UnsupportedError(`${this.node.op}: ${why}`);
  }

  has(index: number): boolean {
    return this.node.inputs[index] !== undefined;
  }

  input(index: number): OnnxValue {
    return this.node.inputs[index] ?? this.reject(`expected input ${index}, which is left out`);
  }

  /** Input `index` as operations take it. */
  at(index: number): Operand {
    return this.input(index).value;
  }

  /** The same of an optional one. */
  maybe(index: number): Operand | undefined {
    return this.node.inputs[index]?.value;
  }

  /** All inputs. */
  get all(): Operand[] {
    return this.node.inputs.map((_, index) => this.at(index));
  }

  /** The numbers of input `index`, which must be known as the graph is compiled: shapes, axes and the like. */
  numbers(index: number): readonly number[] {
    const { known } = this.input(index);
    return known ?? this.reject(`input ${index} has to be known when the graph is compiled, as an initializer is`);
  }

  /** Numbers that were an attribute first and became an input later; undefined where neither is there. */
  numbersOf(attribute: string, index: number): readonly number[] | undefined {
    return this.has(index) ? this.numbers(index) : this.ints(attribute);
  }

  number(name: string, fallback: number): number {
    const value = this.node.attributes[name] ?? fallback;
    return typeof value === 'number' ? value : this.reject(`expected a number as ${name}`);
  }

  flag(name: string, fallback = false): boolean {
    return this.number(name, Number(fallback)) !== 0;
  }

  /** One of several words; the first where it is left out. */
  text<T extends string>(name: string, ...allowed: readonly T[]): T {
    const value = this.node.attributes[name] ?? allowed[0];
    const found = allowed.find((one) => one === value);
    return found ?? this.reject(`expected ${name} of ${allowed.join(', ')}, got ${String(value)}`);
  }

  ints(name: string): readonly number[] | undefined {
    const value = this.node.attributes[name];
    if (value === undefined) return undefined;
    return Array.isArray(value) ? (value as readonly number[]) : this.reject(`expected a list of numbers as ${name}`);
  }

  tensor(name: string): OnnxTensor | undefined {
    const value = this.node.attributes[name];
    if (value === undefined) return undefined;
    return typeof value === 'object' && 'data' in value ? value : this.reject(`expected a tensor as ${name}`);
  }

  /** A result with the element type of input `index`. */
  like(index: number, value: Operand): OnnxValue {
    return { dtype: this.input(index).dtype, value };
  }
}

/** One number, which broadcasts to any shape. */
export const scalar = (value: number): Operand => constant({ dtype: 'f32', shape: [] }, Float32Array.of(value));

export const float = (value: Operand): OnnxValue => ({ dtype: 'float32', value });

export const truth = (value: Operand): OnnxValue => ({ dtype: 'bool', value });

export const indices = (value: Operand): OnnxValue => ({ dtype: 'int64', value });

/** How one operator is expressed by operations of this library. */
export type Mapping = (node: NodeReader) => OnnxValue | readonly OnnxValue[];

export type Mappings = Readonly<Record<string, Mapping>>;

/** The axis meant, counted from the first. */
export const fromFirst = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis);

export const lengthOf = (value: Operand): number => sizeOf(value.shape);
