import { ArgumentError } from '../errors.ts';
import { ExitSettings } from '../kernels/exit-check.ts';
import { writeStruct } from '../kernels/kernel.ts';
import type { Criterion, Gate, ThresholdCriterion, WgslCriterion } from './criteria.ts';
import type { Scores } from './records.ts';

/** The words of `lib/exit-criterion.wgsl`. */
const WORDS = {
  confidence: 0,
  margin: 1,
  entropy: 2,
  streak: 3,
  change: 4,
  gate: 5,
  exit: 6,
  and: 7,
  or: 8,
  halting: 9,
} as const;
const BELOW = 16;
const PER_CLASS = 32;
const MOST_STEPS = ExitSettings.fields.find(({ name }) => name === 'step')!.length!;

/** Compares a measure with a threshold, or joins the answers of the two steps before. */
interface Step {
  readonly does: keyof typeof WORDS;
  readonly below?: boolean;
  readonly threshold?: number;
  readonly classThresholds?: readonly number[];
  readonly gate?: Gate;
}

/** What an exit decides by, in the postfix order that the kernel runs. */
function stepsOf(criterion: Criterion, exit: number, classes: number): Step[] {
  const at = exit - 1;
  switch (criterion.kind) {
    case 'and':
    case 'or': {
      const { kind, of } = criterion;
      return of.flatMap((part, index) => [...stepsOf(part, exit, classes), ...(index > 0 ? [{ does: kind }] : [])]);
    }
    case 'patience':
      return [{ does: 'streak', threshold: criterion.exits - 0.5 }];
    case 'fromExit':
      return [{ does: 'exit', threshold: criterion.exit - 0.5 }];
    case 'gate': {
      const { gates, threshold } = criterion;
      return [{ does: 'gate', threshold: Math.log(threshold / (1 - threshold)), gate: gates[at] ?? NEVER }];
    }
    case 'wgsl':
      return [];
    default:
      return [thresholdStep(criterion, at, classes)];
  }
}

const NEVER: Gate = { bias: -1e30 };

function thresholdStep({ kind, thresholds, classThresholds }: ThresholdCriterion, at: number, classes: number): Step {
  // Compared as an entropy in nats: no division on the GPU that the host could not repeat to the bit.
  const scale = kind === 'normalizedEntropy' ? Math.log(classes) : 1;
  const table = classThresholds?.[at]?.map((threshold) => threshold * scale);
  return {
    does: kind === 'normalizedEntropy' ? 'entropy' : kind,
    below: kind !== 'confidence' && kind !== 'margin' && kind !== 'halting',
    ...(table ? { classThresholds: table } : { threshold: (thresholds[at] ?? 0) * scale }),
  };
}

export interface ExitPlace {
  /** Counted from 1. */
  readonly exit: number;
  readonly classes: number;
  /** The first that the program checks: nothing is known of a row yet. */
  readonly first: boolean;
  /** Every row leaves, whatever the criterion. */
  readonly always?: boolean;
  /** Multiplies the temperature: the logits are a sum over so many exits. */
  readonly summed?: number;
  /** Rows are regrouped where at least so many leave; where any does, if left out. */
  readonly regroupFrom?: number;
}

/**
 * The settings of one exit as the kernel reads them, and its table of thresholds by class (empty without one) or, of a
 * criterion in WGSL, the bytes of its parameters.
 * The criterion is a resolved one.
 * @throws ArgumentError if it takes too many steps, or more than one table or gate
 */
export function exitSettings(
  criterion: Criterion | undefined,
  place: ExitPlace,
): { settings: Uint32Array<ArrayBuffer>; classThresholds: Float32Array<ArrayBuffer> } {
  const { exit, classes, first, always = false, summed = 1, regroupFrom = 1 } = place;
  const steps = criterion ? stepsOf(criterion, exit, classes) : [];
  const only = <T>(what: string, list: readonly (T | undefined)[]): T | undefined => {
    const given = list.filter((item) => item !== undefined);
    if (given.length > 1) {
      throw new ArgumentError(`criterion: expected at most one ${what} in a combination, got ${given.length}`);
    }
    return given[0];
  };
  if (steps.length > MOST_STEPS) {
    throw new ArgumentError(
      `criterion: expected a combination of at most ${MOST_STEPS} comparisons and joints, got ${steps.length}`,
    );
  }
  const {
    bias = 0,
    confidence = 0,
    margin = 0,
    entropy = 0,
    exit: depth = 0,
  } = only('gate', steps.map((step) => step.gate)) ?? {};
  const padded = (of: (step: Step) => number): number[] =>
    Array.from({ length: MOST_STEPS }, (_, index) => (steps[index] ? of(steps[index]) : 0));
  const view = new DataView(new ArrayBuffer(ExitSettings.size));
  writeStruct(ExitSettings, view, 0, {
    exit,
    first: Number(first),
    always: Number(always),
    inverseTemperature: 1 / ((criterion?.temperatures?.[exit - 1] ?? 1) * summed),
    regroupFrom,
    steps: steps.length,
    gate: [bias, confidence, margin, entropy, depth],
    step: padded(
      ({ does, below, classThresholds }) => WORDS[does] + (below ? BELOW : 0) + (classThresholds ? PER_CLASS : 0),
    ),
    threshold: padded(({ threshold = 0 }) => threshold),
  });
  if (criterion?.kind === 'wgsl') {
    return { settings: new Uint32Array(view.buffer), classThresholds: paramWords(criterion, exit) };
  }
  const table = only('table of thresholds by class', steps.map((step) => step.classThresholds));
  return { settings: new Uint32Array(view.buffer), classThresholds: Float32Array.from(table ?? []) };
}

function paramWords({ kernels: { params }, values }: WgslCriterion, exit: number): Float32Array<ArrayBuffer> {
  const value = values[exit - 1];
  if (!params || !value) return new Float32Array();
  const view = new DataView(new ArrayBuffer(params.size));
  writeStruct(params, view, 0, value);
  return new Float32Array(view.buffer);
}

/** What was recorded of a row at an exit, with its exits so far: what the kernel's measures are made of. */
export interface ScoresSoFar extends Scores {
  readonly streak: number;
  /** Infinite at the first exit. */
  readonly change: number;
}

/** Only criteria that look back need more than the scores of the exit. */
type Heard = Scores & Partial<ScoresSoFar>;

/**
 * What says whether recorded scores let a row leave at an exit: the rule of the kernel, whose numbers are f32, for
 * replaying without a GPU (to the bit, but for a gate, whose sum a GPU may round otherwise).
 * @throws ArgumentError for a criterion in WGSL
 */
export function ruleOf(criterion: Criterion, exit: number, classes: number): (scores: Heard) => boolean {
  if (criterion.kind === 'wgsl') {
    throw new ArgumentError('criterion: one in WGSL cannot be replayed from recorded scores; classify with it instead');
  }
  const steps = stepsOf(criterion, exit, classes);
  const [only] = steps;
  const passes = (step: Step, scores: Heard): boolean => {
    const value = measure(step, exit, scores);
    const threshold = Math.fround(step.classThresholds ? step.classThresholds[scores.label]! : step.threshold!);
    return step.below ? value < threshold : value > threshold;
  };
  // Most criteria: tuners ask them millions of times.
  if (steps.length === 1) return (scores) => scores.finite && passes(only!, scores);
  return (scores) => {
    if (!scores.finite) return false;
    const answers: boolean[] = [];
    for (const step of steps) {
      if (step.does === 'and' || step.does === 'or') {
        const [one, other] = [answers.pop()!, answers.pop()!];
        answers.push(step.does === 'and' ? one && other : one || other);
      } else {
        answers.push(passes(step, scores));
      }
    }
    return answers.at(-1) ?? false;
  };
}

function measure({ does, gate }: Step, exit: number, scores: Heard): number {
  if (does === 'exit') return exit;
  if (does === 'halting') return scores.halting!;
  if (does !== 'gate') return scores[does as 'confidence' | 'margin' | 'entropy' | 'streak' | 'change']!;
  const { bias, confidence = 0, margin = 0, entropy = 0, exit: depth = 0 } = gate!;
  return bias + confidence * scores.confidence + margin * scores.margin + entropy * scores.entropy + depth * exit;
}
