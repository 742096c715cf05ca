import type { CriterionKind } from '../earlyexit/criteria.ts';
import { sureness } from '../earlyexit/judgement/answers.ts';
import type { Answers } from '../earlyexit/judgement/answers.ts';
import type { ScoreTable } from '../earlyexit/judgement/scores.ts';

/** A sample to look at. */
export interface Exhibit {
  /** Its place in the data. */
  readonly sample: number;
  /** Class numbers. */
  readonly label: number;
  readonly answer: number;
  /** Where it left, counted from 1. */
  readonly exit: number;
  readonly confidence: number;
}

export interface Gallery {
  /** Left at the earliest exit, the surest first. */
  readonly first: readonly Exhibit[];
  /** Reached the last exit; those first of which exit 1 was least sure. Empty of a network with one exit. */
  readonly last: readonly Exhibit[];
  /** Left early with a wrong answer, the surest first. */
  readonly wrong: readonly Exhibit[];
}

/** Picks at most `most` samples of each kind; those with scores that are not finite are not among the first. */
export function chooseGallery(
  table: ScoreTable,
  { at, right }: Answers,
  measure: CriterionKind,
  { most = 10 }: { most?: number } = {},
): Gallery {
  const sure = table.exits.map((scores) => sureness(scores, measure));
  const here = (sample: number): number => sure[at[sample]!]![sample]!;
  const last = table.exits.length - 1;
  // Not by their difference, which is NaN of two infinities.
  const bySureness = (of: (sample: number) => number) => (a: number, b: number): number =>
    Number(of(b) > of(a)) - Number(of(b) < of(a)) || a - b;
  const choose = (wanted: (sample: number) => boolean, order: (a: number, b: number) => number): Exhibit[] =>
    [...at.keys()].filter(wanted).sort(order).slice(0, most).map((sample): Exhibit => {
      const { label: answer, confidence } = table.exits[at[sample]!]![sample]!;
      return { sample, label: table.dataset.labels[sample]!, answer, exit: at[sample]! + 1, confidence };
    });
  const sureHere = bySureness(here);
  return {
    first: choose((sample) => here(sample) > -Infinity, (a, b) => at[a]! - at[b]! || sureHere(a, b)),
    last: last === 0 ? [] : choose((sample) => at[sample] === last, bySureness((sample) => -sure[0]![sample]!)),
    wrong: choose((sample) => at[sample]! < last && !right[sample], sureHere),
  };
}
