import { ArgumentError } from '../errors.ts';
import type { ExitKernels } from '../kernels/exit-kernels.ts';
import type { ChosenThresholds } from './model.ts';

/** The measures that thresholds can be chosen for on validation data. */
export const CRITERIA = ['entropy', 'confidence', 'margin'] as const;
export type CriterionKind = (typeof CRITERIA)[number];

/**
 * Divides the logits before the softmax; one per exit, 1 where left out. Belongs to the whole criterion, not to a part.
 */
interface Tempered {
  readonly temperatures?: readonly number[];
}

/**
 * Compares a measure of the softmax of the logits with a threshold, strictly: `entropy` (nats), `normalizedEntropy`
 * (nats over the log of the classes) and `change` (of the confidence since the exit before; never at the first) leave
 * below it, `confidence` (the greatest probability) and `margin` (the greatest minus the second) above it. `halting`
 * leaves above it too, by no measure of the softmax: by the probability of having halted that the network computes.
 */
export interface ThresholdCriterion extends Tempered {
  readonly kind: CriterionKind | 'normalizedEntropy' | 'change' | 'halting';
  /** One per exit but the last, or one for all. */
  readonly thresholds: readonly number[];
  /** In place of `thresholds`: for each exit but the last, one per class, that of the row's label holds. */
  readonly classThresholds?: readonly (readonly number[])[];
}

/**
 * Leaves where this many exits in a row, the present one included, gave the same label (PABEE, Zhou et al. 2020, which
 * counts agreements instead: one less).
 */
export interface PatienceCriterion extends Tempered {
  readonly kind: 'patience';
  readonly exits: number;
}

/**
 * Leaves where a learned gate, `sigmoid(bias + weights . (confidence, margin, entropy, exit))`, is above the threshold.
 */
export interface GateCriterion extends Tempered {
  readonly kind: 'gate';
  /** One per exit but the last, or one for all. */
  readonly gates: readonly Gate[];
  /** A probability; 0.5 where left out. */
  readonly threshold: number;
}

export interface Gate {
  readonly bias: number;
  readonly confidence?: number;
  readonly margin?: number;
  readonly entropy?: number;
  /** Weight of the exit's number, counted from 1. */
  readonly exit?: number;
}

/** True from exit `exit` on; with `and` a least depth, with `or` a greatest. */
export interface DepthCriterion extends Tempered {
  readonly kind: 'fromExit';
  readonly exit: number;
}

export interface JoinedCriterion extends Tempered {
  readonly kind: 'and' | 'or';
  readonly of: readonly Criterion[];
}

/**
 * Leaves where a function in WGSL says so; `exitgpu/custom` makes it. A criterion of its own, not part of a
 * combination.
 */
export interface WgslCriterion extends Tempered {
  readonly kind: 'wgsl';
  /** What the function is linked into: a classifier compiled with them takes every criterion that has the same. */
  readonly kernels: ExitKernels;
  /** Values of its parameters, for each exit but the last, or one for all; none where it has no parameters. */
  readonly values: readonly object[];
}

/**
 * When a row leaves. Rows whose logits, or halting score, are not all finite never leave before the last exit, whatever
 * the criterion.
 */
export type Criterion =
  ThresholdCriterion | PatienceCriterion | GateCriterion | DepthCriterion | JoinedCriterion | WgslCriterion;

const comparing =
  (kind: ThresholdCriterion['kind']) =>
  (...thresholds: number[]): ThresholdCriterion => ({ kind, thresholds });

/** Leaves where the entropy in nats is below the exit's threshold: `entropy(0.025)`; one threshold serves all exits. */
export const entropy = comparing('entropy');
/** Leaves where the entropy over that of a uniform guess, from 0 to 1, is below the exit's threshold. */
export const normalizedEntropy = comparing('normalizedEntropy');
/** Leaves where the greatest probability is above the exit's threshold. */
export const confidence = comparing('confidence');
/** Leaves where the greatest probability exceeds the second by more than the exit's threshold. */
export const margin = comparing('margin');
/** Leaves where the confidence has changed by less than the exit's threshold since the exit before. */
export const change = comparing('change');
/**
 * Leaves where the probability of having halted by this exit, which a network with `halting` computes, is above the
 * exit's threshold.
 */
export const halting = comparing('halting');
/** Leaves where the measure passes the threshold of the row's label: `perClass('confidence', [[0.9, 0.5], ...])`. */
export const perClass = (
  kind: ThresholdCriterion['kind'],
  classThresholds: readonly (readonly number[])[],
): ThresholdCriterion => ({ kind, thresholds: [], classThresholds });
/** Leaves where so many exits in a row gave the same label. */
export const patience = (exits: number): PatienceCriterion => ({ kind: 'patience', exits });
/** Leaves where the learned gate of the exit says so; one gate serves all exits. */
export const gate = (gates: Gate | readonly Gate[], threshold = 0.5): GateCriterion => ({
  kind: 'gate',
  gates: [gates].flat() as Gate[],
  threshold,
});
/** Leaves where all of them would. */
export const and = (...of: Criterion[]): JoinedCriterion => ({ kind: 'and', of });
/** Leaves where any of them would. */
export const or = (...of: Criterion[]): JoinedCriterion => ({ kind: 'or', of });
/** Stays at least until exit `exit`, counted from 1: `minDepth(2, confidence(0.9))`. */
export const minDepth = (exit: number, criterion: Criterion): JoinedCriterion =>
  and(criterion, { kind: 'fromExit', exit });
/** Leaves at exit `exit` at the latest. */
export const maxDepth = (exit: number, criterion: Criterion): JoinedCriterion =>
  or(criterion, { kind: 'fromExit', exit });

/** What chosen thresholds say. */
export const criterionOf = ({
  criterion,
  values,
  classValues,
  temperatures,
}: Pick<ChosenThresholds, 'criterion' | 'values' | 'classValues' | 'temperatures'>): ThresholdCriterion => ({
  kind: criterion,
  thresholds: values,
  ...(classValues && { classThresholds: classValues }),
  ...(temperatures && { temperatures }),
});

/** Scores in f32, and thresholds chosen among them, may be this much beyond the range. */
const ROUNDING = 1 + 1e-6;

/** The greatest score there is; entropy in nats. */
export const greatestThreshold = (kind: ThresholdCriterion['kind'], classes: number): number =>
  kind === 'entropy' ? Math.log(classes) : 1;

/**
 * The criterion checked, with a threshold or gate for each exit but the last. `scored`: the network computes halting
 * scores.
 * @throws ArgumentError for an unknown kind, a threshold that is no number or out of range, a wrong count, or a halting
 * score that the network does not compute
 */
export function resolveCriterion(criterion: Criterion, exits: number, classes: number, scored = false): Criterion {
  const temperatures = criterion?.temperatures;
  if (temperatures) checkTemperatures(criterion.kind, temperatures, exits);
  const resolved = resolvePart(criterion, exits, classes);
  if (!scored && asksHalting(resolved)) {
    throw new ArgumentError(
      'halting: expected a network with halting scores, got one whose heads end in logits alone; ' +
        'leave by confidence or entropy, or give it halting: true and heads that end in a score',
    );
  }
  return { ...resolved, ...(temperatures && { temperatures: [...temperatures] }) };
}

/** @throws ArgumentError unless there is a positive number for each exit; `what` names the caller */
export function checkTemperatures(what: string, temperatures: readonly number[], exits: number): void {
  const positive = (value: number): boolean => isNumber(value) && value > 0 && value < Infinity;
  if (temperatures.length === exits && temperatures.every(positive)) return;
  const got = temperatures.map(show).join(', ');
  throw new ArgumentError(`${what}: expected ${exits} positive temperatures, one per exit, got [${got}]`);
}

const asksHalting = (criterion: Criterion): boolean =>
  'of' in criterion ? criterion.of.some(asksHalting) : criterion.kind === 'halting';

/** Whether it looks at other exits too: it says something else where some of them are not built. */
export const looksBack = (criterion: Criterion): boolean =>
  'of' in criterion ? criterion.of.some(looksBack) : ['patience', 'change', 'wgsl'].includes(criterion.kind);

function resolvePart(criterion: Criterion, exits: number, classes: number): Criterion {
  switch (criterion?.kind) {
    case 'entropy':
    case 'normalizedEntropy':
    case 'confidence':
    case 'margin':
    case 'change':
    case 'halting':
      return resolveThresholds(criterion, exits, classes);
    case 'patience':
      checkExit('patience', criterion.exits, exits, 'exits in a row');
      return { kind: 'patience', exits: criterion.exits };
    case 'gate':
      return resolveGate(criterion, exits);
    case 'fromExit':
      checkExit('minDepth and maxDepth', criterion.exit, exits, 'an exit');
      return { kind: 'fromExit', exit: criterion.exit };
    case 'wgsl': {
      const { kernels, values } = criterion;
      return {
        kind: 'wgsl',
        kernels,
        values: kernels.params ? forEachExit('wgsl', 'sets of values', values, exits) : [],
      };
    }
    case 'and':
    case 'or': {
      if (!Array.isArray(criterion.of) || criterion.of.length === 0) {
        throw new ArgumentError(`${criterion.kind}: expected at least one criterion, got none`);
      }
      if (criterion.of.some((part) => part?.temperatures)) {
        throw new ArgumentError(
          `${criterion.kind}: expected temperatures on the whole criterion, got them on a part: ` +
            `{ ...${criterion.kind}(...), temperatures }`,
        );
      }
      if (criterion.of.some((part) => part?.kind === 'wgsl')) {
        throw new ArgumentError(
          `${criterion.kind}: expected built-in criteria, got one in WGSL; ` +
            'say the rest in its text, s.exit >= 2u for minDepth(2)',
        );
      }
      return { kind: criterion.kind, of: criterion.of.map((part) => resolvePart(part, exits, classes)) };
    }
    default:
      throw new ArgumentError(
        'criterion: expected one of entropy, normalizedEntropy, confidence, margin, change, halting, patience, gate, ' +
          `and, or, fromExit; got '${String((criterion as Partial<Criterion> | undefined)?.kind)}'`,
      );
  }
}

function resolveThresholds(criterion: ThresholdCriterion, exits: number, classes: number): ThresholdCriterion {
  const { kind, thresholds, classThresholds } = criterion;
  const most = greatestThreshold(kind, classes);
  const check = (threshold: number): void => {
    if (isNumber(threshold) && threshold >= 0 && threshold <= most * ROUNDING) return;
    const unit = kind === 'entropy' ? ` nats (log of ${classes} classes)` : '';
    throw new ArgumentError(
      `${kind}: expected thresholds from 0 to ${Number(most.toFixed(4))}${unit}, got ${show(threshold)}`,
    );
  };
  if (classThresholds) {
    const tables = forEachExit(kind, 'tables of thresholds', classThresholds, exits);
    for (const table of tables) {
      if (table.length !== classes) {
        throw new ArgumentError(
          `${kind}: expected ${classes} thresholds in a table, one per class, got ${table.length}`,
        );
      }
      table.forEach(check);
    }
    return { kind, thresholds: [], classThresholds: tables };
  }
  const all = forEachExit(kind, 'thresholds', thresholds, exits);
  all.forEach(check);
  return { kind, thresholds: all };
}

const GATE_FIELDS = ['bias', 'confidence', 'margin', 'entropy', 'exit'];

function resolveGate({ gates, threshold }: GateCriterion, exits: number): GateCriterion {
  const all = forEachExit('gate', 'gates', gates, exits);
  for (const one of all) {
    const numbers: [string, unknown][] = [['bias', one.bias], ...Object.entries(one)];
    const wrong = numbers.find(
      ([name, value]) => !GATE_FIELDS.includes(name) || !isNumber(value) || !Number.isFinite(value),
    );
    if (wrong) {
      throw new ArgumentError(
        `gate: expected finite numbers ${GATE_FIELDS.join(', ')}, all but bias optional; ` +
          `got ${wrong[0]} ${show(wrong[1])}`,
      );
    }
  }
  if (!(isNumber(threshold) && threshold > 0 && threshold < 1)) {
    throw new ArgumentError(`gate: expected a threshold between 0 and 1, got ${show(threshold)}`);
  }
  return { kind: 'gate', gates: all, threshold };
}

/** One for each exit but the last, from as many or from one. */
function forEachExit<T>(kind: string, what: string, given: readonly T[], exits: number): readonly T[] {
  if (!Array.isArray(given)) throw new ArgumentError(`${kind}: expected a list of ${what}, got ${show(given)}`);
  // A copy all through: what the caller does with his lists later changes nothing.
  const all = (given.length === 1 ? new Array<T>(exits - 1).fill(given[0]!) : given).map(copied);
  if (all.length === exits - 1) return all;
  throw new ArgumentError(
    `${kind}: expected ${exits - 1} ${what}, one per exit but the last, or one for all; got ${given.length}`,
  );
}

function checkExit(what: string, exit: number, exits: number, unit: string): void {
  if (Number.isInteger(exit) && exit >= 1 && exit <= exits) return;
  throw new ArgumentError(`${what}: expected ${unit} from 1 to ${exits}, got ${exit}`);
}

const copied = <T>(item: T): T =>
  (Array.isArray(item) ? [...item] : typeof item === 'object' && item ? { ...item } : item) as T;

const isNumber = (value: unknown): value is number => typeof value === 'number';

/** Text in quotes: '0.5' looks like the number that it is not. */
const show = (value: unknown): string => (typeof value === 'string' ? `'${value}'` : String(value));
