import type { ImageShape } from '../data/dataset.ts';
import { ArgumentError } from '../errors.ts';
import { currentGraph, trace } from '../graph/trace.ts';
import { layerNames, sequential, within } from '../nn/layer.ts';
import type { Layer } from '../nn/layer.ts';
import { Rows } from '../tensor/spec.ts';
import type { Network } from './network.ts';

/** A network without early exits: layers one after the other, the last of which give logits. */
export interface PlainNetwork {
  readonly name: string;
  /** Of one sample. */
  readonly input: ImageShape;
  readonly classes: number;
  readonly layers: readonly Layer[];
}

/** A layer of the trunk, behind which an exit may be put. */
export interface Place {
  /** As `sequential` names it, counted over the whole network: `conv2`. */
  readonly name: string;
  /** Of one sample behind the layer. */
  readonly shape: readonly number[];
  /** Multiply-accumulates of one sample from the input through the layer. */
  readonly macs: number;
}

/** A plain network taken apart. */
export interface Trunk {
  readonly plain: PlainNetwork;
  readonly places: readonly Place[];
  /** What is left of the layers: the last with parameters and those behind it, which answer. */
  readonly head: readonly Layer[];
  /** Multiply-accumulates of one sample, head counted. */
  readonly macs: number;
}

/**
 * Walks through a plain network, or one made by `multiExit` with one exit; `what` names the caller.
 * @throws ArgumentError for a network with early exits, ShapeError if the layers do not fit each other
 */
export function trunkOf(network: PlainNetwork | Network, what: string): Trunk {
  const plain = 'layers' in network ? network : withoutStages(network, what);
  const places = walk(plain, what);
  const head = Math.max(0, plain.layers.findLastIndex(({ parameters }) => Object.keys(parameters).length > 0));
  return { plain, places: places.slice(0, head), head: plain.layers.slice(head), macs: places.at(-1)?.macs ?? 0 };
}

function withoutStages({ name, input, classes, stages }: Network, what: string): PlainNetwork {
  if (stages.length > 1) {
    const exits = stages.length - 1;
    throw new ArgumentError(`${what}: expected a network without early exits, got ${exits} in ${name}`);
  }
  return { name, input, classes, layers: stages.flatMap(({ body, exit }) => [...body, ...exit]) };
}

function walk({ input, layers }: PlainNetwork, what: string): Place[] {
  const names = layerNames(layers);
  const specs = Object.entries(sequential(layers).parameters).map(
    ([name, { shape }]) => [name, { dtype: 'f32', shape }] as const,
  );
  const places: Place[] = [];
  trace({ ...Object.fromEntries(specs), x: { dtype: 'f32', shape: [1, ...input], rows: new Rows(1) } }, (inputs) => {
    const graph = currentGraph(what);
    let x = inputs['x']!;
    layers.forEach((layer, index) => {
      const name = names[index]!;
      x = layer.forward(x, within({ parameter: (parameter) => inputs[parameter]! }, name));
      places.push({ name, shape: x.shape.slice(1), macs: graph.macs() });
    });
    return {};
  });
  return places;
}
