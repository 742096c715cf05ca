import {
  accuracyCurve,
  adam,
  answers,
  bestWithin,
  bootstrap,
  bootstrapDifference,
  cosine,
  distilled,
  entropy,
  frontier,
  joint,
  multiExit,
  scoreExits,
  smallCnn,
  twoPhase,
} from '../../node.ts';
import type { Network, OperatingPoint, ScoreTable, Strategy } from '../../node.ts';
import { accuracyOf } from '../../earlyexit/judgement/scores.ts';
import { percent, points as inPoints, whole } from '../../report/format.ts';
import { list, table } from '../../report/table.ts';
import { stepsOf } from './workbench.ts';
import type { Recipe, Reproduction, Workbench } from './workbench.ts';

const EPOCHS = 6;
const BATCH = 64;
const SEED = 1;
/** Of the work of the network without exits. */
const CURVE = [0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1];
const STRATEGIES: Readonly<Record<string, Strategy>> = {
  joint: joint(),
  'two-phase': twoPhase({ share: 0.5 }),
  distilled: distilled({ weight: 0.5 }),
};

/** How all networks here are trained, so that they can be compared. */
export function fashionRecipe({ parts }: Workbench, network: Network): Recipe {
  const steps = stepsOf(parts.train, { epochs: EPOCHS, batch: BATCH });
  return {
    network,
    seed: SEED,
    epochs: EPOCHS,
    batch: BATCH,
    augmentation: { flip: 0.5 },
    optimizer: adam({ learningRate: cosine(3e-3, steps), weightDecay: 1e-3 }),
  };
}

/** The network up to one exit and no other. */
function plain(network: Network, exit: number): Network {
  const stages = network.stages.slice(0, exit);
  const body = stages.flatMap((stage) => stage.body);
  const name = `${network.name} to exit ${exit}`;
  return multiExit({ ...network, name, stages: [{ body, exit: stages.at(-1)!.exit }] });
}

interface Judged {
  readonly validation: ScoreTable;
  readonly test: ScoreTable;
}

async function judged(workbench: Workbench, name: string, recipe: Recipe): Promise<Judged> {
  using model = await workbench.trained(name, recipe);
  const { validation, test } = workbench.parts;
  const { signal } = workbench;
  return {
    validation: await scoreExits(model, validation, { signal }),
    test: await scoreExits(model, test, { signal }),
  };
}

/**
 * A small network with three exits on Fashion-MNIST: is it better than plain networks of the same multiply-accumulates,
 * and how should it be trained? Thresholds are chosen on validation data for each cost.
 */
export const fashion: Reproduction = {
  summary: 'three exits against plain networks of the same work on Fashion-MNIST, three ways of training',
  data: 'the folder with Fashion-MNIST',
  async run(workbench) {
    const network = smallCnn();
    const { test } = workbench.parts;
    const strategies: { name: string; scores: Judged; points: readonly OperatingPoint[] }[] = [];
    for (const [name, strategy] of Object.entries(STRATEGIES)) {
      const scores = await judged(workbench, `fashion-${name}`, { ...fashionRecipe(workbench, network), strategy });
      strategies.push({ name, scores, points: frontier(scores.validation) });
    }
    const plains: { exit: number; macs: number; right: Uint8Array }[] = [];
    for (const exit of [1, 2, 3]) {
      const alone = plain(network, exit);
      const scores = await judged(workbench, `fashion-plain-${exit}`, fashionRecipe(workbench, alone));
      plains.push({ exit, macs: alone.macs.full, right: answers(scores.test, entropy()).right });
    }
    const exits = network.stages.map((_, index) => index + 1);
    const trained = strategies.map(({ name, scores, points }) => ({
      name,
      /** If one exit answered for all. */
      exits: exits.map((exit) => accuracyOf(scores.test, exit)),
      /** With the work of the plain networks: thresholds from validation data. */
      within: plains.map(({ macs, right }) => {
        const chosen = bestWithin(points, { cost: macs });
        if (!chosen) return null;
        const here = answers(scores.test, chosen.criterion);
        const gain = bootstrapDifference(here.right, right);
        return { budget: macs, criterion: chosen.criterion, macs: here.macs, accuracy: here.accuracy, gain };
      }),
    }));
    const alone = plains.map(({ exit, macs, right }) => ({ exit, macs, accuracy: bootstrap(right) }));
    const [first] = strategies;
    const budgets = CURVE.map((share) => share * network.macs.full);
    const curve = accuracyCurve(first!.scores.test, first!.points, { budgets });
    const text = [
      list([
        ['data', `${test.name}, ${test.labels.length} images`],
        ['training', `${EPOCHS} epochs, batch ${BATCH}, AdamW 0.003 with cosine, flips, seed ${SEED}`],
        ['errors', 'standard errors by the bootstrap over test images; one seed'],
      ]),
      table([
        ['', 'exit 1', 'exit 2', 'exit 3'],
        ...trained.map(({ name, exits: all }) => [name, ...all.map((each) => percent(each))]),
      ]),
      table([
        ['plain network', 'MACs', 'accuracy', ...trained.map(({ name }) => `${name} (gain)`)],
        ...alone.map(({ exit, macs, accuracy }, index) => [
          `to exit ${exit}`,
          whole(macs),
          percent(accuracy.value),
          ...trained.map(({ within }) => {
            const here = within[index];
            if (!here) return '-';
            const { value, standardError } = here.gain;
            return `${percent(here.accuracy)} (${inPoints(value)} +- ${inPoints(standardError)})`;
          }),
        ]),
      ]),
      table([
        ['joint, share of the work', 'MACs', 'accuracy', 'from', 'to (95 %)'],
        ...curve.map(({ budget, macs, accuracy: { value, low, high } }) => [
          percent(budget / network.macs.full, 0),
          whole(macs),
          ...[value, low, high].map((each) => percent(each)),
        ]),
      ]),
    ].join('\n\n');
    const training = { epochs: EPOCHS, batch: BATCH, seed: SEED };
    const data = { name: test.name, samples: test.labels.length };
    return { text, json: { test: data, training, network: network.macs, trained, plain: alone, curve } };
  },
};
