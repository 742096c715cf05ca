import { ModelFileError } from '../../errors.ts';
import { array, number, object, optional, parseJson, record } from '../../json.ts';
import type { Checked } from '../../json.ts';
import { fromFloat32, parseSafetensors, serializeSafetensors, toFloat32 } from '../../nn/safetensors.ts';
import type { SafetensorsTensor } from '../../nn/safetensors.ts';
import type { Network } from '../network.ts';
import type { PlanRecord } from './plan.ts';

/** Raised when an older reader would misread a newer file. */
const FORMAT_VERSION = 1;
/** The one key of the safetensors metadata that this library uses. */
const KEY = 'exitgpu-training';

const natural = number({ min: 0, integer: true });

const checkProgress = object({
  /** Steps taken, epochs ended, and batches of the epoch under way. */
  step: natural,
  epoch: natural,
  batches: natural,
  /** The phase, and the epoch it began with, both counted from 0. */
  phase: natural,
  phaseBegan: natural,
  /** Of the epoch under way: samples seen, and for each result of a step the sum over them. */
  samples: natural,
  sums: array(number()),
  /** Of each epoch. */
  losses: array(number()),
  validation: array(number()),
  best: optional(object({ epoch: natural, value: number() })),
  /** Of the generator that seeds dropout and augmentation. */
  random: array(natural, 4),
});

const checkFields = object({
  plan: record((value) => value),
  progress: checkProgress,
  /** For each program its phase and the steps that the optimiser's state has seen. */
  programs: array(object({ phase: natural, age: natural })),
});

/** Where a training is, in numbers. */
export type Progress = Checked<typeof checkProgress>;

type Values = ReadonlyMap<string, Float32Array>;

/** Everything that the rest of a training depends on. */
export interface TrainingState {
  readonly plan: PlanRecord;
  readonly progress: Progress;
  readonly parameters: Values;
  /** Where there is a best epoch to go back to. */
  readonly best: Values | undefined;
  readonly programs: readonly SavedProgram[];
}

interface SavedProgram {
  readonly phase: number;
  readonly age: number;
  readonly state: readonly Float32Array[];
}

/** A safetensors file: tensors `parameters/..`, `best/..` and `optimizer/PROGRAM/INDEX`, the rest as JSON. */
export function serializeState({ plan, progress, parameters, best, programs }: TrainingState): Uint8Array<ArrayBuffer> {
  const tensors = new Map<string, SafetensorsTensor>();
  const add = (name: string, values: Float32Array): void =>
    void tensors.set(name, fromFloat32(values, [values.length]));
  for (const [name, values] of parameters) add(`parameters/${name}`, values);
  for (const [name, values] of best ?? []) add(`best/${name}`, values);
  programs.forEach(({ state }, at) => state.forEach((values, index) => add(`optimizer/${at}/${index}`, values)));
  const fields = { plan, progress, programs: programs.map(({ phase, age }) => ({ phase, age })) };
  const text = JSON.stringify({ formatVersion: FORMAT_VERSION, ...fields });
  return serializeSafetensors({ metadata: { [KEY]: text }, tensors });
}

/**
 * The state of a training of this network, all of it checked.
 * @throws ModelFileError naming what was expected and what came
 */
export function parseState(bytes: Uint8Array, { parameters: specs }: Network, source = 'resume'): TrainingState {
  const { metadata, tensors } = parseSafetensors(bytes, source);
  const text = Object.hasOwn(metadata, KEY) ? metadata[KEY] : undefined;
  if (text === undefined) {
    const got = Object.keys(metadata).join(', ') || 'none';
    throw new ModelFileError(`${source}: expected a metadata key '${KEY}', got ${got}; it is no state of a training`);
  }
  const json = parseJson(text, `${source}: ${KEY}`);
  const { formatVersion } = object({ formatVersion: number({ min: 1, integer: true }) })(json, `${source}: ${KEY}`);
  if (formatVersion > FORMAT_VERSION) {
    const reads = `this build reads up to ${FORMAT_VERSION}; update exitgpu`;
    throw new ModelFileError(`${source}: has format version ${formatVersion}, ${reads}`);
  }
  const { plan, progress, programs } = checkFields(json, `${source}: ${KEY}`);
  const values = (prefix: string): Map<string, Float32Array> =>
    new Map(
      [...tensors]
        .filter(([name]) => name.startsWith(prefix))
        .map(([name, tensor]) => [name.slice(prefix.length), toFloat32(tensor, name)]),
    );
  const best = values('best/');
  const weights = values('parameters/');
  for (const list of best.size > 0 ? [weights, best] : [weights]) checkNames(list, specs, source);
  return {
    plan: plan as unknown as PlanRecord,
    progress,
    parameters: weights,
    best: best.size > 0 ? best : undefined,
    // By number: in the file they are sorted as text.
    programs: programs.map((program, at) => {
      const state = values(`optimizer/${at}/`);
      return { ...program, state: [...state.keys()].map((_, index) => state.get(String(index))!) };
    }),
  };
}

function checkNames(values: Values, specs: Network['parameters'], source: string): void {
  const names = Object.keys(specs);
  const strange = [...values.keys()].find((name) => !Object.hasOwn(specs, name));
  const missing = names.find((name) => !values.has(name));
  if (!strange && !missing) return;
  const got = strange ? `'${strange}'` : `no '${missing}'`;
  throw new ModelFileError(`${source}: expected the parameters of this network, got ${got}; it is of another one`);
}

/** @throws ModelFileError naming the first thing in which the plans differ */
export function checkSamePlan(planned: PlanRecord, saved: PlanRecord, source = 'resume'): void {
  const [now, then] = [planned, saved].map((plan) => new Map(Object.entries(plan)));
  for (const key of new Set([...then!.keys(), ...now!.keys()])) {
    const [expected, got] = [then!.get(key), now!.get(key)].map((value) => JSON.stringify(value) ?? 'none');
    if (expected === got) continue;
    const begun = `a training begun with ${key} ${expected}`;
    throw new ModelFileError(`${source}: ${begun}, now asked for ${got}; ask for the same again, or begin anew`);
  }
}
