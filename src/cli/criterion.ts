import { ArgumentError, CRITERIA, learnedCriterion, learnsToLeave, tuneTo } from '../node.ts';
import type {
  ChosenThresholds,
  Criterion,
  CriterionKind,
  Model,
  Network,
  ScoreTable,
  TuningTarget,
} from '../node.ts';
import { criterionOf, resolveCriterion } from '../earlyexit/criteria.ts';
import { withoutGuarantee } from '../earlyexit/half-model.ts';
import { choiceText } from '../report/model.ts';
import { note } from './console.ts';
import { choice, flag, number, numbers, optionalFlag } from './flags.ts';
import { UsageError } from './usage-error.ts';

export const criterionFlags = {
  criterion: optionalFlag(choice(...CRITERIA), {
    placeholder: 'kind',
    help:
      `What an exit decides by: ${CRITERIA.join(', ')} ` +
      "(default what the model's thresholds are for, or what it has learned, or entropy)",
  }),
  threshold: optionalFlag(numbers(0), {
    placeholder: 't[,t..]',
    help: 'Leave below this entropy (nats) or above this confidence or margin: one, or one per exit but the last',
  }),
};

/** In percentage points. */
export const MAX_LOSS = 0.2;

export const maxLossFlag = flag(number(0, 100), {
  placeholder: 'points',
  help: 'Percentage points of accuracy that exits may cost on the validation part, where thresholds are chosen',
  fallback: String(MAX_LOSS),
});

/** When samples leave, and who said so. */
export interface Decision {
  readonly criterion: Criterion;
  readonly source: 'given' | 'stored' | 'chosen';
  /** In words. */
  readonly origin: string;
  readonly chosenOn?: ChosenThresholds['chosenOn'];
  /** Share of the samples that left at each exit where the thresholds were chosen. */
  readonly shares?: readonly number[];
}

/**
 * What the flags and the model's file decide between them; `undefined` if thresholds have yet to be chosen, or the
 * model decides itself.
 * @throws UsageError
 */
export function decide(
  network: Pick<Network, 'classes'> & { readonly stages: readonly unknown[] },
  stored: ChosenThresholds | undefined,
  flags: {
    readonly criterion?: CriterionKind | undefined;
    readonly threshold?: readonly number[] | undefined;
    readonly half?: boolean;
  },
): Decision | undefined {
  const exits = network.stages.length;
  const kind = flags.criterion ?? stored?.criterion ?? 'entropy';
  if (flags.threshold) {
    try {
      const criterion = resolveCriterion({ kind, thresholds: flags.threshold }, exits, network.classes);
      return { criterion, source: 'given', origin: 'given on the command line' };
    } catch (error) {
      throw error instanceof ArgumentError ? new UsageError(`--threshold: ${error.message}`) : error;
    }
  }
  if (exits === 1) {
    return { criterion: { kind, thresholds: [] }, source: 'given', origin: 'there is one exit, which always answers' };
  }
  if (stored?.criterion !== kind) return undefined;
  return fromChoice(flags.half ? withoutGuarantee(stored) : stored, 'stored');
}

/** Whether what a model has learned of leaving decides, since nothing else does. */
export const decidesItself = (
  network: Network,
  { criterion }: { readonly criterion?: CriterionKind | undefined },
): boolean => learnsToLeave(network) && criterion === undefined;

/** A decision by what the model has learned: its gates or halting scores. */
export const fromModel = async (model: Model): Promise<Decision> => ({
  criterion: await learnedCriterion(model),
  source: 'stored',
  origin: 'learned with the model',
});

/** A decision by thresholds that were chosen on data. */
export const fromChoice = (chosen: ChosenThresholds, source: 'stored' | 'chosen'): Decision => ({
  criterion: criterionOf(chosen),
  source,
  origin: choiceText(chosen),
  chosenOn: chosen.chosenOn,
  shares: chosen.achieved.shares,
});

/**
 * Thresholds where neither the flags, nor the model's file, nor what it has learned decides: every verb chooses them
 * so, and `tune` too where it is given no other target.
 */
export const chooseNow = (
  validation: ScoreTable,
  {
    criterion = 'entropy',
    maxLoss = MAX_LOSS,
  }: { readonly criterion?: CriterionKind | undefined; readonly maxLoss?: number | undefined },
): ChosenThresholds => tuneTo(validation, { maxAccuracyLoss: maxLoss / 100 }, { criterion });

/** The decision by thresholds chosen now. */
export function chosenHere(validation: ScoreTable, options: Parameters<typeof chooseNow>[1]): Decision {
  note(`the model has no thresholds for ${options.criterion ?? 'entropy'}: choosing them on ${validation.dataset.name}`);
  return fromChoice(chooseNow(validation, options), 'chosen');
}

/** What chooses again, on other scores, as stored thresholds were chosen. */
export const chooseAgain =
  (stored: ChosenThresholds) =>
  (validation: ScoreTable): ChosenThresholds =>
    tuneTo(validation, targetOf(stored), { criterion: stored.criterion });

/** Of a target that scores alone cannot be tuned to, a time or a guarantee, the shares that it came to. */
function targetOf({ maxAccuracyLoss, classValues, maxMacs, targetShares, achieved }: ChosenThresholds): TuningTarget {
  if (maxAccuracyLoss !== undefined) return { maxAccuracyLoss, perClass: classValues !== undefined };
  return maxMacs !== undefined ? { macs: maxMacs } : { shares: targetShares ?? achieved.shares };
}
