import { halting } from './criteria.ts';
import type { Criterion } from './criteria.ts';
import { learnedGate } from './gates.ts';
import type { Model } from './model.ts';
import type { Network } from './network.ts';

/** Whether a network learns when to leave, by gates or by halting scores, so that no threshold has to be chosen. */
export const learnsToLeave = ({ gates, halting: scored }: Network): boolean => gates === true || scored === true;

/**
 * What a model has learned of when to leave: its gates, or `halting(0.5)`, the median of where it would halt. It decides
 * where neither a criterion is given nor thresholds are stored.
 * @throws ArgumentError for a network that learns no such thing, DeviceLostError
 */
export const learnedCriterion = async (model: Model): Promise<Criterion> =>
  model.network.halting ? halting(0.5) : learnedGate(model);
