import { adam, cosine, joint, scoreExits, smallCnn, STRATEGIES } from '../../node.ts';
import type { Model, Strategy } from '../../node.ts';
import { accuracyOf } from '../../earlyexit/judgement/scores.ts';
import { percent, points as inPoints } from '../../report/format.ts';
import { list, table } from '../../report/table.ts';
import { stepsOf } from './workbench.ts';
import type { Recipe, Reproduction } from './workbench.ts';

const EPOCHS = 9;
const BATCH = 32;
const SEED = 1;
const SINGLE = 'single exit';

/**
 * What each strategy makes of the last exit, against the same network trained without early exits: more than half a
 * point less would be a price to know of.
 */
export const strategies: Reproduction = {
  summary: 'every training strategy against a network with a single exit, on procedural digits',
  async run(workbench) {
    const { train, test } = workbench.parts;
    const network = smallCnn();
    const steps = stepsOf(train, { epochs: EPOCHS, batch: BATCH });
    const optimizer = adam({ learningRate: cosine(2e-3, steps) });
    const recipe: Recipe = { network, seed: SEED, epochs: EPOCHS, batch: BATCH, optimizer };
    const rows: { name: string; exits: number[] }[] = [];
    const judged = async (name: string, model: Model): Promise<void> => {
      const scores = await scoreExits(model, test, { signal: workbench.signal });
      rows.push({ name, exits: network.stages.map((_, index) => accuracyOf(scores, index + 1)) });
    };
    using single = await workbench.trained('strategies-single', { ...recipe, strategy: joint(), weights: [0, 0, 1] });
    await judged(SINGLE, single);
    for (const [name, make] of Object.entries<() => Strategy>(STRATEGIES)) {
      const from = name === 'heads-only' ? single : undefined;
      using model = await workbench.trained(`strategies-${name}`, { ...recipe, strategy: make(), from });
      await judged(name, model);
    }
    const reference = rows[0]!.exits.at(-1)!;
    const judgements = rows.map(({ name, exits }) => ({ name, exits, difference: exits.at(-1)! - reference }));
    const text = [
      list([
        ['data', `${test.name}, ${test.labels.length} images`],
        ['training', `${EPOCHS} epochs, batch ${BATCH}, Adam 0.002 with cosine, seed ${SEED}`],
      ]),
      table([
        ['strategy', 'exit 1', 'exit 2', 'exit 3', 'against a single exit', 'within 0.5'],
        ...judgements.map(({ name, exits, difference }) => [
          name,
          ...exits.map((each, index) => (name === SINGLE && index < 2 ? '-' : percent(each))),
          name === SINGLE ? '' : inPoints(difference),
          name === SINGLE ? '' : difference >= -0.005 ? 'yes' : 'no',
        ]),
      ]),
    ].join('\n\n');
    const training = { epochs: EPOCHS, batch: BATCH, seed: SEED };
    return { text, json: { test: { name: test.name, samples: test.labels.length }, training, judgements } };
  },
};
