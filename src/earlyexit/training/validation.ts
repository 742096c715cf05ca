import type { Dataset } from '../../data/dataset.ts';
import { TrainingError } from '../../errors.ts';
import { accuracyOf, scoreExits } from '../judgement/scores.ts';
import type { ScoreTable } from '../judgement/scores.ts';
import type { Model } from '../model.ts';
import type { PlannedPhase } from './phases.ts';

export interface ValidationOptions {
  /** Looked at after each epoch; not the data that the model is judged on in the end. */
  readonly dataset: Dataset;
  /**
   * Ends the training where so many epochs have brought nothing better, and goes back to the best weights: those of the
   * last phase of the strategy, since the phases before prepare it. Left out: all epochs, and the last weights.
   */
  readonly patience?: number;
  /** What is better the greater it is; the mean accuracy of the exits that the phase weighs where left out. */
  readonly measure?: (table: ScoreTable) => number;
}

export interface ValidationProgress {
  /** If exit k (index k - 1) answered for all samples. */
  readonly accuracy: readonly number[];
  readonly value: number;
}

/** Of the model as it is. @throws TrainingError if the measure is no number */
export async function validate(
  model: Model,
  { dataset, measure }: ValidationOptions,
  { weights, name }: PlannedPhase,
): Promise<ValidationProgress> {
  const table = await scoreExits(model, dataset);
  const accuracy = model.network.stages.map((_, index) => accuracyOf(table, index + 1));
  const weighed = accuracy.filter((_, index) => weights[index] !== 0);
  const value = measure?.(table) ?? weighed.reduce((sum, each) => sum + each, 0) / weighed.length;
  if (Number.isNaN(value)) {
    throw new TrainingError(`train: expected a number from the validation's measure, got NaN in phase '${name}'`);
  }
  return { accuracy, value };
}
