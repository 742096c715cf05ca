import { ArgumentError } from '../../errors.ts';
import { checkTable } from './answers.ts';
import {
  costlyExits,
  degradedLastExit,
  prematureExits,
  shallowOverConfidence,
  unstableThresholds,
} from './diagnosis/exits.ts';
import type { Ailment, CaseHistory, Examination, Judgement } from './diagnosis/examination.ts';
import { collapseUnderShift, noTimeSaved, tailLatency } from './diagnosis/surroundings.ts';

export type { Ailment, CaseHistory, Evidence, Examination, Finding } from './diagnosis/examination.ts';

/** In the order in which they are told. */
const EXAMINATIONS: Readonly<Record<Ailment, (history: CaseHistory) => Judgement>> = {
  'premature exits': prematureExits,
  'shallow over-confidence': shallowOverConfidence,
  'degraded last exit': degradedLastExit,
  'unstable thresholds': unstableThresholds,
  'exits that cost more than they save': costlyExits,
  'no time saved': noTimeSaved,
  'worse tail latency': tailLatency,
  'collapse under shift': collapseUnderShift,
};

/** Of fewer samples the intervals are too narrow to be believed. */
const LEAST_SAMPLES = 30;

/**
 * Looks a network with exits over, from what was recorded of it: for each ailment whether it was found, the evidence
 * either way, and what to do. Each is found by a stated rule on an interval, so that few samples find little.
 * @throws ArgumentError for fewer than 30 samples, one exit, or tables of other samples or exits; as `replay` and
 * `bootstrap`
 */
export function diagnose(history: CaseHistory): Examination[] {
  const { scores, plain, shifted = [] } = history;
  checkTable('diagnose', scores, 2);
  const { labels } = scores.dataset;
  if (labels.length < LEAST_SAMPLES) {
    throw new ArgumentError(
      `diagnose: expected ${LEAST_SAMPLES} samples or more, got ${labels.length}; of fewer nothing can be said`,
    );
  }
  for (const { dataset } of [...(plain ? [plain] : []), ...shifted.map((shift) => shift.scores)]) {
    if (dataset.labels.length === labels.length && dataset.labels.every((label, at) => label === labels[at])) continue;
    const [wanted, got] = [scores.dataset.name, dataset.name];
    throw new ArgumentError(`diagnose: expected scores of the samples of ${wanted}, got those of ${got}`);
  }
  return Object.entries(EXAMINATIONS).map(([kind, examine]) => ({ kind: kind as Ailment, ...examine(history) }));
}
