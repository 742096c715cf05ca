import { createDataset } from '../src/data/dataset.ts';
import type { Device } from '../src/device/device.ts';
import { entropy } from '../src/earlyexit/criteria.ts';
import type { Criterion } from '../src/earlyexit/criteria.ts';
import { scoreExits } from '../src/earlyexit/judgement/scores.ts';
import { replay } from '../src/earlyexit/judgement/thresholds.ts';
import type { ScoreTable } from '../src/earlyexit/judgement/scores.ts';
import { Model } from '../src/earlyexit/model.ts';
import { bLeNet } from '../src/earlyexit/models/b-lenet.ts';
import type { Network } from '../src/earlyexit/network.ts';
import { POLICIES } from '../src/earlyexit/scheduling/costs.ts';
import { Random } from '../src/random.ts';
import { sizeOf } from '../src/tensor/spec.ts';
import { deepNetwork } from './deep-network.ts';
import { bench } from './harness.ts';
import type { Case } from './harness.ts';

/** Shares of those that come to an exit and leave there, by exit. */
interface Profile {
  readonly name: string;
  leaving(exit: number, exits: number): number;
}

const PROFILES: readonly Profile[] = [
  { name: 'all leave first', leaving: () => 1 },
  { name: 'all leave half way', leaving: (exit, exits) => Number(exit >= Math.ceil(exits / 2)) },
  { name: 'some leave at each exit', leaving: (_, exits) => (exits > 2 ? 0.3 : 0.7) },
  { name: 'none leaves early', leaving: () => 0 },
];

/** Thresholds under which these samples leave as the profile says. */
function thresholdsFor({ exits }: ScoreTable, { leaving }: Profile): Criterion {
  let here = exits[0]!.map((_, sample) => sample);
  const thresholds = exits.slice(0, -1).map((scores, index) => {
    const count = Math.round(leaving(index + 1, exits.length) * here.length);
    const sorted = here.toSorted((a, b) => scores[a]!.entropy - scores[b]!.entropy);
    here = sorted.slice(count);
    // Between the last that leaves and the first that stays.
    const [low, high] = [scores[sorted[count - 1]!]?.entropy ?? 0, scores[sorted[count]!]?.entropy ?? Math.log(10)];
    return count === 0 ? 0 : (low + high) / 2;
  });
  return entropy(...thresholds);
}

async function casesOf(
  device: Device,
  network: Network,
  batch: number,
): Promise<{ cases: Case[]; dispose: () => void }> {
  const random = new Random(batch);
  const pixels = Uint8Array.from({ length: batch * sizeOf(network.input) }, () => random.below(256));
  const classNames = Array.from({ length: 10 }, (_, label) => String(label));
  const dataset = createDataset({
    name: 'noise',
    images: pixels,
    labels: new Uint8Array(batch),
    shape: network.input,
    classNames,
  });
  const model = Model.initialize(device, network, { seed: 1 });
  const x = model.normalize(pixels);
  const table = await scoreExits(model, dataset, { batch });
  const held = [model];
  const megabytes = (): number => device.memory().bytes / 1e6;
  const cases: Case[] = [];

  const add = async (name: string, options: Parameters<Model['compile']>[0], macs: number): Promise<void> => {
    const before = megabytes();
    const classifier = await model.compile({ ...options, batch });
    held.push(classifier as unknown as Model);
    const facts = {
      policy: classifier.policy,
      exits: classifier.exits.length,
      MB: Number((megabytes() - before).toFixed(2)),
    };
    cases.push({ name, items: batch, macs, facts, run: () => classifier.classifyBatch(x) });
  };

  const last = network.stages.length;
  await add(`${network.name}, batch ${batch}, without exits`, { exits: [last] }, network.macs.full);
  for (const profile of PROFILES) {
    const criterion = thresholdsFor(table, profile);
    const at = replay(table, criterion);
    const macs = at.reduce((sum, exit) => sum + network.macs.toExit[exit]!, 0) / batch;
    const shares = network.stages.map((_, exit) => at.filter((left) => left === exit).length / batch);
    for (const policy of POLICIES) await add(`  ${profile.name}, ${policy}`, { criterion, policy }, macs);
    await add(`  ${profile.name}, auto`, { criterion, policy: 'auto', shares }, macs);
  }
  return { cases, dispose: () => held.forEach((each) => each.dispose()) };
}

await bench(
  'policies',
  'What does each policy cost by exit depth and batch, against the network without exits, and how much of the work ' +
    'saved is time saved?',
  async function* (device) {
    for (const network of [bLeNet(), deepNetwork()]) {
      for (const batch of network.stages.length > 2 ? [1, 64] : [1, 64, 256]) {
        const { cases, dispose } = await casesOf(device, network, batch);
        yield cases;
        dispose();
      }
    }
  },
  { secondsPerCase: 0.6 },
);
