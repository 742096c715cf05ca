import { ArgumentError } from '../../errors.ts';
import { greatestThreshold } from '../criteria.ts';
import type { CriterionKind } from '../criteria.ts';
import { barOf, checkTable, endsOf, rightAtExits, sureness } from './answers.ts';
import type { ScoreTable } from './scores.ts';

/**
 * A threshold for each exit but the last and each class it may answer: the loosest at which those that leave with that
 * answer lose no more right ones than their part of the loss. The parts are as large as the numbers of samples that an
 * exit gives the class, over the exits, so that together at most `maxAccuracyLoss` of all samples is lost on this data.
 * A class that no waiting sample is given is not left with. Losses are counted against the last exit.
 *
 * So many thresholds fit the data they are chosen on closely: see `stability`, and give it many samples per class.
 * @throws ArgumentError for no samples, one exit, or a loss not in [0, 1]
 */
export function classThresholds(
  table: ScoreTable,
  { maxAccuracyLoss = 0.002, measure = 'entropy' }: { maxAccuracyLoss?: number; measure?: CriterionKind } = {},
): number[][] {
  checkTable('classThresholds', table, 2);
  if (!(maxAccuracyLoss >= 0 && maxAccuracyLoss <= 1)) {
    throw new ArgumentError(`classThresholds: expected maxAccuracyLoss in [0, 1], got ${maxAccuracyLoss}`);
  }
  const { exits, classes } = table;
  const right = rightAtExits(table);
  const last = right.at(-1)!;
  const most = greatestThreshold(measure, classes);
  const [strictest, loosest] = endsOf(measure, classes);
  let waiting = Array.from(last.keys());
  return exits.slice(0, -1).map((scores, exit) => {
    const sure = sureness(scores, measure);
    const passing = new Set<number>();
    const thresholds = Array.from({ length: classes }, (_, label) => {
      const ranked = waiting
        .filter((sample) => scores[sample]!.label === label && sure[sample]! > -Infinity)
        .sort((a, b) => sure[b]! - sure[a]!);
      const allowed = (maxAccuracyLoss * ranked.length) / (exits.length - 1);
      let [lost, leaving] = [0, 0];
      ranked.forEach((sample, place) => {
        lost += last[sample]! - right[exit]![sample]!;
        // Equal ones leave together.
        const parts = place + 1 === ranked.length || sure[ranked[place + 1]!]! < sure[sample]!;
        if (parts && lost <= allowed) leaving = place + 1;
      });
      const bar = ranked[leaving];
      const threshold = leaving === 0 ? strictest : bar === undefined ? loosest : Math.min(Math.abs(sure[bar]!), most);
      const passed = barOf(measure, threshold);
      for (const sample of ranked) if (sure[sample]! > passed) passing.add(sample);
      return threshold;
    });
    waiting = waiting.filter((sample) => !passing.has(sample));
    return thresholds;
  });
}
