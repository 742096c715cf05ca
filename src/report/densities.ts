import type { Criterion, CriterionKind } from '../earlyexit/criteria.ts';
import { rightAtExits } from '../earlyexit/judgement/answers.ts';
import type { ScoreTable } from '../earlyexit/judgement/scores.ts';
import type { Scores } from '../earlyexit/records.ts';

export type InputGroup = 'right' | 'wrong' | 'unknown';

/** How unsure one exit is of all samples, by what became of them. */
export interface ExitDensities {
  /** Counted from 1. */
  readonly exit: number;
  readonly measure: CriterionKind;
  /** Samples below it leave here, if they come so far; null where there is no such value. */
  readonly threshold: number | null;
  /** Of the bins, ascending, evenly apart in the logarithm; what lies beyond is in the first or last bin. */
  readonly edges: readonly number[];
  /** Those without samples are left out, and samples with scores that are not finite. */
  readonly groups: readonly {
    readonly group: InputGroup;
    readonly count: number;
    /** How many are below the threshold: would leave here, whether or not they have left before. */
    readonly leaving: number | null;
    /** Share of the group in each bin. */
    readonly shares: readonly number[];
  }[];
}

const BINS = 48;
/** Confidences in f32 are 6e-8 apart near 1. */
const LEAST = 1e-6;

/** Entropy, or what confidence or margin lack of 1: the surer, the smaller. */
const unsureness = (score: Scores, measure: CriterionKind): number =>
  measure === 'entropy' ? score.entropy : 1 - score[measure];

/** The distributions of a measure at every exit: of right and wrong answers, and of inputs of no known class. */
export function scoreDensities(
  test: ScoreTable,
  criterion: Criterion,
  measure: CriterionKind,
  unknown?: ScoreTable,
): ExitDensities[] {
  const right = rightAtExits(test);
  const most = measure === 'entropy' ? Math.log(test.classes) : 1;
  const edges = Array.from({ length: BINS + 1 }, (_, edge) => LEAST * (most / LEAST) ** (edge / BINS));
  return test.exits.map((said, index): ExitDensities => {
    const threshold = thresholdAt(criterion, measure, index);
    const groupOf = (group: InputGroup, scores: readonly Scores[]) => {
      const values = scores.filter(({ finite }) => finite).map((score) => unsureness(score, measure));
      const leaving = threshold === null ? null : values.filter((value) => value < threshold).length;
      return { group, count: values.length, leaving, shares: binned(values, most) };
    };
    const groups = [
      groupOf('right', said.filter((_, sample) => right[index]![sample] === 1)),
      groupOf('wrong', said.filter((_, sample) => right[index]![sample] === 0)),
      groupOf('unknown', unknown?.exits[index] ?? []),
    ];
    return { exit: index + 1, measure, threshold, edges, groups: groups.filter(({ count }) => count > 0) };
  });
}

/** In f32, as the kernel compares; the last exit has none. */
function thresholdAt(criterion: Criterion, measure: CriterionKind, index: number): number | null {
  if (criterion.kind !== measure || criterion.classThresholds) return null;
  const threshold = criterion.thresholds[index];
  if (threshold === undefined) return null;
  return measure === 'entropy' ? Math.fround(threshold) : 1 - Math.fround(threshold);
}

function binned(values: readonly number[], most: number): number[] {
  const shares = new Array<number>(BINS).fill(0);
  for (const value of values) {
    const place = Math.floor((BINS * Math.log(Math.max(value, LEAST) / LEAST)) / Math.log(most / LEAST));
    shares[Math.min(place, BINS - 1)]! += 1 / values.length;
  }
  return shares;
}
