import {
  answers,
  bestWithin,
  bootstrapDifference,
  calibrationError,
  earlyExitLoss,
  entropy,
  frontier,
  scoreExits,
  smallCnn,
} from '../../node.ts';
import { accuracyOf } from '../../earlyexit/judgement/scores.ts';
import { percent, points as inPoints } from '../../report/format.ts';
import { list, table } from '../../report/table.ts';
import { fashionRecipe } from './fashion.ts';
import type { Reproduction } from './workbench.ts';

/** Of the entropy in the loss: negative, against over-confidence. */
const LAMBDA = -0.1;

/**
 * Does the confidence penalty (Pereyra et al. 2017) make exits say how sure they may be, and what does it cost or bring
 * where half of the work is to be saved? The same network with it and without; the one without is that of `fashion`.
 */
export const overConfidence: Reproduction = {
  summary: 'the confidence penalty on Fashion-MNIST: calibration, and accuracy with half of the work',
  data: 'the folder with Fashion-MNIST',
  async run(workbench) {
    const network = smallCnn();
    const { validation, test } = workbench.parts;
    const recipe = fashionRecipe(workbench, network);
    const recipes = {
      without: ['fashion-joint', recipe],
      with: ['over-confidence-penalty', { ...recipe, loss: earlyExitLoss({ lambda: LAMBDA }) }],
    } as const;
    const results = [];
    for (const [penalty, [name, how]] of Object.entries(recipes)) {
      using model = await workbench.trained(name, how);
      const { signal } = workbench;
      const points = frontier(await scoreExits(model, validation, { signal }));
      const { criterion } = bestWithin(points, { cost: network.macs.full / 2 })!;
      const scores = await scoreExits(model, test, { signal });
      const { right, ...half } = answers(scores, criterion);
      results.push({
        penalty,
        exits: scores.exits.map((list, index) => ({
          accuracy: accuracyOf(scores, index + 1),
          calibrationError: calibrationError(list, test.labels),
        })),
        half: {
          criterion,
          macs: half.macs,
          accuracy: half.accuracy,
          // Against the last exit for all.
          lost: bootstrapDifference(answers(scores, entropy(0)).right, right),
        },
      });
    }
    const header = network.stages.flatMap((_, index) => [`exit ${index + 1}`, 'ECE']);
    const text = [
      list([
        ['data', `${test.name}, ${test.labels.length} images`],
        ['penalty', `lambda ${LAMBDA} on the entropy of every exit, one seed`],
        ['errors', 'standard errors by the bootstrap over test images'],
      ]),
      table([
        ['penalty', ...header, 'lost at 50 % MACs'],
        ...results.map(({ penalty, exits, half }) => [
          penalty,
          ...exits.flatMap((exit) => [percent(exit.accuracy), percent(exit.calibrationError)]),
          `${inPoints(half.lost.value)} +- ${inPoints(half.lost.standardError)}`,
        ]),
      ]),
    ].join('\n\n');
    const data = { name: test.name, samples: test.labels.length };
    return { text, json: { test: data, lambda: LAMBDA, seed: recipe.seed, results } };
  },
};
