import type { NetworkMacs } from '../network.ts';

/** What a schedule of weights may look at besides step and exit. */
export interface ScheduleContext {
  /** Over the whole training. */
  readonly steps: number;
  readonly stepsPerEpoch: number;
  readonly exits: number;
  readonly macs: NetworkMacs;
}

/** The weight, 0 or more, of the loss of exit `exit` at step `step`, both counted from 1. */
export type WeightSchedule = (step: number, exit: number, context: ScheduleContext) => number;

/** The weight of a term of the loss, such as lambda or mu, at step `step`, counted from 1. */
export type TermSchedule = (step: number, context: ScheduleContext) => number;

/** One schedule for all exits, or a number or schedule for each. Numbers become part of the program. */
export type ExitWeights = WeightSchedule | readonly (number | WeightSchedule)[];

/** `value` for the exits, 1 for the last. */
export const constant = (value: number): WeightSchedule =>
  function constant(_, exit, { exits }) {
    return exit < exits ? value : 1;
  };

/** Along a line from `from` at the first step to `to` at the last; the last exit weighs 1. */
export const linear = ({ from, to }: { from: number; to: number }): WeightSchedule =>
  function linear(step, exit, { steps, exits }) {
    return exit < exits ? from + ((to - from) * (step - 1)) / Math.max(1, steps - 1) : 1;
  };

/** For a term of the loss: along a line from `from` at the first step to `to` at the last. */
export const ramp = ({ from, to }: { from: number; to: number }): TermSchedule =>
  function ramp(step, { steps }) {
    return from + ((to - from) * (step - 1)) / Math.max(1, steps - 1);
  };

/** `exit / exits`: the deeper, the more. */
export const byDepth = (): WeightSchedule =>
  function byDepth(_, exit, { exits }) {
    return exit / exits;
  };

/** The multiply-accumulates to the exit, as a share of those to the last. */
export const byMacs = (): WeightSchedule =>
  function byMacs(_, exit, { macs: { toExit } }) {
    return toExit[exit - 1]! / toExit.at(-1)!;
  };

export interface WarmUpOptions {
  /** Of the steps. */
  readonly share: number;
  /** What follows; 1 each where left out. */
  readonly after?: WeightSchedule;
}

/** The last exit alone, with weight 1, for the first `share` of the steps. */
export const warmUpWithoutExits = ({ share, after = () => 1 }: WarmUpOptions): WeightSchedule =>
  function warmUpWithoutExits(step, exit, context) {
    if (step > share * context.steps) return after(step, exit, context);
    return exit < context.exits ? 0 : 1;
  };

/**
 * `tau_i(t) = min(max_i, 0.01 + t max_i / E)` in epoch t of E, 1 for the last exit (Kaya, Hong & Dumitras 2019,
 * "Shallow-Deep Networks", section 4 and the published code). `max`: per exit but the last; its share of the
 * multiply-accumulates where left out, see `byMacs`.
 */
export const sdn = ({ max }: { max?: readonly number[] } = {}): WeightSchedule =>
  function sdn(step, exit, context) {
    const { steps, stepsPerEpoch, exits } = context;
    if (exit === exits) return 1;
    const most = max?.[exit - 1] ?? byMacs()(step, exit, context);
    return Math.min(most, 0.01 + (Math.ceil(step / stepsPerEpoch) * most) / Math.ceil(steps / stepsPerEpoch));
  };

export interface LayerSkipOptions {
  /** How much more each exit weighs than the one before. */
  readonly scale: number;
  /**
   * `rotational`: every `every`-th exit, another set at each step. `gradual`: the last exit first, then one more exit
   * every `steps / (2 exits)` steps. All exits where left out.
   */
  readonly curriculum?: 'rotational' | 'gradual';
  /** 2 where left out. */
  readonly every?: number;
}

/**
 * `C(t, l) e(l) / sum_i C(t, i) e(i)`, exits l = 0..L-1: `e(l) = scale (0 + 1 + .. + l)` for l < L - 1,
 * `e(L - 1) = L - 1 + scale (0 + .. + L - 2)`, C the curriculum; the last exit always takes part (Elhoushi et al. 2024,
 * "LayerSkip", section 4.1.2, for transformer layers). The weights of a step add up to 1; the first exit weighs 0, as
 * published; use a schedule of one's own around it to lift that.
 */
export function layerSkip({ scale, curriculum, every = 2 }: LayerSkipOptions): WeightSchedule {
  const upTo = (layer: number): number => (layer * (layer + 1)) / 2;
  return function layerSkip(step, exit, { steps, exits }) {
    const last = exits - 1;
    const weight = (layer: number): number => {
      if (layer === last) return exits === 1 ? 1 : last + scale * upTo(exits - 2);
      if (curriculum === 'rotational' && (layer + step - 1) % every !== 0) return 0;
      if (curriculum === 'gradual' && last - layer > Math.floor(((step - 1) * 2 * exits) / steps)) return 0;
      return scale * upTo(layer);
    };
    const sum = Array.from({ length: exits }, (_, layer) => weight(layer)).reduce((a, b) => a + b);
    return weight(exit - 1) / sum;
  };
}
