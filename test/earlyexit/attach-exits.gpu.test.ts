import { expect, it } from 'vitest';
import { proceduralDigits } from '../../src/data/procedural-digits.ts';
import { attachExits, attachExitsToModel } from '../../src/earlyexit/attach-exits.ts';
import { scoreExits } from '../../src/earlyexit/judgement/scores.ts';
import { loadModel, saveModel } from '../../src/earlyexit/model-file.ts';
import { Model } from '../../src/earlyexit/model.ts';
import type { PlainNetwork } from '../../src/earlyexit/plain-network.ts';
import { train } from '../../src/earlyexit/training/train.ts';
import { convHead, linearHead, mixedPoolHead, poolHead } from '../../src/nn/heads.ts';
import { conv2d, flatten, linear, maxPool2d } from '../../src/nn/layers.ts';
import { batchNorm2d } from '../../src/nn/normalization.ts';
import { openTestDevice } from '../open-test-device.ts';
import { compileLoss, noiseBatch, slopeAlongGradient } from './network-loss.ts';

const device = await openTestDevice();
const digits = proceduralDigits({ count: 48, seed: 2 });
const plain: PlainNetwork = {
  name: 'plain',
  input: [1, 28, 28],
  classes: 10,
  layers: [
    maxPool2d({ kernel: 2 }),
    conv2d(1, 4, { kernel: 3, padding: 1 }),
    batchNorm2d(4, { activation: 'relu' }),
    conv2d(4, 6, { kernel: 3, stride: 2, padding: 1, activation: 'relu' }),
    flatten(),
    linear(294, 10),
  ],
};
const at = [
  { after: 'norm1', head: mixedPoolHead(10) },
  { after: 'conv2', head: poolHead(10) },
  { after: 'flatten1', head: linearHead(10) },
];

it('a trained model answers at its last exit what it answered before', async () => {
  const normalization = { mean: [0.2], std: [0.3] };
  using model = Model.initialize(device, attachExits(plain, { at: [] }), { seed: 1, normalization });
  await train(model, digits, { epochs: 2, batch: 16 });
  using attached = await attachExitsToModel(model, { at, seed: 4 });
  expect(attached.normalization).toEqual(model.normalization);
  expect(attached.training).toBeUndefined();

  const [before, after] = [await model.parameters.read(), await attached.parameters.read()];
  expect(after.get('stage2.conv1.weight')).toEqual(before.get('stage1.conv2.weight'));
  expect(after.get('stage1.norm1.variance')).toEqual(before.get('stage1.norm1.variance'));
  expect(after.get('exit4.linear1.bias')).toEqual(before.get('exit1.linear1.bias'));
  expect((await scoreExits(attached, digits)).exits.at(-1)).toEqual((await scoreExits(model, digits)).exits[0]);

  using same = await attachExitsToModel(model, { at, seed: 4 });
  expect(await same.parameters.read()).toEqual(after);
  using other = await attachExitsToModel(model, { at, seed: 5 });
  expect((await other.parameters.read()).get('exit2.linear1.weight')).not.toEqual(after.get('exit2.linear1.weight'));
});

it('exits that are attached learn, are saved, and decide', async () => {
  using model = Model.initialize(device, attachExits(plain, { at }), { seed: 1 });
  const before = await model.parameters.read();
  await train(model, digits, { epochs: 2, batch: 16 });
  const [first, last] = model.training!.losses;
  expect(last).toBeLessThan(first!);
  const mix = (await model.parameters.read()).get('exit1.mixedPool1.mix');
  expect(mix).not.toEqual(before.get('exit1.mixedPool1.mix'));

  using loaded = loadModel(device, await saveModel(model));
  using classifier = await loaded.compile({ batch: 8, criterion: { kind: 'entropy', thresholds: [2.2, 2.2, 2.2] } });
  const batch = digits.images.slice(0, 8 * model.sampleSize);
  const table = await scoreExits(model, digits);
  for (const [sample, { exit, label }] of (await classifier.classifyBatch(batch)).entries()) {
    const leaves = table.exits.findIndex((scores) => scores[sample]!.entropy < 2.2);
    expect(exit).toBe(leaves < 0 ? 4 : leaves + 1);
    expect(label).toBe(table.exits[exit - 1]![sample]!.label);
  }
});

it('the mix of pooling, and a convolution before it, have the gradients of finite differences', async () => {
  const heads = [{ after: 'norm1', head: mixedPoolHead(10) }, { after: 'conv2', head: convHead(10, { channels: 3 }) }];
  using model = Model.initialize(device, attachExits(plain, { at: heads }), { seed: 1 });
  const batch = noiseBatch(model, 8);
  using derived = await compileLoss(model, batch, { derive: true });
  using loss = await compileLoss(model, batch, { derive: false });
  await derived.run();
  for (const name of ['exit1.mixedPool1.mix', 'exit2.conv1.weight', 'stage2.conv1.weight']) {
    const pair = { parameter: model.parameters.get(name), grad: derived.grads.get(name)! };
    expect(Math.abs(await slopeAlongGradient(loss, pair) - 1), name).toBeLessThan(1e-2);
  }
});
