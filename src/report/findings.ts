import { fingerprint } from '../data/dataset.ts';
import type { Dataset } from '../data/dataset.ts';
import type { Criterion, CriterionKind } from '../earlyexit/criteria.ts';
import { answersAt, answers, checkTable, comparedMeasure, rightAtExits, sumOf } from '../earlyexit/judgement/answers.ts';
import { calibrationError, reliabilityBins } from '../earlyexit/judgement/calibration.ts';
import { accuracyCurve } from '../earlyexit/judgement/curves.ts';
import type { CurvePoint } from '../earlyexit/judgement/curves.ts';
import { exitDepths } from '../earlyexit/judgement/depth.ts';
import type { ExitDepth } from '../earlyexit/judgement/depth.ts';
import { frontier } from '../earlyexit/judgement/frontier.ts';
import type { Guarantee } from '../earlyexit/judgement/guarantee.ts';
import { bootstrapDifference, wilson } from '../earlyexit/judgement/intervals.ts';
import type { BootstrapInterval, Interval } from '../earlyexit/judgement/intervals.ts';
import type { Latency } from '../earlyexit/judgement/latency.ts';
import { judgeThinking } from '../earlyexit/judgement/overthinking.ts';
import type { Thinking } from '../earlyexit/judgement/overthinking.ts';
import { percentiles } from '../earlyexit/judgement/percentiles.ts';
import type { Percentiles } from '../earlyexit/judgement/percentiles.ts';
import type { ScoreTable } from '../earlyexit/judgement/scores.ts';
import { judgeSelection } from '../earlyexit/judgement/selective.ts';
import type { ThresholdStability } from '../earlyexit/judgement/stability.ts';
import { judgeUnknown, wrongfulExits } from '../earlyexit/judgement/unknown.ts';
import type { UnknownJudgement } from '../earlyexit/judgement/unknown.ts';
import type { Network } from '../earlyexit/network.ts';
import { scoreDensities } from './densities.ts';
import type { ExitDensities } from './densities.ts';
import { chooseGallery } from './gallery.ts';
import type { Gallery } from './gallery.ts';

/** A model, and what was recorded of it. */
export interface Recorded {
  /** As the page calls it. */
  readonly name: string;
  readonly network: Pick<Network, 'name' | 'macs'>;
  readonly criterion: Criterion;
  /** Where the criterion comes from, in words. */
  readonly origin: string;
  /** What is judged. */
  readonly test: ScoreTable;
  /** What the curve's thresholds are taken from. */
  readonly validation: ScoreTable;
  /** Of inputs that belong to no class. */
  readonly unknown?: ScoreTable | undefined;
  readonly latency: Latency;
  /** Of the thresholds that are used, where it is known. */
  readonly stability?: readonly ThresholdStability[] | undefined;
  /** Of the same. */
  readonly guarantee?: Guarantee | undefined;
  /** Why the figures may look better, or worse, than they are. */
  readonly warnings?: readonly string[];
}

export interface ExitReliability {
  /** Counted from 1. */
  readonly exit: number;
  /** Expected calibration error over the bins. */
  readonly error: number;
  readonly bins: readonly { readonly count: number; readonly confidence: number; readonly accuracy: Interval }[];
  /** How likely a right answer is surer than a wrong one; null where all answers are right, or all wrong. */
  readonly failureAuroc: number | null;
}

/** What a report says of one model; all of it can be written as JSON. */
export interface ModelFindings {
  readonly name: string;
  readonly network: string;
  readonly criterion: Criterion;
  readonly origin: string;
  readonly accuracy: Interval;
  /** Of the last exit, asked of all samples. */
  readonly accuracyFull: Interval;
  /** With exits minus without. */
  readonly gain: BootstrapInterval;
  /** Per sample; `full` is the network without exits. */
  readonly macs: { readonly mean: number; readonly full: number; readonly speedup: number };
  readonly notFinite: number;
  readonly depths: readonly ExitDepth[];
  /** Empty of a network with one exit. */
  readonly curve: readonly CurvePoint[];
  /** What samples lose and win by leaving; null of a network with one exit. */
  readonly thinking: Thinking | null;
  /** Of the exits that have any finite score. */
  readonly reliability: readonly ExitReliability[];
  readonly densities: readonly ExitDensities[];
  readonly unknown?: UnknownFindings;
  readonly gallery: Gallery;
  /** In milliseconds. */
  readonly latency: {
    readonly early: Percentiles;
    readonly full: Percentiles;
    readonly times: Latency['times'];
  };
  readonly stability?: readonly ThresholdStability[];
  readonly guarantee?: Guarantee;
  readonly warnings: readonly string[];
}

export interface UnknownFindings {
  readonly dataset: string;
  readonly samples: number;
  /** By the measure that decides. */
  readonly byExit: readonly UnknownJudgement[];
  /** The share that leaves before the last exit; null of a network with one exit. */
  readonly leaving: Interval | null;
}

/** A network without exits, to compare with. */
export interface Baseline {
  readonly name: string;
  readonly accuracy: Interval;
  readonly macs: number;
}

export interface Findings {
  readonly data: { readonly name: string; readonly samples: number; readonly fingerprint: string };
  readonly adapter: string;
  /** Day, `2026-11-22`. */
  readonly date: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly models: readonly ModelFindings[];
  readonly plain: readonly Baseline[];
}

/** Tells a data set from others. */
export const describeData = (dataset: Dataset): Findings['data'] => ({
  name: dataset.name,
  samples: dataset.labels.length,
  fingerprint: fingerprint(dataset),
});

/** Points of the curve: more cannot be told apart. */
const CURVE_POINTS = 48;

/**
 * Judges what was recorded of a model. Samples with scores that are not finite never leave early and count as wrong.
 * @throws ArgumentError for no samples, or tables that do not fit each other; as `replay`
 */
export function judgeModel(recorded: Recorded): ModelFindings {
  const { name, network, criterion, origin, test, validation, unknown, latency } = recorded;
  const { stability, guarantee, warnings = [] } = recorded;
  checkTable('report', test);
  const exits = test.exits.length;
  const left = answers(test, criterion);
  const right = rightAtExits(test);
  const share = (hits: Uint8Array): Interval => wilson(sumOf(hits), hits.length);
  const measure = comparedMeasure(criterion);
  const { full, heads } = network.macs;
  const mean = exits > 1 ? left.macs : full;
  return {
    name,
    network: network.name,
    criterion,
    origin,
    accuracy: share(left.right),
    accuracyFull: share(right.at(-1)!),
    gain: bootstrapDifference(left.right, right.at(-1)!),
    macs: { mean, full, speedup: full / mean },
    notFinite: test.exits.at(-1)!.filter(({ finite }) => !finite).length,
    depths: exitDepths(test, criterion, { heads }),
    curve: exits > 1 ? curveOf(test, validation, measure) : [],
    thinking: exits > 1 ? judgeThinking(test, criterion) : null,
    reliability: reliabilityOf(test, measure),
    densities: scoreDensities(test, criterion, measure, unknown),
    ...(unknown && { unknown: judgeUnknownInputs(test, unknown, criterion, measure) }),
    gallery: chooseGallery(test, left, measure),
    latency: {
      early: percentiles(latency.times.early),
      full: percentiles(latency.times.full),
      times: latency.times,
    },
    ...(stability && { stability }),
    ...(guarantee && { guarantee }),
    warnings,
  };
}

/** Of a plain network, or of one with exits without them. @throws ArgumentError for no samples */
export function judgeBaseline(name: string, { macs }: Pick<Network, 'macs'>, test: ScoreTable): Baseline {
  checkTable('report', test);
  const last = Uint16Array.from(test.dataset.labels, () => test.exits.length - 1);
  const { right } = answersAt(test, last);
  return { name, accuracy: wilson(sumOf(right), right.length), macs: macs.full };
}

function curveOf(test: ScoreTable, validation: ScoreTable, measure: CriterionKind): CurvePoint[] {
  const points = frontier(validation, { measure });
  const budgets = points.map(({ cost }) => cost).filter((_, place) => {
    const bin = (at: number) => Math.floor((at * CURVE_POINTS) / points.length);
    return place === 0 || place === points.length - 1 || bin(place) > bin(place - 1);
  });
  return accuracyCurve(test, points, { budgets }).sort((a, b) => a.macs - b.macs);
}

function reliabilityOf(test: ScoreTable, measure: CriterionKind): ExitReliability[] {
  const { labels } = test.dataset;
  const selection = judgeSelection(test, { measures: [measure] });
  return test.exits.flatMap((said, index) => {
    if (!said.some(({ finite }) => finite)) return [];
    const bins = reliabilityBins(said, labels).map(({ count, confidence, accuracy }) => ({
      count,
      confidence,
      accuracy: wilson(Math.round(accuracy * count), count),
    }));
    const { failureAuroc } = selection[index]!;
    return [{ exit: index + 1, error: calibrationError(said, labels), bins, failureAuroc }];
  });
}

function judgeUnknownInputs(
  test: ScoreTable,
  unknown: ScoreTable,
  criterion: Criterion,
  measure: CriterionKind,
): UnknownFindings {
  return {
    dataset: unknown.dataset.name,
    samples: unknown.dataset.labels.length,
    byExit: judgeUnknown(test, unknown, { measures: [measure] }),
    leaving: test.exits.length > 1 ? wrongfulExits(unknown, criterion).share : null,
  };
}
