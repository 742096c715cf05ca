import { expect } from 'vitest';
import { gradients } from '../src/autograd/backward.ts';
import type { Device } from '../src/device/device.ts';
import { lowerNode } from '../src/graph/lower.ts';
import { compile } from '../src/graph/program.ts';
import type { CompileOptions, Program, RunInput } from '../src/graph/program.ts';
import { trace } from '../src/graph/trace.ts';
import { choosing, runs } from '../src/graph/variants.ts';
import { constant } from '../src/kernels/define.ts';
import type { Operand, Value } from '../src/kernels/define.ts';
import { mul } from '../src/kernels/binary.ts';
import { sum } from '../src/kernels/reduce.ts';
import { Random } from '../src/random.ts';
import { Rows, sizeOf, typedArray } from '../src/tensor/spec.ts';
import type { Dtype, Spec, TypedArray } from '../src/tensor/spec.ts';

/** A tensor of the oracle: double precision, but holding values that f32 holds exactly. */
export interface Host {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

export interface OpCase {
  readonly inputs: Readonly<Record<string, Host>>;
  readonly attributes?: object;
  /** How many samples the batched inputs hold; left out where no input depends on samples. */
  readonly samples?: number;
  /** Inputs whose leading dimension carries the samples. */
  readonly batched?: readonly string[];
}

export interface OpRow {
  readonly cases: readonly OpCase[];
  /** The operation in double precision; `y` alone may be returned bare. */
  reference(inputs: Readonly<Record<string, Host>>, attributes: object): Host | Record<string, Host>;
  /** Allowed error in units of f32's epsilon (2^-23), relative to the greatest magnitude in the output. */
  ulps(opCase: OpCase): number;
  /** Inputs whose gradient is checked against finite differences of `reference`; none: the op's gradient is `none`. */
  readonly differentiable?: readonly string[];
  /** A sum over samples: the result of a batch is not made of the results of its rows. */
  readonly mixesRows?: true;
}

/** Operations that change things in place are tested by a story of their own. */
export interface OpStory {
  story(device: Device): Promise<void>;
}

type AnyCallable = (inputs: Record<string, Operand>, attributes?: object) => Value | Record<string, Value>;

/** Numbers in [low, high), rounded to f32. */
export function random(shape: readonly number[], seed: number, low = -1, high = 1): Host {
  const source = new Random(seed);
  const data = Float64Array.from({ length: sizeOf(shape) }, () => Math.fround(source.between(low, high)));
  return { dtype: 'f32', shape, data };
}

/** Integers in [0, bound). */
export function randomIndices(shape: readonly number[], seed: number, bound: number): Host {
  const source = new Random(seed);
  return { dtype: 'u32', shape, data: Float64Array.from({ length: sizeOf(shape) }, () => source.below(bound)) };
}

/** All different, at least `gap` apart, in random order: inputs for maxima, whose finite differences need it. */
export function distinct(shape: readonly number[], seed: number, gap = 0.01): Host {
  const order = new Random(seed).shuffle(Uint32Array.from({ length: sizeOf(shape) }, (_, index) => index));
  const middle = order.length / 2;
  return { dtype: 'f32', shape, data: Float64Array.from(order, (rank) => Math.fround((rank - middle + 0.5) * gap)) };
}

export const host = (shape: readonly number[], data: ArrayLike<number>, dtype: Dtype = 'f32'): Host => ({
  dtype,
  shape,
  data: Float64Array.from(data),
});

const outputsOf = (result: Host | Record<string, Host>): Record<string, Host> =>
  result.shape && (result as Host).data instanceof Float64Array ? { y: result as Host } : (result as Record<string, Host>);

const narrow = ({ dtype, data }: Host): TypedArray => typedArray(dtype, data);

/** Spec of an input for a program compiled for `max` samples. */
function specFor(opCase: OpCase, name: string, rows: Rows | undefined): Spec {
  const { dtype, shape } = opCase.inputs[name]!;
  if (!rows || !opCase.batched?.includes(name)) return { dtype, shape };
  const [lead, ...rest] = shape;
  return { dtype, shape: [(lead! / opCase.samples!) * rows.max, ...rest], rows };
}

function specsFor(opCase: OpCase, max: number): Record<string, Spec> {
  const rows = opCase.samples === undefined ? undefined : new Rows(max);
  return Object.fromEntries(Object.keys(opCase.inputs).map((name) => [name, specFor(opCase, name, rows)]));
}

const runInputs = (opCase: OpCase): Record<string, RunInput> =>
  Object.fromEntries(Object.entries(opCase.inputs).map(([name, value]) => [name, narrow(value)]));

async function readAll(program: Program, inputs: Record<string, RunInput>): Promise<Record<string, TypedArray>> {
  const outputs = program.run(inputs);
  const read: Record<string, TypedArray> = {};
  for (const [name, output] of Object.entries(outputs)) read[name] = await output.read();
  return read;
}

function forward(op: AnyCallable, opCase: OpCase): (inputs: Record<string, Value>) => Record<string, Value> {
  return (inputs) => {
    const result = op(inputs, opCase.attributes);
    return 'kind' in result ? { y: result as Value } : (result as Record<string, Value>);
  };
}

/** The part of the samples `from..to` of a case. */
function slice(opCase: OpCase, from: number, to: number): OpCase {
  const inputs = { ...opCase.inputs };
  for (const name of opCase.batched ?? []) {
    const { dtype, shape, data } = opCase.inputs[name]!;
    const each = data.length / opCase.samples!;
    const lead = (shape[0]! / opCase.samples!) * (to - from);
    inputs[name] = { dtype, shape: [lead, ...shape.slice(1)], data: data.slice(from * each, to * each) };
  }
  return { ...opCase, inputs, samples: to - from };
}

/** Rows that a program has room for beyond those that live. */
const DEAD_ROWS = 2;

/** Runs once with NaN in every row there is room for: what is left of them in the dead rows must not show later. */
async function poison(program: Program, opCase: OpCase): Promise<void> {
  if (opCase.samples === undefined) return;
  const inputs = runInputs(opCase);
  for (const name of opCase.batched ?? []) {
    const { dtype, data } = opCase.inputs[name]!;
    const each = data.length / Math.max(1, opCase.samples);
    inputs[name] = typedArray(dtype, each * (opCase.samples + DEAD_ROWS)).fill(dtype === 'f32' ? NaN : 0);
  }
  await readAll(program, inputs);
}

/** Compares with the reference: `ulps` of f32 relative to the greatest magnitude, NaN and infinities exactly. */
export function expectClose(got: ArrayLike<number>, want: Float64Array, ulps: number, what: string): void {
  expect(got.length, `${what}: length`).toBe(want.length);
  let scale = 0;
  for (const value of want) if (Number.isFinite(value)) scale = Math.max(scale, Math.abs(value));
  const bound = ulps * 2 ** -23 * scale;
  for (let i = 0; i < want.length; i++) {
    const expectedValue = want[i]!;
    const value = got[i]!;
    const fine = Number.isFinite(expectedValue) ? Math.abs(value - expectedValue) <= bound : Object.is(value, expectedValue);
    if (!fine) expect.fail(`${what}[${i}]: got ${value}, expected ${expectedValue} +- ${bound}`);
  }
}

/** The ways to compute a case that this device can choose between. */
export function variantsOf(device: Device, op: AnyCallable, opCase: OpCase): string[] {
  const names = new Set<string>();
  for (const node of trace(specsFor(opCase, (opCase.samples ?? 0) + DEAD_ROWS), forward(op, opCase)).nodes) {
    lowerNode(node, (key, variants) => {
      for (const [name, launches] of Object.entries(variants)) if (runs(launches(), device.features)) names.add(name);
      return choosing(device.features, device.fastest)(key, variants);
    });
  }
  return [...names];
}

type Results = Record<string, TypedArray>;

/** Value against the oracle, replay, reuse of memory, rows that are not live, batch against single; gives the value. */
export async function checkValue(
  device: Device,
  op: AnyCallable,
  row: OpRow,
  opCase: OpCase,
  options?: CompileOptions,
): Promise<Results> {
  const wanted = outputsOf(row.reference(opCase.inputs, opCase.attributes ?? {}));
  const specs = specsFor(opCase, (opCase.samples ?? 0) + DEAD_ROWS);
  using program = await compile(device, specs, forward(op, opCase), options);
  await poison(program, opCase);
  const first = await readAll(program, runInputs(opCase));
  for (const [name, want] of Object.entries(wanted)) expectClose(first[name]!, want.data, row.ulps(opCase), name);

  if (opCase.samples !== undefined) await readAll(program, runInputs(slice(opCase, 0, Math.min(1, opCase.samples))));
  for (let replay = 0; replay < 3; replay++) expect(await readAll(program, runInputs(opCase)), 'replay').toEqual(first);

  if (opCase.samples === undefined || row.mixesRows) return first;
  using single = await compile(device, specsFor(opCase, 1), forward(op, opCase), options);
  for (const sample of new Set([0, opCase.samples - 1])) {
    if (sample < 0) continue;
    const alone = await readAll(single, runInputs(slice(opCase, sample, sample + 1)));
    for (const [name, values] of Object.entries(alone)) {
      const inBatch = first[name]!.slice(sample * values.length, (sample + 1) * values.length);
      expect(inBatch, `${name} of sample ${sample}: in a batch as alone, to the bit`).toEqual(values);
    }
  }
  return first;
}

/** What a case gives, `times` times over with the same bits. */
export async function repeat(device: Device, op: AnyCallable, opCase: OpCase, times: number): Promise<Results> {
  using program = await compile(device, specsFor(opCase, opCase.samples ?? 0), forward(op, opCase));
  const first = await program.call(runInputs(opCase));
  const words = (results: Results): string =>
    Object.values(results).map((values) => new Uint32Array(values.buffer).join()).join();
  const wanted = words(first);
  for (let run = 1; run < times; run++) {
    if (words(await program.call(runInputs(opCase))) !== wanted) expect.fail(`run ${run + 1} gave other bits`);
  }
  return first;
}

/** Elements whose derivative is taken; all, if there are fewer. */
const PROBES = 12;
/** Step of the finite differences: the oracle works in double precision. */
const STEP = 1e-5;

/** The GPU's gradient of `sum(weights * y)`, which it gives, against central differences of the oracle. */
export async function checkGradient(
  device: Device,
  op: AnyCallable,
  row: OpRow,
  opCase: OpCase,
  options?: CompileOptions,
): Promise<Results> {
  const names = (row.differentiable ?? []).filter((name) => opCase.inputs[name]!.dtype === 'f32');
  const attributes = opCase.attributes ?? {};
  const { y } = outputsOf(row.reference(opCase.inputs, attributes)) as { y: Host };
  if (y.data.length === 0 || y.dtype !== 'f32' || names.length === 0) return {};
  const weights = random(y.shape, 99, 0.5, 1.5);
  const specs = specsFor(opCase, (opCase.samples ?? 0) + DEAD_ROWS);
  using program = await compile(device, specs, (inputs) => {
    const result = forward(op, opCase)(inputs)['y']!;
    const padded = new Float32Array(sizeOf(result.shape));
    padded.set(narrow(weights));
    const loss = sum({ x: mul({ a: result, b: constant(result, padded) }) });
    const grads = gradients(loss, names.map((name) => inputs[name]!));
    return Object.fromEntries(names.map((name, index) => [name, grads[index]!]));
  }, options);
  await poison(program, opCase);
  const analytic = await readAll(program, runInputs(opCase));

  const loss = (inputs: Record<string, Host>): number => {
    const { data } = outputsOf(row.reference(inputs, attributes))['y']!;
    return data.reduce((total, value, index) => total + value * weights.data[index]!, 0);
  };
  for (const name of names) {
    const input = opCase.inputs[name]!;
    const grad = analytic[name]!;
    expect(grad.length, `gradient of ${name}: length`).toBe(input.data.length);
    const scale = Math.max(1e-3, ...Array.from(grad, Math.abs));
    const stride = Math.max(1, Math.floor(input.data.length / PROBES));
    for (let i = 0; i < input.data.length; i += stride) {
      const at = (delta: number): number => {
        const data = input.data.slice();
        data[i]! += delta;
        return loss({ ...opCase.inputs, [name]: { ...input, data } });
      };
      const numeric = (at(STEP) - at(-STEP)) / (2 * STEP);
      const error = Math.abs(grad[i]! - numeric) / scale;
      if (!(error <= 1e-3)) expect.fail(`gradient of ${name}[${i}]: got ${grad[i]}, finite differences say ${numeric}`);
    }
  }
  return analytic;
}
