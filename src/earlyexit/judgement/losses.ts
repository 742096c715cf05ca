import type { Scores } from '../records.ts';
import { isRight } from './scores.ts';

/** A sample, and what it left with. */
export interface ExitOutcome {
  /** The right class. */
  readonly label: number;
  /** Where the sample left, counted from 1. */
  readonly exit: number;
  /** What that exit said. */
  readonly answer: Scores;
  /** What the last exit says: the answer of the full network. */
  readonly last: Scores;
}

/** What leaving costs a sample. Its mean over all samples, those that leave last among them, is the risk. */
export interface RiskLoss {
  /** What records and texts call it, `accuracy loss`. */
  readonly name: string;
  /** Least and greatest loss there can be. */
  readonly range: readonly [low: number, high: number];
  of(outcome: ExitOutcome): number;
}

/**
 * Accuracy of the full network minus accuracy with exits: 1 for a right answer lost, -1 for one won (the performance
 * gap of the prediction; Jazbec et al. 2024, "Fast yet safe: early-exiting with risk control").
 */
export const accuracyLoss: RiskLoss = {
  name: 'accuracy loss',
  range: [-1, 1],
  of: ({ label, answer, last }) => Number(isRight(last, label)) - Number(isRight(answer, label)),
};

/** Left with a wrong answer where the last exit has the right one. Never below the accuracy loss. */
export const prematureExit: RiskLoss = {
  name: 'premature exits',
  range: [0, 1],
  of: ({ label, answer, last }) => Number(isRight(last, label) && !isRight(answer, label)),
};

/** A wrong answer. Of a network that errs more often than the level, no threshold can be certified. */
export const errorRate: RiskLoss = {
  name: 'errors',
  range: [0, 1],
  of: ({ label, answer }) => Number(!isRight(answer, label)),
};

/** Another answer than that of the full network: asks for no labels (the consistency of Jazbec et al. 2024). */
export const disagreement: RiskLoss = {
  name: 'disagreement',
  range: [0, 1],
  of: ({ answer, last }) => Number(answer !== last && !isRight(last, answer.label)),
};
