import { verdictOnTime } from './evaluation.ts';
import type { ModelFindings } from './findings.ts';
import { compare, percent } from './format.ts';

/** What a person should know first. */
export interface Verdict {
  /** Accuracy and work in one sentence. */
  readonly headline: string;
  /** Where samples leave, and what it is worth in time. */
  readonly detail: string;
}

export function verdictOf({ accuracy, accuracyFull, macs, depths, latency }: ModelFindings): Verdict {
  const exits = depths.length;
  // As few digits as tell the two apart.
  const digits = Math.abs(accuracy.value - accuracyFull.value) < 0.001 ? 2 : 1;
  const [early, full] = [accuracy, accuracyFull].map(({ value }) => percent(value, digits));
  if (exits === 1) {
    return { headline: `${full} right. This network has one exit: there is nothing to leave early.`, detail: '' };
  }
  const leaving = depths.slice(0, -1).filter(({ share }) => share.value > 0);
  if (leaving.length === 0) {
    const headline = `No sample leaves early: ${full} right, and the exits only cost.`;
    return { headline, detail: verdictOnTime(latency) };
  }
  const work = compare(macs.speedup, 'fewer', 'MORE');
  const most = leaving.reduce((one, other) => (other.share.value > one.share.value ? other : one));
  const rest = leaving.length > 1 ? `, ${percent(1 - depths.at(-1)!.share.value, 1)} before the last` : '';
  return {
    headline: `${early} right with exits against ${full} without, for ${work} multiply-accumulates.`,
    detail: `${percent(most.share.value, 1)} leave at exit ${most.exit}${rest}. ${verdictOnTime(latency)}`,
  };
}
