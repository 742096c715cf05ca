import { ExitRecord, GO_ON, NOT_FINITE } from '../kernels/exit-check.ts';
import { readStruct } from '../kernels/kernel.ts';

/** What the exit check knows of a row. For a row that is not `finite` the scores are NaN. */
export interface Scores {
  readonly label: number;
  /** The greatest probability. */
  readonly confidence: number;
  /** The greatest probability minus the second. */
  readonly margin: number;
  /** In nats. */
  readonly entropy: number;
  /** The probability of having halted by this exit; only of networks with halting scores, in score tables. */
  readonly halting?: number;
  /**
   * False if a logit or the halting score was NaN or infinite: only the last exit answers for such a row, and its label
   * means little.
   */
  readonly finite: boolean;
}

/** A whole record: the best answer so far, and whether the row has left with it. */
export interface Answer extends Scores {
  /** The exit that gave it, counted from 1. */
  readonly exit: number;
  readonly left: boolean;
}

export const RECORD_BYTES = ExitRecord.size;
/**
 * Bytes at the start of a record that hold decision, confidence, margin and entropy: all there is to a row that left.
 */
export const SCORE_BYTES = ExitRecord.fields.find(({ name }) => name === 'label')!.offset;

export const staysOn = (word: number): boolean => word === GO_ON;

/** The label and the flag that share a word of a record. */
export const splitLabel = (word: number): { label: number; finite: boolean } => ({
  label: (word & ~NOT_FINITE) >>> 0,
  finite: (word & NOT_FINITE) === 0,
});

/** Decodes the scores of a row that left; the bytes may end behind them. */
export function readScores(bytes: ArrayBuffer): Scores {
  const { decision, ...scores } = readStruct(SCORES, new DataView(bytes), 0);
  return { ...scores, ...splitLabel(decision) };
}

const SCORES = {
  ...ExitRecord,
  fields: ExitRecord.fields.filter(({ offset }) => offset < SCORE_BYTES),
} as typeof ExitRecord;

/** The halting score in record `index`. */
export const readHalting = (bytes: ArrayBuffer, index: number): number =>
  readStruct(ExitRecord, new DataView(bytes), index * RECORD_BYTES).halting;

/** Decodes record `index`, all but the halting score. */
export function readRecord(bytes: ArrayBuffer, index = 0): Answer {
  const { decision, label, confidence, margin, entropy, exit } = readStruct(
    ExitRecord,
    new DataView(bytes),
    index * RECORD_BYTES,
  );
  return { confidence, margin, entropy, ...splitLabel(label), exit, left: !staysOn(decision) };
}
