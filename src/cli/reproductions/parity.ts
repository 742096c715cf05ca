import {
  adam,
  cosine,
  evenDifficulty,
  halting,
  looped,
  PARITY_NORMALIZATION,
  paritySplit,
  ponder,
  warmUp,
} from '../../node.ts';
import { meanOf } from '../../earlyexit/judgement/answers.ts';
import type { Dataset, Model } from '../../node.ts';
import { percent } from '../../report/format.ts';
import { list, table } from '../../report/table.ts';
import { stepsOf } from './workbench.ts';
import type { Reproduction, Workbench } from './workbench.ts';

const SEEDS = [1, 2, 3, 4, 5];
const BITS = 8;
const EPOCHS = 20;
const BATCH = 256;
/** A network has learnt parity if it is right about so many of the inputs it has never seen. */
const LEARNT = 0.99;

interface Judged {
  readonly seed: number;
  readonly heldOut: number;
  readonly accuracy: number;
  readonly steps: number;
  /** Mean steps for 1, 2, .. active bits. */
  readonly stepsByBits: readonly number[];
  /** Pearson's, of steps and active bits; null where all take as many steps. */
  readonly correlation: number | null;
}

/**
 * Parity of up to 8 bits by a looped network that learns when to halt (PonderNet, Banino et al. 2021, section 3.1; ACT,
 * Graves 2016, section 3.1, with up to 64 bits), on a fifth of all inputs that it has never seen. It really halts:
 * steps behind the last are not run.
 */
export const parity: Reproduction = {
  summary: 'parity of up to 8 bits by a loop that learns when to halt, five seeds',
  async run(workbench) {
    const judged: Judged[] = [];
    for (const seed of SEEDS) {
      const parts = paritySplit({ bits: BITS, seed });
      using model = await trained(workbench, evenDifficulty(parts.train), seed);
      judged.push({ seed, ...(await judge(model, parts.test)) });
    }
    const learnt = judged.filter(({ accuracy }) => accuracy >= LEARNT).length;
    const bits = Array.from({ length: BITS }, (_, index) => index + 1);
    const text = [
      list([
        ['data', `all ${3 ** BITS - 1} inputs of 1 to ${BITS} bits, a fifth of them held out, chosen by seed`],
        ['training', `${EPOCHS} epochs, batch ${BATCH}, Adam 0.003 with warm-up and cosine, PonderNet's loss`],
        ['learnt', `${learnt} of ${SEEDS.length} seeds are right about ${percent(LEARNT, 0)} or more`],
      ]),
      table([
        ['seed', 'held out', 'steps', 'by 1 .. 8 active bits', 'correlation'],
        ...judged.map(({ seed, accuracy, steps, stepsByBits, correlation }) => [
          String(seed),
          percent(accuracy),
          steps.toFixed(2),
          stepsByBits.map((each) => each.toFixed(1)).join(' '),
          correlation?.toFixed(2) ?? '-',
        ]),
      ]),
    ].join('\n\n');
    const training = { epochs: EPOCHS, batch: BATCH, seeds: SEEDS };
    return { text, json: { training, bits, learnt, judged } };
  },
};

async function trained(workbench: Workbench, data: Dataset, seed: number): Promise<Model> {
  const steps = stepsOf(data, { epochs: EPOCHS, batch: BATCH });
  return workbench.trained(`parity-${seed}`, {
    data,
    network: looped({ input: data.shape, classes: 2, width: 96, steps: 5 }),
    normalization: PARITY_NORMALIZATION,
    seed,
    epochs: EPOCHS,
    batch: BATCH,
    loss: [ponder({ beta: 0.03, prior: 0.2 })],
    optimizer: adam({ learningRate: warmUp(cosine(3e-3, steps), 50) }),
  });
}

async function judge(model: Model, { images, labels, difficulty }: Dataset): Promise<Omit<Judged, 'seed'>> {
  using classifier = await model.compile({ criterion: halting(0.5), policy: 'gated', batch: BATCH });
  const predictions = await classifier.classifyBatch(images);
  const active = Array.from(difficulty!, (share) => Math.round(share * BITS));
  const steps = predictions.map(({ exit }) => exit);
  return {
    heldOut: labels.length,
    accuracy: meanOf(predictions.map(({ label }, sample) => Number(label === labels[sample]))),
    steps: meanOf(steps),
    stepsByBits: Array.from({ length: BITS }, (_, index) =>
      meanOf(steps.filter((__, sample) => active[sample] === index + 1)),
    ),
    correlation: correlation(steps, active),
  };
}

function correlation(a: readonly number[], b: readonly number[]): number | null {
  const [meanA, meanB] = [meanOf(a), meanOf(b)];
  const covariance = meanOf(a.map((value, index) => (value - meanA) * (b[index]! - meanB)));
  const variance = (list: readonly number[], centre: number): number =>
    meanOf(list.map((value) => (value - centre) ** 2));
  const deviations = Math.sqrt(variance(a, meanA) * variance(b, meanB));
  return deviations > 0 ? covariance / deviations : null;
}
