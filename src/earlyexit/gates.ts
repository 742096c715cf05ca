import { ArgumentError } from '../errors.ts';
import { gate, resolveCriterion } from './criteria.ts';
import type { GateCriterion } from './criteria.ts';
import type { Model } from './model.ts';
import { multiExit } from './network.ts';
import type { Network } from './network.ts';

/**
 * The same network with a gate at each exit but the last, to be learned; see `gates` of `multiExit`.
 * @throws ArgumentError for a network without early exits
 */
export const withGates = (network: Network): Network => multiExit({ ...network, gates: true });

/**
 * What the parameters of a gate are multiplied by: under Adam a parameter moves by about the learning rate in a step
 * whatever its gradient, and one that suits the heads would leave gates near 0 for epochs.
 */
export const GATE_GAIN = 10;

/** `what` names the caller. @throws ArgumentError */
export function checkGates({ name, gates }: Network, what: string): void {
  if (gates) return;
  throw new ArgumentError(`${what}: expected a network with gates, got ${name}, which has none; see withGates`);
}

/**
 * The criterion that the gates of a model have learned, as they are now: leave above this probability. `compile()` uses
 * it where neither a criterion is given nor thresholds are stored.
 * @throws ArgumentError for a network without gates, or a threshold not between 0 and 1; DeviceLostError
 */
export async function learnedGate(model: Model, threshold = 0.5): Promise<GateCriterion> {
  const { network, parameters } = model;
  checkGates(network, 'learnedGate');
  const read = async (name: string): Promise<number[]> =>
    Array.from(await parameters.get(name).read(), (value) => GATE_GAIN * value);
  const gates = network.stages.slice(0, -1).map(async (_, index) => {
    const part = `gate${index + 1}`;
    const [weight, bias] = await Promise.all([read(`${part}.weight`), read(`${part}.bias`)]);
    const [confidence, margin, entropy] = weight as [number, number, number];
    return { bias: bias[0]!, confidence, margin, entropy };
  });
  const criterion = gate(await Promise.all(gates), threshold);
  return resolveCriterion(criterion, network.stages.length, network.classes) as GateCriterion;
}
