import { ArgumentError } from '../errors.ts';
import type { Head } from '../nn/heads.ts';
import type { Layer } from '../nn/layer.ts';
import { Model } from './model.ts';
import { multiExit } from './network.ts';
import type { Network, Stage } from './network.ts';
import { trunkOf } from './plain-network.ts';
import type { PlainNetwork } from './plain-network.ts';

export interface AttachedExit {
  /** The layer behind which it goes, as `sequential` names it, counted over the whole network: `conv2`. */
  readonly after: string;
  /** Layers that end in logits, or what makes them from the shape there. */
  readonly head: readonly Layer[] | Head;
}

export interface AttachOptions {
  /** In any order: exits are numbered as the trunk runs. None leaves the network as it is, with its own exit. */
  readonly at: readonly AttachedExit[];
}

/**
 * Puts early exits on a network that has none, without editing it: its layers are cut behind those named. The last
 * layer with parameters, and what follows it, becomes the head of the last exit.
 * @throws ArgumentError for a layer that is not there or named twice, a head that does not give `[rows, classes]`, or
 *   a network with early exits; ShapeError where layers do not fit
 */
export function attachExits(network: PlainNetwork | Network, { at }: AttachOptions): Network {
  const { plain, places, head: last } = trunkOf(network, 'attachExits');
  const { name, input, classes, layers } = plain;
  const names = places.map((place) => place.name);
  const exits = at.map(({ after, head }) => ({ index: indexOf(after, names), head })).sort((a, b) => a.index - b.index);
  let begin = 0;
  const stages = exits.map(({ index, head }): Stage => {
    if (index < begin) {
      throw new ArgumentError(`attachExits: expected one exit after a layer, got two after '${names[index]}'`);
    }
    const body = layers.slice(begin, (begin = index + 1));
    return { body, exit: typeof head === 'function' ? head(places[index]!.shape) : head };
  });
  stages.push({ body: layers.slice(begin, names.length), exit: last });
  return multiExit({ name, input, classes, stages });
}

function indexOf(after: string, names: readonly string[]): number {
  const index = names.indexOf(after);
  if (index < 0) throw new ArgumentError(`attachExits: expected a layer among ${names.join(', ')}, got '${after}'`);
  return index;
}

/**
 * The same for a model with weights: those of the trunk and of the last head are copied, running statistics too
 * (`stage1.conv2.weight` may become `stage2.conv1.weight`), and the new heads are made from the seed. Normalisation
 * and class names stay; thresholds and the training record do not, since they speak of other exits. The given model
 * stays as it is, and both are to be disposed of.
 * @throws ArgumentError, ShapeError as `attachExits`; DeviceLostError
 */
export async function attachExitsToModel(
  model: Model,
  { at, seed }: AttachOptions & { readonly seed: number },
): Promise<Model> {
  const network = attachExits(model.network, { at });
  const values = await model.parameters.read();
  const { device, normalization, classNames } = model;
  const attached = Model.initialize(device, network, { seed, normalization, classNames });
  const from = parametersOnTheWay(model.network);
  parametersOnTheWay(network).forEach((name, index) => attached.parameters.get(name).write(values.get(from[index]!)!));
  return attached;
}

/** The names of all parameters from the input to the last exit, in the order of the layers; other heads left out. */
function parametersOnTheWay({ stages, parameters }: Network): string[] {
  const last = `exit${stages.length}.`;
  return Object.keys(parameters).filter((name) => name.startsWith('stage') || name.startsWith(last));
}
