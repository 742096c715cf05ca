import type { Dataset, ImageShape } from '../data/dataset.ts';
import { ArgumentError } from '../errors.ts';
import { currentGraph, trace } from '../graph/trace.ts';
import type { Operand, Value } from '../kernels/define.ts';
import { zeros } from '../nn/initializers.ts';
import { sequential, within } from '../nn/layer.ts';
import type { Layer, LayerContext, ParameterSpec } from '../nn/layer.ts';
import { Rows, sizeOf } from '../tensor/spec.ts';

/** A piece of the trunk, and the head that may answer after it. */
export interface Stage {
  readonly body: readonly Layer[];
  /** Ends in logits `[rows, classes]`; with `halting`, see there. */
  readonly exit: readonly Layer[];
  /** The body has the parameters of that earlier stage's, counted from 1: one block, run again. */
  readonly bodyOf?: number | undefined;
  /** The exit has the parameters of that earlier stage's. */
  readonly exitOf?: number | undefined;
}

/** What the names of a stage's parameters begin with. */
export interface StageParts {
  readonly body: string;
  readonly exit: string;
  /** Of an exit with a gate. */
  readonly gate?: string;
}

export interface NetworkOptions {
  readonly name: string;
  /** Of one sample. */
  readonly input: ImageShape;
  readonly classes: number;
  /** In order; the exit of the last stage always answers. */
  readonly stages: readonly Stage[];
  /**
   * Each exit but the last has a gate that can be learned, see `learnedGates`: `gate1.weight` `[1, 3]` over confidence,
   * margin and entropy of its logits, and `gate1.bias`, all of them taken 10 times (`GATE_GAIN`) and 0 at first, so
   * that nobody leaves early. Gates are computed by the exit checks and not counted among the multiply-accumulates.
   * None where left out.
   */
  readonly gates?: boolean | undefined;
  /** Heads end in `[rows, classes + 1]`: logits, then the probability of having halted by this exit. */
  readonly halting?: boolean | undefined;
}

/** Multiply-accumulates of one sample, heads counted; the exit checks cost time, not multiply-accumulates. */
export interface NetworkMacs {
  /** The network without exits: trunk and last head. */
  readonly full: number;
  /** What a sample has cost that leaves at exit k (index k - 1): the trunk so far and every head on the way. */
  readonly toExit: readonly number[];
  /** Of head k (index k - 1) alone. */
  readonly heads: readonly number[];
}

/** Of a sample that leaves at exit `exit`, where only `exits` are built and the other heads are not. */
export function macsToExit(
  { toExit, heads }: Pick<NetworkMacs, 'toExit' | 'heads'>,
  exit: number,
  exits: readonly number[],
): number {
  return heads
    .slice(0, exit)
    .reduce((macs, head, index) => (exits.includes(index + 1) ? macs : macs - head), toExit[exit - 1]!);
}

/** Refuses exits that cannot be those built of `stages`; `what` names the caller. @throws ArgumentError */
export function checkBuilt(what: string, exits: readonly number[], stages: number): void {
  const ascending = exits.every((exit, index) => Number.isInteger(exit) && exit > (exits[index - 1] ?? 0));
  if (ascending && exits.length > 0 && exits.at(-1)! <= stages) return;
  throw new ArgumentError(`${what}: expected ascending exits from 1 to ${stages}, got [${exits.join(', ')}]`);
}

/** A multi-exit network: structure and parameter shapes, no GPU objects. */
export interface Network extends NetworkOptions {
  readonly parameters: Readonly<Record<string, ParameterSpec>>;
  readonly macs: NetworkMacs;
  /** Of each stage: `stage1` and `exit1`, or those of the earlier stage whose parameters it shares. */
  readonly parts: readonly StageParts[];
  /** Keeps f16 between its layers, see `halfModel`. */
  readonly half?: boolean;
  /** The trunk through stage k, counted from 1. */
  body(stage: number, x: Value, context: LayerContext): Value;
  /** The logits of exit k, counted from 1. */
  exit(stage: number, x: Value, context: LayerContext): Value;
}

/**
 * Puts a network together from stages. Parameters are named `stage1.conv1.weight`, `exit1.linear1.bias`. A stage that
 * shares those of an earlier one has none of its own; its multiply-accumulates count all the same.
 * @throws ArgumentError, ShapeError if the layers, or those of stages that share parameters, do not fit each other
 */
export function multiExit(options: NetworkOptions): Network {
  const { name, input, classes, stages, gates = false, halting = false } = options;
  if (stages.length === 0) throw new ArgumentError(`${name}: expected at least one stage, got none`);
  if (!(Number.isInteger(classes) && classes > 0)) {
    throw new ArgumentError(`${name}: expected a positive number of classes, got ${classes}`);
  }
  if (input.length !== 3 || !input.every((length) => Number.isInteger(length) && length > 0)) {
    throw new ArgumentError(`${name}: expected an input of [channels, height, width], got [${input.join(', ')}]`);
  }
  if (gates && stages.length === 1) {
    throw new ArgumentError(`${name}: expected two exits or more to have gates between, got one, which always answers`);
  }
  if (gates && halting) {
    throw new ArgumentError(`${name}: expected gates or halting scores, which both say where to leave, got both`);
  }
  const bodies = stages.map(({ body }) => sequential(body));
  const exits = stages.map(({ exit }) => sequential(exit));
  const parameters: Record<string, ParameterSpec> = {};
  const bodyParts = placeParts(parameters, 'stage', bodies, stages.map(({ bodyOf }) => bodyOf));
  const exitParts = placeParts(parameters, 'exit', exits, stages.map(({ exitOf }) => exitOf));
  const parts = bodyParts.map((body, index): StageParts => {
    const own = { body, exit: exitParts[index]! };
    if (!gates || index === stages.length - 1) return own;
    const gate = `gate${index + 1}`;
    parameters[`${gate}.weight`] = { shape: [1, 3], initialize: zeros };
    parameters[`${gate}.bias`] = { shape: [1], initialize: zeros };
    return { ...own, gate };
  });

  const network: Omit<Network, 'macs'> = {
    name,
    input,
    classes,
    stages,
    gates,
    halting,
    parameters,
    parts,
    body: (stage, x, context) => bodies[stage - 1]!.forward(x, within(context, parts[stage - 1]!.body)),
    exit: (stage, x, context) => exits[stage - 1]!.forward(x, within(context, parts[stage - 1]!.exit)),
  };
  return { ...network, macs: countMacs(network) };
}

/**
 * Adds the parameters of all bodies or of all exits to `parameters`, unless they are those of an earlier one, counted
 * from 1 in `sharers`; returns what the names begin with in each stage.
 * @throws ArgumentError if there is no such earlier one, or its parameters are others
 */
function placeParts(
  parameters: Record<string, ParameterSpec>,
  kind: 'stage' | 'exit',
  layers: readonly Layer[],
  sharers: readonly (number | undefined)[],
): string[] {
  const parts: string[] = [];
  layers.forEach((layer, index) => {
    const [own, of] = [`${kind}${index + 1}`, sharers[index]];
    if (of === undefined) {
      for (const [local, spec] of Object.entries(layer.parameters)) parameters[`${own}.${local}`] = spec;
      parts.push(own);
      return;
    }
    const owner = Number.isInteger(of) && of <= index ? layers[of - 1] : undefined;
    if (!owner) throw new ArgumentError(`${own}: expected to share the parameters of an earlier ${kind}, got ${of}`);
    const [wanted, got] = [owner, layer].map(shapesOf);
    if (wanted !== got) {
      throw new ArgumentError(`${own}: expected the parameters of ${kind}${of}, ${wanted}; got ${got}`);
    }
    parts.push(parts[of - 1]!);
  });
  return parts;
}

const shapesOf = ({ parameters }: Layer): string =>
  Object.entries(parameters).map(([name, { shape }]) => `${name} [${shape.join(', ')}]`).join(', ') || 'none';

/** What costs are measured of, and plans made for: networks of one name may differ. */
export const networkIdentity = ({ name, macs, half }: Network): string =>
  `${name}${half ? ' in f16' : ''} (${macs.toExit.at(-1)} MACs)`;

/**
 * Refuses data that a network cannot be trained or judged on; `what` names the caller.
 * @throws ArgumentError for no samples, images of another shape, or more classes than the network has
 */
export function checkFits({ name, input, classes }: Network, dataset: Dataset, what: string): void {
  const { shape, classNames, labels } = dataset;
  if (labels.length === 0) throw new ArgumentError(`${what}: expected samples, got none in ${dataset.name}`);
  if (shape.join() !== input.join()) {
    const [expected, got] = [input, shape].map((lengths) => `[${lengths.join(', ')}]`);
    throw new ArgumentError(`${what}: expected images of ${expected} for ${name}, got ${got} in ${dataset.name}`);
  }
  if (classNames.length > classes) {
    const got = `${classNames.length} in ${dataset.name}`;
    throw new ArgumentError(`${what}: expected at most ${classes} classes for ${name}, got ${got}`);
  }
}

/**
 * Traces the network over symbolic parameters, which checks its shapes, and adds up what its operations say they cost.
 */
function countMacs(network: Omit<Network, 'macs'>): NetworkMacs {
  const { name, input, classes, stages, halting } = network;
  const columns = classes + Number(halting);
  const specs = Object.entries(network.parameters).map(
    ([parameter, { shape }]) => [parameter, { dtype: 'f32', shape }] as const,
  );
  const rows = new Rows(1);
  const trunk: number[] = [];
  const heads: number[] = [];
  trace({ ...Object.fromEntries(specs), x: { dtype: 'f32', shape: [1, ...input], rows } }, (inputs) => {
    const graph = currentGraph('multiExit');
    const context = { parameter: (parameter: string): Operand => inputs[parameter]! };
    const cost = (costs: number[], body: () => Value): Value => {
      const before = graph.nodes.length;
      const value = body();
      costs.push(graph.macs(graph.nodes.slice(before)));
      return value;
    };
    let x = inputs['x']!;
    stages.forEach((_, index) => {
      x = cost(trunk, () => network.body(index + 1, x, context));
      const logits = cost(heads, () => network.exit(index + 1, x, context));
      if (logits.shape.length !== 2 || sizeOf(logits.shape) !== columns) {
        throw new ArgumentError(
          `${name}: exit ${index + 1} gives [${logits.shape.join(', ')}], expected [rows, ${columns}] logits` +
            (halting ? ' and halting score' : ''),
        );
      }
    });
    return {};
  });
  const upTo = (list: readonly number[], count: number): number =>
    list.slice(0, count).reduce((sum, value) => sum + value, 0);
  return {
    full: upTo(trunk, trunk.length) + heads.at(-1)!,
    toExit: stages.map((_, index) => upTo(trunk, index + 1) + upTo(heads, index + 1)),
    heads,
  };
}
