import { ArgumentError } from '../../errors.ts';
import type { Model } from '../model.ts';
import { checkBuilt } from '../network.ts';
import type { LossTerm } from './losses.ts';
import type { ExitWeights } from './schedules.ts';
import type { Plateau, Strategy } from './strategies.ts';
import type { Weights } from './weighing.ts';

/** A phase with all that was left out of it filled in. */
export interface PlannedPhase {
  readonly name: string;
  readonly epochs: number;
  readonly weights: Weights;
  /** By name. */
  readonly trained: ReadonlySet<string>;
  readonly loss: readonly LossTerm[];
  readonly learningRate: number;
  readonly plateau: Plateau | undefined;
}

interface Given {
  readonly strategy: Strategy;
  readonly epochs: number;
  readonly weights: Weights;
  readonly loss: readonly LossTerm[];
}

/** @throws ArgumentError naming what is out of range, and the phase it is in */
export function planPhases({ network, parameters }: Model, { strategy, epochs, weights, loss }: Given): PlannedPhase[] {
  const exits = network.stages.length;
  const phases = strategy(network, epochs);
  const name = strategy.name || 'the strategy';
  if (phases.length === 0) throw new ArgumentError(`train: expected phases from ${name}, got none`);
  return phases.map((phase) => {
    if (phase.exits) checkBuilt(`train: phase '${phase.name}' of ${name}`, phase.exits, exits);
    const given = phase.weights ? weightsPerExit(phase.weights, exits) : weights;
    const { epochs, learningRate = 1, plateau } = phase;
    const weighed = given.map((weight, index) => (phase.exits?.includes(index + 1) ?? true ? weight : 0));
    const trained = new Set([...parameters.trained.keys()].filter((parameter) => phase.trains?.(parameter) ?? true));
    const refused = (what: string): ArgumentError =>
      new ArgumentError(`train: phase '${phase.name}' of ${name} ${what}`);
    if (!(Number.isInteger(epochs) && epochs >= 1)) throw refused(`has ${epochs} epochs, expected 1 or more`);
    if (weighed.every((weight) => weight === 0)) throw refused('leaves no exit a weight above 0; give one some');
    if (trained.size === 0) throw refused('trains no parameter; look at the names that its `trains` accepts');
    if (!(learningRate >= 0 && learningRate < Infinity)) throw refused(`has a learning rate factor of ${learningRate}`);
    const terms = [...(phase.lossInstead ?? loss), ...(phase.loss ?? [])];
    return { name: phase.name, epochs, weights: weighed, trained, loss: terms, learningRate, plateau };
  });
}

/** @throws ArgumentError unless there is one weight per exit, 0 or more, and one of them not 0 */
export function weightsPerExit(weights: ExitWeights | undefined, exits: number): Weights {
  if (typeof weights === 'function') return new Array(exits).fill(weights);
  const list = weights ?? new Array<number>(exits).fill(1);
  const fits = list.every((weight) => typeof weight === 'function' || (weight >= 0 && weight < Infinity));
  if (list.length === exits && fits && list.some((weight) => weight !== 0)) return list;
  const got = list.map((weight) => (typeof weight === 'function' ? weight.name : weight)).join(', ');
  throw new ArgumentError(`train: expected ${exits} weights of 0 or more, one per exit and not all 0, got [${got}]`);
}
