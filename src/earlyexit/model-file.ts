import type { Device } from '../device/device.ts';
import { ExitGpuError, ModelFileError } from '../errors.ts';
import { array, boolean, number, object, oneOf, optional, parseJson, record, string } from '../json.ts';
import type { Checked } from '../json.ts';
import { layer, layerToJson } from '../nn/layer-json.ts';
import { Parameters } from '../nn/parameters.ts';
import { fromFloat32, parseSafetensors, serializeSafetensors, toFloat32 } from '../nn/safetensors.ts';
import { CRITERIA } from './criteria.ts';
import { Model } from './model.ts';
import { multiExit } from './network.ts';
import type { Network } from './network.ts';

/** Raised when an older reader would misread a newer file; fields that may be ignored do not raise it. */
const FORMAT_VERSION = 1;
/** The one key of the safetensors metadata that this library uses. */
const KEY = 'exitgpu';

const natural = number({ min: 0, integer: true });
const positive = number({ min: 1, max: 2 ** 24, integer: true });
const share = number({ min: 0, max: 1 });

const checkDetails = object({
  architecture: object({
    name: string,
    input: array(positive, 3),
    classes: positive,
    stages: array(object({ body: array(layer), exit: array(layer) })),
  }),
  normalization: object({ mean: array(number()), std: array(number()) }),
  classNames: array(string),
  thresholds: optional(
    object({
      criterion: oneOf(CRITERIA),
      values: array(number({ min: 0 })),
      chosenOn: object({ dataset: string, fingerprint: string, samples: natural }),
      maxAccuracyLoss: share,
      achieved: object({ accuracy: share, accuracyFull: share, shares: array(share) }),
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
      weights: array(number({ min: 0 })),
      optimizer: record((value) => value),
      adapter: string,
      losses: array(number()),
    }),
  ),
});
type Details = Checked<typeof checkDetails>;

/**
 * The model as a safetensors file that other tools read: tensors `stage1.conv1.weight` in f32, convolutions OIHW and
 * linear layers [out, in]; one metadata key `exitgpu` with everything else as JSON.
 * @throws DeviceLostError
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
      stages: network.stages.map(({ body, exit }) => ({ body: body.map(layerToJson), exit: exit.map(layerToJson) })),
    },
    exits: network.macs.toExit.map((macs, index) => ({ exit: index + 1, macs })),
    macs: network.macs.full,
    normalization,
    classNames,
    thresholds,
    training,
  };
  const tensors = new Map([...values].map(([name, data]) => [name, fromFloat32(data, parameters.get(name).shape)]));
  return serializeSafetensors({ metadata: { [KEY]: JSON.stringify(details) }, tensors });
}

/** What a model file says of itself, checked, without a device. @throws ModelFileError */
export function readModelFile(bytes: Uint8Array, source = 'model'): { network: Network; details: Details; tensors: ReturnType<typeof parseSafetensors>['tensors'] } {
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
  const details = checkDetails(json, `${source}: ${KEY}`);
  try {
    return { network: multiExit(details.architecture), details, tensors };
  } catch (error) {
    if (!(error instanceof ExitGpuError)) throw error;
    throw new ModelFileError(`${source}: its architecture does not fit together: ${error.message}`, { cause: error });
  }
}

/**
 * A model from the bytes of its file. Everything is checked before anything is allocated on the device.
 * @throws ModelFileError naming the file, what was expected and what came
 */
export function loadModel(device: Device, bytes: Uint8Array, source = 'model'): Model {
  const { network, details, tensors } = readModelFile(bytes, source);
  const { thresholds, training, normalization, classNames } = details;
  const exits = network.stages.length;
  const lengths: [string, number, number][] = [
    ['classNames', classNames.length, network.classes],
    ['normalization.mean', normalization.mean.length, network.input[0]!],
    ['normalization.std', normalization.std.length, network.input[0]!],
    ...(thresholds ? [['thresholds.values', thresholds.values.length, exits - 1] as [string, number, number]] : []),
  ];
  for (const [field, length, wanted] of lengths) {
    if (length !== wanted) throw new ModelFileError(`${source}: ${KEY}.${field}: expected ${wanted} of them, got ${length}`);
  }
  const values = new Map([...tensors].map(([name, tensor]) => [name, { shape: tensor.shape, data: toFloat32(tensor, `${source}: ${name}`) }]));
  const parameters = Parameters.from(device, network.parameters, values, source);
  return new Model(network, parameters, { normalization, classNames, ...(thresholds && { thresholds }), ...(training && { training }) });
}
