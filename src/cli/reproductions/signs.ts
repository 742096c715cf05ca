import { adam, bAlexNet, chooseThresholds, cosine, scoreExits } from '../../node.ts';
import { list } from '../../report/table.ts';
import { fromChoice } from '../criterion.ts';
import { judge } from '../verbs/evaluate.ts';
import { stepsOf } from './workbench.ts';
import type { Reproduction } from './workbench.ts';

const EPOCHS = 15;
const BATCH = 16;
const SEED = 1;

/** B-AlexNet (Teerapittayanon et al. 2016), published for CIFAR-10, on colour photographs of hand signs. */
export const signs: Reproduction = {
  summary: 'B-AlexNet, three exits, on colour photographs of hand signs',
  data: 'a folder of records of 3 x 32 x 32 images, such as hand signs or CIFAR-10',
  async run(workbench) {
    const { train, validation, test } = workbench.parts;
    const steps = stepsOf(train, { epochs: EPOCHS, batch: BATCH });
    using model = await workbench.trained('b-alexnet', {
      network: bAlexNet({ classes: train.classNames.length }),
      seed: SEED,
      epochs: EPOCHS,
      batch: BATCH,
      augmentation: { shift: 2 },
      optimizer: adam({ learningRate: cosine(1e-3, steps) }),
    });
    const scores = await scoreExits(model, validation, { signal: workbench.signal });
    const decision = fromChoice(chooseThresholds(scores, { maxAccuracyLoss: 0.01 }), 'chosen');
    const { text, json } = await judge(model, test, decision, { batch: 64, title: 'b-alexnet' });
    const training = { epochs: EPOCHS, batch: BATCH, seed: SEED };
    const how = `${EPOCHS} epochs, batch ${BATCH}, Adam 0.001 with cosine, shifts of up to 2 pixels, seed ${SEED}`;
    return { text: `${list([['training', how]])}\n\n${text}`, json: { training, ...json } };
  },
};
