import type { Device } from '../device/device.ts';
import type { ImageShape } from '../data/dataset.ts';
import { ExitGpuError, ModelFileError } from '../errors.ts';
import { array, boolean, describe, number, object, oneOf, optional, parseJson, record, string } from '../json.ts';
import type { Check, Checked } from '../json.ts';
import { layer, layerToJson } from '../nn/layer-json.ts';
import { Parameters } from '../nn/parameters.ts';
import { fromFloat32, parseSafetensors, serializeSafetensors, toFloat32 } from '../nn/safetensors.ts';
import type { Safetensors } from '../nn/safetensors.ts';
import { CRITERIA } from './criteria.ts';
import { RISK_BOUNDS, RISK_METHODS } from './judgement/guarantee.ts';
import { checkDetails, Model } from './model.ts';
import { multiExit } from './network.ts';
import type { Network } from './network.ts';
import { POLICIES } from './scheduling/costs.ts';
import type { HeadGradient } from './training/head-gradient.ts';

/** Raised when an older reader would misread a newer file; fields that may be ignored do not raise it. */
const FORMAT_VERSION = 1;
/** The one key of the safetensors metadata that this library uses. */
const KEY = 'exitgpu';

const natural = number({ min: 0, integer: true });
const positive = number({ min: 1, max: 2 ** 24, integer: true });
const share = number({ min: 0, max: 1 });
const weights = array(number({ min: 0 }));

const imageShape: Check<ImageShape> = (value, path) => {
  const [channels, height, width] = array(positive, 3)(value, path);
  return [channels!, height!, width!];
};

const headGradient: Check<HeadGradient> = (value, path) =>
  value === 'equilibrium' ? value : array(number())(value, path);

const calibration = object({ dataset: string, fingerprint: string, samples: natural });

const guarantee = object({
  risk: string,
  level: number(),
  method: oneOf(RISK_METHODS),
  delta: optional(share),
  bound: optional(oneOf(RISK_BOUNDS)),
  candidates: positive,
  observed: number(),
  upperBound: number(),
  calibration,
  emptyClasses: optional(natural),
  date: string,
});

const checkFields = object({
  architecture: object({
    name: string,
    input: imageShape,
    classes: positive,
    stages: array(
      object({ body: array(layer), exit: array(layer), bodyOf: optional(natural), exitOf: optional(natural) }),
    ),
    gates: optional(boolean),
    halting: optional(boolean),
  }),
  normalization: object({ mean: array(number()), std: array(number()) }),
  classNames: array(string),
  thresholds: optional(
    object({
      criterion: oneOf(CRITERIA),
      values: array(number({ min: 0 })),
      classValues: optional(array(array(number({ min: 0 })))),
      temperatures: optional(array(number())),
      chosenOn: calibration,
      maxAccuracyLoss: optional(share),
      maxMacs: optional(number({ min: 0 })),
      targetShares: optional(array(share)),
      maxMs: optional(number({ min: 0 })),
      deadline: optional(object({ ms: number({ min: 0 }), late: share })),
      timedOn: optional(object({ adapter: string, policy: oneOf(POLICIES) })),
      achieved: object({ accuracy: share, accuracyFull: share, shares: array(share) }),
      guarantee: optional(guarantee),
    }),
  ),
  training: optional(
    object({
      dataset: string,
      fingerprint: string,
      samples: natural,
      seed: natural,
      epochs: object({ planned: natural, done: natural }),
      interrupted: boolean,
      batch: natural,
      weights,
      weightSchedule: optional(string),
      strategy: optional(string),
      loss: optional(array(record((value) => value))),
      phases: optional(array(object({ name: string, epochs: natural, weights, trained: natural }))),
      augmentation: optional(record(number())),
      accumulate: optional(positive),
      clipNorm: optional(number({ min: 0 })),
      headGradient: optional(headGradient),
      optimizer: record((value) => value),
      adapter: string,
      losses: array(number()),
      validation: optional(
        object({ values: array(number()), best: optional(object({ epoch: natural, value: number() })) }),
      ),
    }),
  ),
});
type Details = Checked<typeof checkFields>;

/** What a model file says of itself, and the weights as they lie in it. */
export interface ModelFile {
  readonly network: Network;
  readonly details: Details;
  readonly tensors: Safetensors['tensors'];
}

/**
 * The model as a safetensors file that other tools read: tensors `stage1.conv1.weight` in f32, convolutions OIHW and
 * linear layers [out, in]; one metadata key `exitgpu` with everything else as JSON.
 * @throws ModelFileError for what could not be read back, such as a layer of one's own; DeviceLostError
 */
export async function saveModel(model: Model): Promise<Uint8Array> {
  const { network, normalization, classNames, thresholds, training, parameters } = model;
  const values = await parameters.read();
  const details = {
    formatVersion: FORMAT_VERSION,
    architecture: {
      name: network.name,
      input: network.input,
      classes: network.classes,
      stages: network.stages.map(({ body, exit, ...shares }) => ({
        body: body.map(layerToJson),
        exit: exit.map(layerToJson),
        ...shares,
      })),
      gates: network.gates,
      halting: network.halting,
    },
    exits: network.macs.toExit.map((macs, index) => ({ exit: index + 1, macs })),
    macs: network.macs.full,
    normalization,
    classNames,
    thresholds,
    training,
  };
  const tensors = new Map([...values].map(([name, data]) => [name, fromFloat32(data, parameters.get(name).shape)]));
  const bytes = serializeSafetensors({ metadata: { [KEY]: JSON.stringify(details) }, tensors });
  readModelFile(bytes, 'saveModel');
  return bytes;
}

/**
 * What a model file says of itself, all of it checked, without a device.
 * @throws ModelFileError naming the file, what was expected and what came
 */
export function readModelFile(bytes: Uint8Array, source = 'model'): ModelFile {
  const { metadata, tensors } = parseSafetensors(bytes, source);
  const text = Object.hasOwn(metadata, KEY) ? metadata[KEY] : undefined;
  if (text === undefined) {
    throw new ModelFileError(`${source}: expected a metadata key '${KEY}', got ${Object.keys(metadata).join(', ') || 'none'}; it is no exitgpu model`);
  }
  const json = parseJson(text, `${source}: ${KEY}`);
  const { formatVersion } = object({ formatVersion: number({ min: 1, integer: true }) })(json, `${source}: ${KEY}`);
  if (formatVersion > FORMAT_VERSION) {
    throw new ModelFileError(`${source}: has format version ${formatVersion}, this build reads up to ${FORMAT_VERSION}; update exitgpu`);
  }
  const details = checkFields(json, `${source}: ${KEY}`);
  const network = within(`${source}: its architecture does not fit together`, () => multiExit(details.architecture));
  within(source, () => checkDetails(network, details));
  checkTensors(network, tensors, source);
  return { network, details, tensors };
}

/** Turns what the library says of arguments into what is wrong with the file. */
function within<T>(path: string, body: () => T): T {
  try {
    return body();
  } catch (error) {
    if (!(error instanceof ExitGpuError)) throw error;
    throw new ModelFileError(`${path}: ${error.message}`, { cause: error });
  }
}

function checkTensors({ parameters }: Network, tensors: Safetensors['tensors'], source: string): void {
  for (const [name, { shape }] of Object.entries(parameters)) {
    const tensor = tensors.get(name);
    const expected = `a tensor '${name}' of F32 [${shape.join(', ')}]`;
    if (!tensor) throw new ModelFileError(`${source}: expected ${expected}, got none`);
    if (tensor.dtype !== 'F32' || tensor.shape.join() !== shape.join()) {
      throw new ModelFileError(`${source}: expected ${expected}, got ${tensor.dtype} [${tensor.shape.join(', ')}]`);
    }
  }
  for (const name of tensors.keys()) {
    if (!Object.hasOwn(parameters, name)) {
      throw new ModelFileError(`${source}: expected tensors of its architecture only, got ${describe(name)}`);
    }
  }
}

/**
 * A model from the bytes of its file. Everything is checked before anything is allocated on the device.
 * @throws ModelFileError naming the file, what was expected and what came
 */
export function loadModel(device: Device, bytes: Uint8Array, source = 'model'): Model {
  const { network, details, tensors } = readModelFile(bytes, source);
  const { thresholds, training, normalization, classNames } = details;
  const values = new Map([...tensors].map(([name, tensor]) => [name, { shape: tensor.shape, data: toFloat32(tensor, name) }]));
  const parameters = Parameters.from(device, network.parameters, values, source);
  return new Model(network, parameters, { normalization, classNames, ...(thresholds && { thresholds }), ...(training && { training }) });
}
