import type { Device } from '../device/device.ts';
import type { Operand, Value } from '../kernels/define.ts';
import { isFloat, sizeOf, typedArray } from '../tensor/spec.ts';
import type { Spec, TypedArray } from '../tensor/spec.ts';
import { lowerNode } from './lower.ts';
import { compileGraph } from './program.ts';
import type { Program } from './program.ts';
import { Graph, trace } from './trace.ts';
import type { Node } from './trace.ts';
import { choosing, runs } from './variants.ts';

export interface TunedVariant {
  readonly name: string;
  /** The fastest run measured; none of a variant that was dropped. */
  readonly ms?: number;
  /** Why it was dropped: it failed, or its results are not those of the first. */
  readonly dropped?: string;
}

/** What was measured for one operation and one class of shapes. */
export interface Tuned {
  readonly key: string;
  readonly variants: readonly TunedVariant[];
  readonly fastest: string;
}

export interface TuneOptions {
  /** Ends the measuring between two runs. */
  readonly signal?: AbortSignal | undefined;
}

/** A measured run takes at least so long, or it is repeated within one submit. */
const LONG_ENOUGH_MS = 3;
const MOST_REPEATS = 64;
/** In turn, so that what else the machine does falls on all variants; it only adds to the fastest. */
const ROUNDS = 5;
/** Relative to the greatest magnitude: sums may be taken in another order. */
const TOLERANCE = 1e-3;
/** Another has to be so much faster than the first, which measurements of equal ones are not. */
const BETTER = 0.95;

/**
 * Times the variants of all operations that `body` calls, at the shapes it calls them with, and has `device.fastest`
 * name the fastest; what is known already is left. A variant that fails or gives other results is dropped.
 * @throws DeviceLostError, the signal's reason; what `body` throws while it is traced
 */
export async function tune<I extends string>(
  device: Device,
  inputs: Readonly<Record<I, Spec>>,
  body: (inputs: Record<I, Value>) => Record<string, Operand>,
  { signal }: TuneOptions = {},
): Promise<Tuned[]> {
  const graph = trace(inputs, body as (inputs: Record<string, Value>) => Record<string, Operand>);
  const tuned: Tuned[] = [];
  for (const [key, { node, names }] of choicesOf(graph, device)) {
    const result = await measure(device, key, node, names, signal);
    device.fastest.set(key, result.fastest);
    tuned.push(result);
  }
  return tuned;
}

/** What is to be chosen between, and an operation that asks. */
function choicesOf(graph: Graph, device: Device): Map<string, { node: Node; names: string[] }> {
  const choices = new Map<string, { node: Node; names: string[] }>();
  for (const node of graph.nodes) {
    lowerNode(node, (key, variants) => {
      const names = Object.keys(variants).filter((name) => runs(variants[name]!(), device.features));
      if (names.length > 1 && !device.fastest.has(key)) choices.set(key, choices.get(key) ?? { node, names });
      return choosing(device.features, device.fastest)(key, variants);
    });
  }
  return choices;
}

async function measure(
  device: Device,
  key: string,
  node: Node,
  names: readonly string[],
  signal: AbortSignal | undefined,
): Promise<Tuned> {
  const results = new Map<string, { ms: number; dropped?: string }>(names.map((name) => [name, { ms: Infinity }]));
  const programs = new Map<string, Program>();
  const drop = (name: string, why: string): void => {
    device.check();
    results.set(name, { ms: Infinity, dropped: why });
  };
  try {
    const inputs = inputsOf(node);
    let expected: Record<string, TypedArray> | undefined;
    for (const name of names) {
      signal?.throwIfAborted();
      try {
        const choose = choosing(device.features, new Map([...device.fastest, [key, name]]));
        const program = await compileGraph(device, alone(node), { label: `${key} as ${name}`, choose });
        programs.set(name, program);
        const got = await program.call(inputs);
        expected ??= got;
        if (!alike(got, expected)) drop(name, `its results are not those of ${names[0]}`);
      } catch (error) {
        drop(name, error instanceof Error ? error.message : String(error));
      }
    }
    const sound = [...programs].filter(([name]) => !results.get(name)!.dropped);
    for (let round = 0; round < ROUNDS; round++) {
      for (const [name, program] of sound) {
        signal?.throwIfAborted();
        const result = results.get(name)!;
        const repeats = Math.min(MOST_REPEATS, Math.max(1, Math.ceil(LONG_ENOUGH_MS / result.ms)));
        result.ms = Math.min(result.ms, await timed(program, inputs, repeats));
      }
    }
  } finally {
    for (const program of programs.values()) program.dispose();
  }
  const variants = names.map((name) => {
    const { ms, dropped } = results.get(name)!;
    return { name, ...(dropped === undefined ? { ms } : { dropped }) };
  });
  const msOf = ({ ms = Infinity }: TunedVariant): number => ms;
  const best = variants.reduce((a, b) => (msOf(b) < msOf(a) ? b : a));
  const isBetter = msOf(best) < BETTER * msOf(variants[0]!);
  return { key, variants, fastest: isBetter ? best.name : names[0]! };
}

/** A graph of one operation, its inputs and results those of the graph. */
function alone(node: Node): Graph {
  const graph = new Graph();
  const named = Object.entries(node.inputs);
  const inputs = Object.fromEntries(named.map(([name, spec]) => [name, graph.input(name, spec)]));
  for (const [name, value] of Object.entries(graph.emit(node.op, inputs, node.attributes))) {
    graph.outputs.set(name, graph.lift(value, name));
  }
  return graph;
}

/** Numbers without pattern in [-1, 1); of whole numbers zeros, which are in range wherever they index. */
function inputsOf(node: Node): Record<string, TypedArray> {
  return Object.fromEntries(Object.entries(node.inputs).map(([name, { dtype, shape }]) => {
    const values = typedArray(dtype, sizeOf(shape));
    if (isFloat({ dtype })) values.forEach((_, index) => (values[index] = ((index * 0.618034) % 2) - 1));
    return [name, values];
  }));
}

function alike(got: Record<string, TypedArray>, expected: Record<string, TypedArray>): boolean {
  return Object.entries(expected).every(([name, values]) => {
    const wanted = Array.from<number>(values);
    const greatest = wanted.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    return wanted.every((value, index) => Math.abs(value - got[name]![index]!) <= TOLERANCE * greatest);
  });
}

/** Milliseconds of a run, the round trip with it. */
async function timed(program: Program, inputs: Record<string, TypedArray>, repeats: number): Promise<number> {
  const recording = program.start(inputs);
  for (let repeat = 0; repeat < repeats; repeat++) program.encode(recording, 0);
  const [output] = Object.values(program.outputs());
  const began = performance.now();
  const pending = recording.read({ ...output!.range, size: 4 });
  recording.submit();
  await pending();
  return (performance.now() - began) / repeats;
}
