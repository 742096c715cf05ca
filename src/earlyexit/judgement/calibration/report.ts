import { ArgumentError } from '../../../errors.ts';
import { checkTemperatures } from '../../criteria.ts';
import { adaptiveCalibrationError, calibrationError, judged, reliabilityBins } from '../calibration.ts';
import type { ReliabilityBin, Said } from '../calibration.ts';
import { auroc } from '../ranking.ts';
import type { ScoreTable } from '../scores.ts';
import { calibratedConfidence, calibratedLogits, checkRecorded } from './calibrators.ts';
import type { Calibrator } from './calibrators.ts';
import { saidBy } from './logits.ts';
import type { Logits } from './logits.ts';
import { brierScore, negativeLogLikelihood } from './proper-scores.ts';

/** How far what an exit says of all samples can be believed. */
export interface CalibrationMeasures {
  readonly accuracy: number;
  /** Expected calibration error, over bins of equal width. */
  readonly ece: number;
  /** The same over bins of equal count. */
  readonly adaptiveEce: number;
  /** Null where only the confidence is calibrated: nothing is said of the other classes. */
  readonly brier: number | null;
  /** In nats; null as `brier` is. */
  readonly nll: number | null;
  /** How likely a right answer is surer than a wrong one; null where all answers are right, or all wrong. */
  readonly failureAuroc: number | null;
  /** Those of `ece`, the least confident first. */
  readonly bins: readonly ReliabilityBin[];
}

export interface ExitCalibration {
  /** Counted from 1. */
  readonly exit: number;
  readonly samples: number;
  /** Samples beside them whose scores are not finite. */
  readonly leftOut: number;
  readonly before: CalibrationMeasures;
  readonly after: CalibrationMeasures;
}

export interface CalibrationOptions {
  /** One per exit, as `calibrateExits` gives them, on other samples than these. */
  readonly calibrators?: readonly Calibrator[];
  /** In place of calibrators. */
  readonly temperatures?: readonly number[];
  /** Of the two calibration errors; 15 where left out. */
  readonly bins?: number;
}

/**
 * What calibration does for each exit, on samples that it was not fitted on.
 *
 * Calibration alone does not make exits good. It makes confidence mean what it says on average; what an early exit
 * needs is that its right answers are surer than its wrong ones, and a rising map of the confidence such as Platt's
 * leaves their order, and `failureAuroc`, as they were. An exit that gives all samples the confidence of its accuracy
 * is calibrated perfectly and decides nothing. Look at both.
 * @throws ArgumentError for scores without logits, or of temperatures other than 1, for another number of calibrators
 * than exits, both or neither of the two, no finite samples, or a number of bins that is none
 */
export function calibrationReport(table: ScoreTable, options: CalibrationOptions): ExitCalibration[] {
  const { exits, logits, dataset: { labels } } = checkRecorded('calibrationReport', table);
  const { bins = 15 } = options;
  const calibrators = calibratorsOf(options, exits.length);
  return exits.map((said, index) => {
    const [calibrator, own] = [calibrators[index]!, logits[index]!];
    const samples = judged('calibrationReport', said, labels).length;
    return {
      exit: index + 1,
      samples,
      leftOut: said.length - samples,
      before: measure(said, own, labels, bins),
      after: measureCalibrated(calibrator, said, own, labels, bins),
    };
  });
}

function calibratorsOf({ calibrators, temperatures }: CalibrationOptions, exits: number): readonly Calibrator[] {
  if (!calibrators === !temperatures) {
    const got = calibrators ? 'both' : 'neither';
    throw new ArgumentError(`calibrationReport: expected calibrators or temperatures, got ${got}`);
  }
  if (temperatures) {
    checkTemperatures('calibrationReport', temperatures, exits);
    const fit = { bounded: false, samples: 0, leftOut: 0 };
    return temperatures.map((temperature) => ({ kind: 'temperature', temperature, ...fit }));
  }
  if (calibrators!.length === exits) return calibrators!;
  throw new ArgumentError(
    `calibrationReport: expected ${exits} calibrators, one per exit, got ${calibrators!.length}`,
  );
}

function measureCalibrated(
  calibrator: Calibrator,
  said: readonly Said[],
  logits: Float32Array,
  labels: ArrayLike<number>,
  bins: number,
): CalibrationMeasures {
  if (calibrator.kind === 'temperature' || calibrator.kind === 'vector') {
    const calibrated = calibratedLogits(calibrator, logits);
    return measure(saidBy(calibrated, calibrated.length / labels.length), calibrated, labels, bins);
  }
  const calibrated = said.map((score) => ({
    ...score,
    confidence: calibratedConfidence(calibrator, score.confidence),
  }));
  return measure(calibrated, undefined, labels, bins);
}

function measure(
  said: readonly Said[],
  logits: Logits | undefined,
  labels: ArrayLike<number>,
  bins: number,
): CalibrationMeasures {
  const known = judged('calibrationReport', said, labels);
  const confidences = (right: boolean): number[] =>
    known.filter((sample) => sample.right === right).map(({ confidence }) => confidence);
  const [hits, misses] = [confidences(true), confidences(false)];
  return {
    accuracy: hits.length / known.length,
    ece: calibrationError(said, labels, { bins }),
    adaptiveEce: adaptiveCalibrationError(said, labels, { bins }),
    brier: logits ? brierScore(logits, labels) : null,
    nll: logits ? negativeLogLikelihood(logits, labels) : null,
    failureAuroc: hits.length && misses.length ? auroc(hits, misses) : null,
    bins: reliabilityBins(said, labels, { bins }),
  };
}
