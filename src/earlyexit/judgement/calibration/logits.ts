import { ArgumentError } from '../../../errors.ts';
import type { Said } from '../calibration.ts';

/** Logits of some samples, `[samples, classes]` row by row. */
export type Logits = Float32Array | Float64Array;

/** The rows of logits that are finite all through. */
export interface FiniteRows {
  readonly classes: number;
  /** Where they are among all rows. */
  readonly samples: Uint32Array;
  /** How many rows are not. */
  readonly leftOut: number;
}

/**
 * `what` names the caller.
 * @throws ArgumentError for logits that are not whole rows for the labels, a label that is no class, or no finite row
 */
export function finiteRows(what: string, logits: Logits, labels: ArrayLike<number>): FiniteRows {
  const classes = logits.length / labels.length;
  if (!(Number.isInteger(classes) && classes >= 1)) {
    throw new ArgumentError(
      `${what}: expected logits [${labels.length}, classes], one row for each label, got ${logits.length} numbers`,
    );
  }
  const samples = Uint32Array.from({ length: labels.length }, (_, sample) => sample).filter((sample) => {
    const label = labels[sample]!;
    if (!(Number.isInteger(label) && label >= 0 && label < classes)) {
      throw new ArgumentError(`${what}: expected labels below ${classes}, as there are classes, got ${label}`);
    }
    return logits.subarray(sample * classes, (sample + 1) * classes).every(Number.isFinite);
  });
  if (samples.length === 0) throw new ArgumentError(`${what}: expected samples with finite logits, got none`);
  return { classes, samples, leftOut: labels.length - samples.length };
}

/** Writes the probabilities of one row; returns its greatest value and `log(sum(exp(row - greatest)))`. */
export function softmaxRow(row: Logits, into: Float64Array): { readonly greatest: number; readonly logSum: number } {
  let greatest = -Infinity;
  for (let index = 0; index < row.length; index++) greatest = Math.max(greatest, row[index]!);
  let sum = 0;
  for (let index = 0; index < row.length; index++) sum += into[index] = Math.exp(row[index]! - greatest);
  for (let index = 0; index < row.length; index++) into[index]! /= sum;
  return { greatest, logSum: Math.log(sum) };
}

/**
 * The label, the first of the greatest logits, and its probability, NaN where a logit is not finite. In f32, as exits
 * give it: in more digits, rows of the same logits in another order would rank by the rounding of their sums.
 */
export function saidBy(logits: Logits, classes: number): Said[] {
  const probabilities = new Float64Array(classes);
  return Array.from({ length: logits.length / classes }, (_, sample): Said => {
    const row = logits.subarray(sample * classes, (sample + 1) * classes);
    const finite = row.every(Number.isFinite);
    if (!finite) return { label: 0, confidence: NaN, finite };
    const label = row.indexOf(softmaxRow(row, probabilities).greatest);
    return { label, confidence: Math.fround(probabilities[label]!), finite };
  });
}
