import { CRITERIA } from '../criteria.ts';
import type { CriterionKind } from '../criteria.ts';
import { checkTable, rightAtExits, sureness } from './answers.ts';
import { auroc, riskAtCoverage, selectiveRisks } from './ranking.ts';
import type { ScoreTable } from './scores.ts';

/** How well a measure at one exit, asked of all samples, tells right answers from wrong ones. */
export interface SelectiveJudgement {
  /** Counted from 1. */
  readonly exit: number;
  readonly measure: CriterionKind;
  /** How likely a right answer is surer than a wrong one; null where all answers are right, or all wrong. */
  readonly failureAuroc: number | null;
  /** Share of errors among the surest samples that make up the coverage asked for. */
  readonly risk: number;
  /** Area under the risk-coverage curve. */
  readonly area: number;
}

/**
 * Failure prediction and risk at fixed coverage, for every exit and measure. A well calibrated exit may be bad at this,
 * a badly calibrated one good: what an exit needs is an order of its answers (Jaeger et al. 2023, "A call to reflect on
 * evaluation practices for failure detection in image classification"). Samples with scores that are not finite are the
 * least sure, and wrong.
 * @throws ArgumentError for no samples, or a coverage not in (0, 1]
 */
export function judgeSelection(
  table: ScoreTable,
  { coverage = 0.8, measures = CRITERIA }: { coverage?: number; measures?: readonly CriterionKind[] } = {},
): SelectiveJudgement[] {
  checkTable('judgeSelection', table);
  const rightAt = rightAtExits(table);
  return table.exits.flatMap((scores, index) =>
    measures.map((measure): SelectiveJudgement => {
      const right = rightAt[index]!;
      const sure = sureness(scores, measure);
      const [hits, misses] = [1, 0].map((wanted) => sure.filter((_, sample) => right[sample] === wanted));
      const curve = selectiveRisks(sure, right);
      return {
        exit: index + 1,
        measure,
        failureAuroc: hits!.length && misses!.length ? auroc(hits!, misses!) : null,
        risk: riskAtCoverage(curve, coverage),
        area: curve.area,
      };
    }),
  );
}
