import { ArgumentError } from '../../errors.ts';
import { CRITERIA } from '../criteria.ts';
import type { Criterion, CriterionKind } from '../criteria.ts';
import type { Answer } from '../records.ts';

/** How the scores of samples that leave are told apart. */
export interface ScoreBins {
  readonly measure: CriterionKind;
  /**
   * For each exit of the network one or more numbers, ascending, in the measure's unit: the bin of a score is the
   * number of edges at or below it.
   */
  readonly edges: readonly (readonly number[])[];
}

/** The samples that left at one exit. */
export interface ExitHistogram {
  /** Counted from 1. */
  readonly exit: number;
  /** All of them. */
  readonly count: number;
  /** Predicted, by class, `[classes]`; without the samples that were not finite. */
  readonly labels: Uint32Array;
  /** By bin, `[edges + 1]`; without the samples that were not finite. */
  readonly scores: Uint32Array;
  readonly notFinite: number;
}

/** Bins from the surest half of what a measure may be down to one part in 2^14 of it. */
const HALVINGS = 14;

/**
 * Bins that halve towards the sure end, where the scores of most samples that leave lie: for when there is no
 * calibration record to take quantiles from. Entropy in nats.
 */
export function halvingBins(measure: CriterionKind, { exits, classes }: { exits: number; classes: number }): ScoreBins {
  const doubts = Array.from({ length: HALVINGS }, (_, index) => 2 ** -(index + 1));
  const each = measure === 'entropy'
    ? doubts.map((doubt) => doubt * Math.log(classes)).reverse()
    : doubts.map((doubt) => 1 - doubt);
  return { measure, edges: Array.from({ length: exits }, () => each) };
}

/** What a criterion looks at, as far as it is one of the measures that are counted; else the confidence. */
export const measureOf = (criterion: Criterion): CriterionKind => measuresOf(criterion)[0] ?? 'confidence';

function measuresOf(criterion: Criterion): CriterionKind[] {
  if ('of' in criterion) return criterion.of.flatMap(measuresOf);
  if (criterion.kind === 'normalizedEntropy') return ['entropy'];
  return CRITERIA.filter((kind) => kind === criterion.kind);
}

/** @throws ArgumentError for an unknown measure, or edges that are not ascending lists, one for each of `exits` */
export function checkBins(what: string, { measure, edges }: ScoreBins, exits = edges?.length): void {
  if (!CRITERIA.includes(measure)) {
    throw new ArgumentError(`${what}: expected a measure among ${CRITERIA.join(', ')}, got '${String(measure)}'`);
  }
  if (!edges || edges.length !== exits) {
    throw new ArgumentError(`${what}: expected edges for ${exits} exits, got them for ${edges?.length ?? 'none'}`);
  }
  for (const list of edges) {
    const ascending = list.every((edge, index) => Number.isFinite(edge) && edge > (list[index - 1] ?? -Infinity));
    if (list.length === 0 || !ascending) {
      throw new ArgumentError(`${what}: expected one or more finite edges, ascending, got [${list.join(', ')}]`);
    }
  }
}

/** The bin of a score, compared in f32 as on the GPU. */
export const binOf = (edges: readonly number[], score: number): number =>
  edges.filter((edge) => Math.fround(edge) <= score).length;

/** A sample that has left: what the classifier says of it with `{ scores: true }`. */
export type Outcome = Pick<Answer, 'exit' | 'label' | 'finite'> & Partial<Pick<Answer, CriterionKind>>;

/**
 * The histograms of single samples, as a classifier compiled with `monitor` counts them on the GPU.
 * @throws ArgumentError for an exit, a label or a score that is none
 */
export function histogramsOf(outcomes: Iterable<Outcome>, classes: number, bins: ScoreBins): ExitHistogram[] {
  const { measure, edges } = bins;
  checkBins('histogramsOf', bins);
  const exits = edges.map((list, index) => ({
    exit: index + 1,
    count: 0,
    labels: new Uint32Array(classes),
    scores: new Uint32Array(list.length + 1),
    notFinite: 0,
  }));
  for (const { exit, label, finite, [measure]: score } of outcomes) {
    const at = exits[exit - 1];
    if (!at) throw new ArgumentError(`histogramsOf: expected exits from 1 to ${exits.length}, got ${exit}`);
    at.count++;
    if (!finite) {
      at.notFinite++;
      continue;
    }
    if (!(label >= 0 && label < classes) || score === undefined || Number.isNaN(score)) {
      throw new ArgumentError(
        `histogramsOf: expected a label below ${classes} and its ${measure}, got ${label} and ${score}; ` +
          'classify with { scores: true }',
      );
    }
    at.labels[label]!++;
    at.scores[binOf(edges[exit - 1]!, score)]!++;
  }
  return exits;
}
