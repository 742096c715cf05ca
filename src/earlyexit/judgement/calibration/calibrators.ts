import { ArgumentError } from '../../../errors.ts';
import type { ScoreTable } from '../scores.ts';
import { fitIsotonic } from './isotonic.ts';
import type { IsotonicScaling } from './isotonic.ts';
import type { Logits } from './logits.ts';
import { fitPlatt, sigmoid } from './platt.ts';
import type { PlattScaling } from './platt.ts';
import { fitTemperature } from './temperature.ts';
import type { TemperatureScaling } from './temperature.ts';
import { fitVector } from './vector.ts';
import type { VectorScaling } from './vector.ts';

/** Changes the logits of an exit, and with them everything that is made of them. */
export type LogitCalibrator = TemperatureScaling | VectorScaling;
/** Changes what an exit's confidence in its answer stands for, and nothing else. */
export type ConfidenceCalibrator = PlattScaling | IsotonicScaling;
/** Plain data, which JSON keeps whole. */
export type Calibrator = LogitCalibrator | ConfidenceCalibrator;

export const CALIBRATION_METHODS = ['temperature', 'vector', 'platt', 'isotonic'] as const;
export type CalibrationMethod = (typeof CALIBRATION_METHODS)[number];

/** Calibrated logits `[samples, classes]`. */
export function calibratedLogits(calibrator: LogitCalibrator, logits: Logits): Float64Array {
  const all = Float64Array.from(logits);
  if (calibrator.kind === 'temperature') return all.map((value) => value / calibrator.temperature);
  const { scale, bias } = calibrator;
  if (all.length % scale.length) {
    throw new ArgumentError(`vector scaling: expected whole rows of ${scale.length} logits, got ${all.length} numbers`);
  }
  return all.map((value, index) => scale[index % scale.length]! * value + bias[index % scale.length]!);
}

/** The probability that an answer given with this confidence is right; NaN of NaN. */
export function calibratedConfidence(calibrator: ConfidenceCalibrator, confidence: number): number {
  if (calibrator.kind === 'platt') return sigmoid(calibrator.slope * confidence + calibrator.intercept);
  if (Number.isNaN(confidence)) return NaN;
  const { from, values } = calibrator;
  return values[Math.max(0, from.findLastIndex((begin) => begin <= confidence))]!;
}

/**
 * The threshold on the exit's own confidence that lets leave what a threshold on the calibrated one would (from 0, all,
 * to 1, nobody): so Platt scaling and isotonic regression choose thresholds, and the exit check need not know of them.
 * To the rounding of f32.
 * @throws ArgumentError for a threshold not from 0 to 1, or where the exit is the less often right the surer it is
 */
export function rawThreshold(calibrator: ConfidenceCalibrator, threshold: number): number {
  if (!(threshold >= 0 && threshold <= 1)) {
    throw new ArgumentError(`rawThreshold: expected a threshold from 0 to 1, got ${threshold}`);
  }
  if (calibrator.kind === 'isotonic') {
    const { from, values } = calibrator;
    const step = values.findIndex((value) => value > threshold);
    // Criteria compare strictly, so the threshold is the f32 below the step's first confidence.
    return step < 0 ? 1 : step === 0 ? 0 : belowInF32(from[step]!);
  }
  const { slope, intercept } = calibrator;
  if (slope < 0) {
    throw new ArgumentError(
      'rawThreshold: expected an exit that is the more often right the surer it is, got ' +
        `a slope of ${slope}; no threshold on its confidence is of use`,
    );
  }
  if (slope === 0) return sigmoid(intercept) > threshold ? 0 : 1;
  const raw = (Math.log(threshold / (1 - threshold)) - intercept) / slope;
  return Math.min(1, Math.max(0, raw));
}

/** Of a positive number. */
function belowInF32(value: number): number {
  const float = Float32Array.of(value);
  if (float[0]! < value) return float[0]!;
  new Uint32Array(float.buffer)[0]!--;
  return float[0]!;
}

const FITS = {
  temperature: ({ logits, dataset }: Recorded, index: number) => fitTemperature(logits[index]!, dataset.labels),
  vector: ({ logits, dataset }: Recorded, index: number) => fitVector(logits[index]!, dataset.labels),
  platt: ({ exits, dataset }: Recorded, index: number) => fitPlatt(exits[index]!, dataset.labels),
  isotonic: ({ exits, dataset }: Recorded, index: number) => fitIsotonic(exits[index]!, dataset.labels),
};

/**
 * A calibrator for each exit, fitted on what it says of all samples. Give it validation data, neither what the model
 * was trained on, where it is right too often, nor what calibration is judged or a guarantee computed on.
 *
 * Temperatures run in the exit check: criteria take them, and `scoreExits` makes scores to choose thresholds at them.
 * The other three do not. They are for reports and, those of the confidence, for choosing thresholds, see
 * `rawThreshold`.
 * @throws ArgumentError for scores without logits, or of temperatures other than 1; as `fitTemperature` and the others
 */
export function calibrateExits<M extends CalibrationMethod>(
  table: ScoreTable,
  method: M,
): Extract<Calibrator, { kind: M }>[] {
  if (!CALIBRATION_METHODS.includes(method)) {
    throw new ArgumentError(
      `calibrateExits: expected a method of ${CALIBRATION_METHODS.join(', ')}, got '${String(method)}'`,
    );
  }
  const recorded = checkRecorded('calibrateExits', table);
  return table.exits.map((_, index) => FITS[method](recorded, index) as Extract<Calibrator, { kind: M }>);
}

export type Recorded = ScoreTable & { readonly logits: readonly Float32Array[] };

/** @throws ArgumentError for a table without logits, or of temperatures other than 1; `what` names the caller */
export function checkRecorded(what: string, table: ScoreTable): Recorded {
  const { temperatures, logits } = table;
  if (temperatures?.some((temperature) => temperature !== 1)) {
    throw new ArgumentError(
      `${what}: expected scores before calibration, got them at temperatures [${temperatures.join(', ')}]`,
    );
  }
  if (logits) return { ...table, logits };
  throw new ArgumentError(
    `${what}: expected scores with logits, got none; record them by scoreExits(model, dataset, { logits: true })`,
  );
}
