import { ArgumentError } from '../../errors.ts';
import { checkGates } from '../gates.ts';
import type { Network } from '../network.ts';
import { gatedCrossEntropies, learnedGates } from './gates.ts';
import type { LearnedGatesOptions } from './gates.ts';
import { distillation } from './losses.ts';
import type { DistillationOptions, LossTerm } from './losses.ts';
import type { ExitWeights } from './schedules.ts';

/** A stretch of a training: which exits count, and what is trained. Exits are counted from 1. */
export interface Phase {
  readonly name: string;
  readonly epochs: number;
  /** The exits that keep their weight; the others weigh 0. All where left out. */
  readonly exits?: readonly number[];
  /** In place of the weights of the training. */
  readonly weights?: ExitWeights;
  /** By name; all where left out. The others keep their bits, whatever decay and momentum say. */
  readonly trains?: (parameter: string) => boolean;
  /** Terms besides those of the training. */
  readonly loss?: readonly LossTerm[];
  /** Terms in place of those of the training. */
  readonly lossInstead?: readonly LossTerm[];
  /** Multiplies the learning rate; 1 where left out. */
  readonly learningRate?: number;
  /** Ends the phase before its epochs are over, which the next one then has too; the last has all that are left. */
  readonly plateau?: Plateau;
}

/** Whether a phase gains no more: looks at the losses of its epochs so far. */
export type Plateau = (losses: readonly number[]) => boolean;

/** No epoch of the last `patience` has lowered the loss by more than `threshold` of the lowest before. */
export function plateau({ patience, threshold = 0.01 }: { patience: number; threshold?: number }): Plateau {
  if (!(Number.isInteger(patience) && patience >= 1)) {
    throw new ArgumentError(`plateau: expected a patience of 1 epoch or more, got ${patience}`);
  }
  return (losses) => {
    if (losses.length <= patience) return false;
    const before = Math.min(...losses.slice(0, -patience));
    return Math.min(...losses.slice(-patience)) >= before * (1 - threshold);
  };
}

/** Divides a training of so many epochs into phases. Any function will do; its name goes into the record. */
export type Strategy = (network: Network, epochs: number) => readonly Phase[];

const last = ({ stages }: Network): number => stages.length;
const upTo = (exit: number): number[] => Array.from({ length: exit }, (_, index) => index + 1);

const partOf = (parameter: string): string => parameter.slice(0, parameter.indexOf('.'));

/** The head, or the gate, of one of `exits`, by parameter name. */
const headsOf = ({ parts }: Network, exits: readonly number[]) => (parameter: string): boolean =>
  exits.some((exit) => [parts[exit - 1]!.exit, parts[exit - 1]!.gate].includes(partOf(parameter)));

/** Epochs of each phase, as even as can be, the longer ones first. @throws ArgumentError for less than one each */
function divide(strategy: string, epochs: number, phases: number): number[] {
  if (epochs < phases) {
    throw new ArgumentError(`${strategy}: expected ${phases} epochs or more, one per phase, got ${epochs}`);
  }
  return Array.from({ length: phases }, (_, index) => Math.ceil((epochs - index) / phases));
}

/** Epochs before and after a change: `share` of them before, at least one each. @throws ArgumentError */
function halve(strategy: string, epochs: number, share: number): [before: number, after: number] {
  divide(strategy, epochs, 2);
  if (!(share > 0 && share < 1)) throw new ArgumentError(`${strategy}: expected a share between 0 and 1, got ${share}`);
  const before = Math.min(epochs - 1, Math.max(1, Math.round(epochs * share)));
  return [before, epochs - before];
}

/** Everything at once: the sum of the losses of all exits (Teerapittayanon et al. 2016, section III-B). */
export const joint = (): Strategy =>
  function joint(_, epochs) {
    return [{ name: 'joint', epochs }];
  };

/**
 * The network without early exits for `share` of the epochs, then the early heads on the frozen trunk (as Kaya et al.
 * 2019 do with networks off the shelf): the last exit is what it would be alone.
 */
export const separate = ({ share = 0.5 }: { share?: number } = {}): Strategy =>
  function separate(network, epochs) {
    const exits = upTo(last(network) - 1);
    if (exits.length === 0) return [{ name: 'trunk', epochs }];
    const [before, after] = halve('separate', epochs, share);
    return [
      { name: 'trunk', epochs: before, exits: [last(network)] },
      { name: 'heads', epochs: after, exits, trains: headsOf(network, exits) },
    ];
  };

/** The network without early exits for `share` of the epochs, then everything at once, as BranchyNet was trained. */
export const twoPhase = ({ share = 1 / 3 }: { share?: number } = {}): Strategy =>
  function twoPhase(network, epochs) {
    if (last(network) === 1) return [{ name: 'joint', epochs }];
    const [before, after] = halve('twoPhase', epochs, share);
    return [
      { name: 'trunk', epochs: before, exits: [last(network)] },
      { name: 'joint', epochs: after },
    ];
  };

/** By turns, an epoch each: the network without early exits, then the early heads on the trunk as it is; heads last. */
export const alternating = (): Strategy =>
  function alternating(network, epochs) {
    const exits = upTo(last(network) - 1);
    if (exits.length === 0) return [{ name: 'trunk', epochs }];
    divide('alternating', epochs, 2);
    const trains = headsOf(network, exits);
    return Array.from({ length: epochs }, (_, epoch): Phase => {
      const isHeads = epoch > 0 && (epochs - epoch) % 2 === 1;
      if (isHeads) return { name: 'heads', epochs: 1, exits, trains };
      return { name: 'trunk', epochs: 1, exits: [last(network)] };
    });
  };

/**
 * One exit after another from the first, each with the stage it ends, for an equal part of the epochs, or until it
 * gains no more. Earlier stages and exits go on learning, or are frozen once the next exit comes (cascade learning,
 * Marquez et al. 2018).
 */
export const progressive = ({ freeze = false, until }: { freeze?: boolean; until?: Plateau } = {}): Strategy =>
  function progressive(network, epochs) {
    return divide('progressive', epochs, last(network)).map((part, index) => {
      const exit = index + 1;
      const own: string[] = Object.values(network.parts[index]!);
      return {
        name: `exit ${exit}`,
        epochs: part,
        exits: freeze ? [exit] : upTo(exit),
        ...(until && { plateau: until }),
        ...(freeze && { trains: (parameter: string) => own.includes(partOf(parameter)) }),
      };
    });
  };

/** Everything at once, the early exits learning from the last one besides, see `distillation`. */
export function distilled(options: DistillationOptions = {}): Strategy {
  const loss = [distillation(options)];
  return function distilled(_, epochs) {
    return [{ name: 'distilled', epochs, loss }];
  };
}

/** The heads of a given model alone, on its frozen trunk. `exits`: those trained; all where left out. */
export const headsOnly = ({ exits }: { exits?: readonly number[] } = {}): Strategy =>
  function headsOnly(network, epochs) {
    const chosen = exits ?? upTo(last(network));
    return [{ name: 'heads', epochs, exits: chosen, trains: headsOf(network, chosen) }];
  };

/**
 * Heads and gates together, as in JEI-DNN (Regol, Chataoui & Coates 2024, section 4): for `share` of the epochs all
 * heads learn from all samples, by the loss of the training; from then on each from those that leave there, by
 * `gatedCrossEntropies` in place of that loss. The gates learn all the while, see `learnedGates`.
 */
export function jointGates({ share = 0.5, ...options }: LearnedGatesOptions & { readonly share?: number }): Strategy {
  const loss = [learnedGates(options)];
  const lossInstead = [gatedCrossEntropies()];
  return function jointGates(network, epochs) {
    checkGates(network, 'jointGates');
    const [before, after] = halve('jointGates', epochs, share);
    return [
      { name: 'warm-up', epochs: before, loss },
      { name: 'gated', epochs: after, loss, lossInstead },
    ];
  };
}

/** The gates of a given model alone, on its frozen trunk and heads; see `addGates` for one without. */
export function gatesOnly(options: LearnedGatesOptions): Strategy {
  const lossInstead = [learnedGates(options)];
  return function gatesOnly(network, epochs) {
    checkGates(network, 'gatesOnly');
    const gates = network.parts.map(({ gate }) => gate);
    return [{ name: 'gates', epochs, lossInstead, trains: (parameter) => gates.includes(partOf(parameter)) }];
  };
}

/** By name, for the command line. */
export const STRATEGIES = {
  joint,
  separate,
  'two-phase': twoPhase,
  alternating,
  progressive,
  distilled,
  'heads-only': headsOnly,
} satisfies Record<string, () => Strategy>;
