import { adam, answers, bLeNet, cosine, entropy, evaluate, scoreExits, twoPhase } from '../../node.ts';
import { accuracyOf } from '../../earlyexit/judgement/scores.ts';
import { sharesAt } from '../../earlyexit/judgement/thresholds.ts';
import { percent, times } from '../../report/format.ts';
import { list, table } from '../../report/table.ts';
import { stepsOf } from './workbench.ts';
import type { Reproduction } from './workbench.ts';

/** BranchyNet's sweep on its 10,000 test images: entropy in nats, accuracy and share at exit 1 in per cent. */
const PUBLISHED = [
  [0.001, 99.21, 84.2],
  [0.01, 99.23, 92.1],
  [0.025, 99.25, 94.0],
  [0.1, 99.22, 96.2],
  [0.5, 98.93, 98.5],
  [1, 98.65, 99.9],
] as const;
/** The threshold of its table I. */
const THRESHOLD = 0.025;
const EPOCHS = 18;
const BATCH = 64;
const LEARNING_RATE = 4e-3;
const SEED = 1;

/**
 * B-LeNet on MNIST in two phases (Teerapittayanon et al. 2016, table I): the trunk for a third of the epochs, then all.
 * Published after 50 to 100 and 100 epochs of batches of 512; here after 6 and 12 of batches of 64, which, as the
 * learning rate, were chosen on validation data.
 */
export const bLeNetMnist: Reproduction = {
  summary: 'B-LeNet on MNIST in two phases, against table I of BranchyNet',
  data: 'the folder with MNIST',
  async run(workbench) {
    const { train, test } = workbench.parts;
    const steps = stepsOf(train, { epochs: EPOCHS, batch: BATCH });
    using model = await workbench.trained('b-lenet', {
      network: bLeNet(),
      seed: SEED,
      epochs: EPOCHS,
      batch: BATCH,
      strategy: twoPhase({ share: 1 / 3 }),
      optimizer: adam({ learningRate: cosine(LEARNING_RATE, steps) }),
    });
    const scores = await scoreExits(model, test, { signal: workbench.signal });
    const { macs } = model.network;
    const sweep = PUBLISHED.map(([threshold, accuracyPublished, sharePublished]) => {
      const left = answers(scores, entropy(threshold));
      const share = sharesAt(left.at, 2)[0]!;
      const published = { accuracy: accuracyPublished / 100, share: sharePublished / 100 };
      return { threshold, accuracy: left.accuracy, share, speedup: macs.full / left.macs, published };
    });
    // Once more for real, stopping: what the sweep replays must be what a classifier does.
    const report = await evaluate(model, test, { criterion: entropy(THRESHOLD), signal: workbench.signal });
    const chosen = sweep.find(({ threshold }) => threshold === THRESHOLD)!;
    if (chosen.accuracy !== report.accuracy) {
      throw new Error(`replayed accuracy ${chosen.accuracy} is not that of the classifier, ${report.accuracy}`);
    }
    const lastExit = accuracyOf(scores, 2);
    const standardError = Math.sqrt((chosen.accuracy * (1 - chosen.accuracy)) / test.labels.length);
    const rows = sweep.map(({ threshold, accuracy, share, speedup, published }) => [
      String(threshold),
      percent(accuracy),
      percent(share, 1),
      times(speedup),
      percent(published.accuracy),
      percent(published.share, 1),
    ]);
    const text = [
      list([
        ['data', `${test.name}, ${test.labels.length} images; published: all 10,000`],
        ['training', `6 + 12 epochs, batch ${BATCH}, Adam ${LEARNING_RATE} with cosine, seed ${SEED}`],
        ['last exit', `${percent(lastExit)} (published for B-LeNet's trunk: 99.20 %)`],
        [`T = ${THRESHOLD}`, `${percent(chosen.accuracy)} +- ${percent(standardError)} (one standard error)`],
      ]),
      table([['T (nats)', 'accuracy', 'at exit 1', 'MACs', 'published', 'at exit 1'], ...rows]),
    ].join('\n\n');
    const { name, labels } = test;
    const { strategy } = model.training!;
    const training = { epochs: EPOCHS, batch: BATCH, learningRate: LEARNING_RATE, seed: SEED, strategy };
    const json = { test: { name, samples: labels.length }, training, lastExit, standardError, macs, sweep, report };
    return { text, json };
  },
};
