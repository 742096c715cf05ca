import { ExitRecord, GO_ON, NOT_FINITE } from '../kernels/exit-check.ts';
import { readStruct } from '../kernels/kernel.ts';

/** What the exit check knows of a row. For a row with a NaN or infinite logit the scores are NaN. */
export interface Scores {
  readonly label: number;
  /** The greatest probability. */
  readonly confidence: number;
  /** The greatest probability minus the second. */
  readonly margin: number;
  /** In nats. */
  readonly entropy: number;
  /** False if a logit was NaN or infinite: only the last exit answers for such a row, and its label means little. */
  readonly finite: boolean;
}

export const RECORD_BYTES = ExitRecord.size;
/** Bytes of a record without its last field, the exit: what the host reads of one sample if it asks for scores. */
export const SCORE_BYTES = ExitRecord.fields.find(({ name }) => name === 'exit')!.offset;

export const staysOn = (word: number): boolean => word === GO_ON;

/** The label and the flag that share the first word of a record. */
export const splitLabel = (word: number): { label: number; finite: boolean } => ({
  label: (word & ~NOT_FINITE) >>> 0,
  finite: (word & NOT_FINITE) === 0,
});

/** Decodes record `index`; the bytes may end before the exit. */
export function readScores(bytes: ArrayBuffer, index = 0): Scores {
  const view = new DataView(bytes);
  const { label: word, ...scores } = readStruct(WITHOUT_EXIT, view, index * ExitRecord.size);
  return { ...scores, ...splitLabel(word) };
}

export const readExit = (bytes: ArrayBuffer, index: number): number =>
  new DataView(bytes).getUint32(index * ExitRecord.size + SCORE_BYTES, true);

const WITHOUT_EXIT = { ...ExitRecord, fields: ExitRecord.fields.filter(({ name }) => name !== 'exit') } as typeof ExitRecord;
