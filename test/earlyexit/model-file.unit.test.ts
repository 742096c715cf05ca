import { expect, it } from 'vitest';
import { readModelFile } from '../../src/earlyexit/model-file.ts';
import { ModelFileError } from '../../src/errors.ts';
import { fromFloat32, parseSafetensors, serializeSafetensors } from '../../src/nn/safetensors.ts';
import type { SafetensorsTensor } from '../../src/nn/safetensors.ts';
import { blankModel } from '../cli/fixtures.ts';

const valid = blankModel();
const { metadata, tensors } = parseSafetensors(valid);

const thresholds = {
  criterion: 'entropy',
  values: [0.1],
  chosenOn: { dataset: 'digits', fingerprint: '0123', samples: 10 },
  maxAccuracyLoss: 0.01,
  achieved: { accuracy: 1, accuracyFull: 1, shares: [1, 0] },
};

/** The bytes of the model after a change to what it says of itself, or to its tensors. */
function changed(change: (json: any, tensors: Map<string, SafetensorsTensor>) => void): Uint8Array {
  const json = JSON.parse(metadata['exitgpu']!);
  const others = new Map(tensors);
  change(json, others);
  return serializeSafetensors({ metadata: { exitgpu: JSON.stringify(json) }, tensors: others });
}

it('reads a valid file, with thresholds and fields of a later version', () => {
  expect(readModelFile(valid).network.name).toBe('b-lenet');
  const more = changed((json) => Object.assign(json, { thresholds, later: { field: 1 } }));
  expect(readModelFile(more).details.thresholds).toEqual(thresholds);
  const tempered = { ...thresholds, temperatures: [1.5, 0.8] };
  const calibrated = changed((json) => Object.assign(json, { thresholds: tempered }));
  expect(readModelFile(calibrated).details.thresholds).toEqual(tempered);
  const timed = {
    ...thresholds,
    maxMs: 0.8,
    deadline: { ms: 5, late: 0.01 },
    timedOn: { adapter: 'an adapter', policy: 'gated' },
  };
  const fast = changed((json) => Object.assign(json, { thresholds: timed }));
  expect(readModelFile(fast).details.thresholds).toEqual(timed);
});

const bias = 'exit2.linear1.bias';

it.each<[string, Parameters<typeof changed>[0], string]>([
  ['a newer version', (json) => (json.formatVersion = 2), 'has format version 2, this build reads up to 1'],
  ['no version', (json) => delete json.formatVersion, 'exitgpu.formatVersion: expected an integer >= 1, got nothing'],
  ['one name too few', (json) => json.classNames.pop(), 'b-lenet: expected 10 class names, got 9'],
  ['a mean too many', (json) => json.normalization.mean.push(0), 'normalize: expected a mean and a std > 0'],
  ['no deviation', (json) => (json.normalization.std = []), 'for each of 1 channels, got mean [0.13] and std []'],
  ['a deviation of 0', (json) => (json.normalization.std = [0]), 'expected a mean and a std > 0'],
  ['a mean that is null', (json) => (json.normalization.mean = [null]), 'normalization.mean[0]: expected a number, got null'],
  ['an input without channels', (json) => json.architecture.input.shift(), 'architecture.input: expected an array of 3'],
  ['an unknown layer', (json) => (json.architecture.stages[0].body[0].type = 'magic'), 'expected one of conv,'],
  ['layers that do not fit', (json) => json.architecture.stages[0].body.shift(), 'its architecture does not fit together: '],
  [
    'a body of a stage that comes later',
    (json) => (json.architecture.stages[1].bodyOf = 2),
    'its architecture does not fit together: stage2: expected to share the parameters of an earlier stage, got 2',
  ],
  [
    'an exit of one with other parameters',
    (json) => (json.architecture.stages[1].exitOf = 1),
    'exit2: expected the parameters of exit1, conv1.weight [10, 5, 3, 3], conv1.bias [10], linear1.weight [10, 640], ',
  ],
  ['no stages', (json) => (json.architecture.stages = []), 'its architecture does not fit together: b-lenet: expected at least'],
  [
    'a dropout of everything',
    (json) => json.architecture.stages[1].body.push({ type: 'dropout', rate: 1 }),
    'stages[1].body[6].rate: expected a number >= 0 and < 1, got 1',
  ],
  ['two thresholds for one exit', (json) => (json.thresholds = { ...thresholds, values: [1, 1] }), 'entropy: expected 1 thresholds'],
  ['a threshold out of range', (json) => (json.thresholds = { ...thresholds, values: [2.4] }), 'entropy: expected thresholds from 0 to 2.3026 nats'],
  ['gates without weights', (json) => (json.architecture.gates = true), "a tensor 'gate1.weight' of F32 [1, 3], got none"],
  ['gates by number', (json) => (json.architecture.gates = 1), 'architecture.gates: expected true or false, got 1'],
  [
    'a temperature for two exits',
    (json) => (json.thresholds = { ...thresholds, temperatures: [2] }),
    'entropy: expected 2 positive temperatures, one per exit, got [2]',
  ],
  ['an unknown criterion', (json) => (json.thresholds = { ...thresholds, criterion: 'luck' }), 'criterion: expected one of entropy'],
  ['milliseconds below 0', (json) => (json.thresholds = { ...thresholds, maxMs: -1 }), 'maxMs: expected a number >= 0, got -1'],
  [
    'a deadline that all may miss twice',
    (json) => (json.thresholds = { ...thresholds, deadline: { ms: 5, late: 2 } }),
    'deadline.late: expected a number >= 0 and <= 1, got 2',
  ],
  [
    'times under an unknown policy',
    (json) => (json.thresholds = { ...thresholds, timedOn: { adapter: 'a', policy: 'luck' } }),
    'timedOn.policy: expected one of readback',
  ],
  ['thresholds of null', (json) => (json.thresholds = null), 'exitgpu.thresholds: expected an object, got null'],
  ['a missing tensor', (_, all) => all.delete(bias), `expected a tensor '${bias}' of F32 [10], got none`],
  ['another shape', (_, all) => all.set(bias, fromFloat32(new Float32Array(10), [1, 10])), 'of F32 [10], got F32 [1, 10]'],
  [
    'another dtype',
    (_, all) => all.set(bias, { dtype: 'F16', shape: [10], bytes: new Uint8Array(20) }),
    `expected a tensor '${bias}' of F32 [10], got F16 [10]`,
  ],
  ['a tensor too many', (_, all) => all.set('more', all.get(bias)!), 'expected tensors of its architecture only, got "more"'],
])('refuses %s', (_, change, message) => {
  let error: unknown;
  try {
    readModelFile(changed(change), 'my.safetensors');
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(ModelFileError);
  expect((error as Error).message).toMatch(/^my\.safetensors: [^\n]+$/);
  expect((error as Error).message).toContain(message);
});
