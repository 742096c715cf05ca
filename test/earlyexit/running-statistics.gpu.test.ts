import { expect, it } from 'vitest';
import { adam, sgd } from '../../src/autograd/optimizer.ts';
import type { Optimizer } from '../../src/autograd/optimizer.ts';
import { proceduralDigits } from '../../src/data/procedural-digits.ts';
import { entropy } from '../../src/earlyexit/criteria.ts';
import { loadModel, saveModel } from '../../src/earlyexit/model-file.ts';
import { Model } from '../../src/earlyexit/model.ts';
import { multiExit } from '../../src/earlyexit/network.ts';
import { train } from '../../src/earlyexit/training/train.ts';
import { averagePool2d, conv2d, globalAveragePool, linear, maxPool2d } from '../../src/nn/layers.ts';
import { batchNorm2d, localResponseNorm } from '../../src/nn/normalization.ts';
import { padChannels, residual } from '../../src/nn/residual.ts';
import { openTestDevice } from '../open-test-device.ts';

const device = await openTestDevice();
const digits = proceduralDigits({ count: 60, seed: 2 });
const block = residual([conv2d(3, 8, { kernel: 3, stride: 2, padding: 1 }), batchNorm2d(8)], {
  shortcut: [averagePool2d({ kernel: 1, stride: 2 }), padChannels({ after: 5 })],
  activation: 'relu',
});
const network = multiExit({
  name: 'normalised',
  input: [1, 28, 28],
  classes: 10,
  stages: [
    {
      body: [batchNorm2d(1), maxPool2d({ kernel: 2 }), conv2d(1, 3, { kernel: 3 }), batchNorm2d(3, { activation: 'relu' })],
      exit: [globalAveragePool(), linear(3, 10)],
    },
    { body: [block], exit: [localResponseNorm({ size: 3 }), globalAveragePool(), linear(8, 10)] },
  ],
});

async function trained(optimizer: Optimizer, epochs: number): Promise<Map<string, Float32Array>> {
  using model = Model.initialize(device, network, { seed: 3 });
  await train(model, digits, { epochs, batch: 64, seed: 4, optimizer });
  return model.parameters.read();
}

it('follow the live part of a batch, and no optimiser touches them', async () => {
  using model = Model.initialize(device, network, { seed: 3 });
  const pixels = model.normalize(digits.images);
  const mean = pixels.reduce((sum, value) => sum + value, 0) / pixels.length;
  const variance = pixels.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (pixels.length - 1);
  for (const optimizer of [adam({ weightDecay: 0.5 }), sgd({ learningRate: 0.1, weightDecay: 0.5 })]) {
    const one = await trained(optimizer, 1);
    expect(one.get('stage1.norm1.mean')![0]! / (0.1 * mean)).toBeCloseTo(1, 5);
    expect(one.get('stage1.norm1.variance')![0]! / (0.9 + 0.1 * variance)).toBeCloseTo(1, 5);
    const two = await trained(optimizer, 2);
    expect(two.get('stage1.norm1.mean')![0]! / (0.19 * mean)).toBeCloseTo(1, 5);
    expect(two.get('stage2.residual1.body.norm1.mean')!.every((value) => value !== 0)).toBe(true);
  }
});

it('are saved and loaded, and what they normalise is classified alike alone and in a batch', async () => {
  using model = Model.initialize(device, network, { seed: 3 });
  await train(model, digits, { epochs: 6, batch: 32, optimizer: adam({ learningRate: 0.01 }) });
  using loaded = loadModel(device, await saveModel(model));
  expect(await loaded.parameters.read()).toEqual(await model.parameters.read());

  const batch = 5;
  const first = digits.images.slice(0, batch * model.sampleSize);
  using classifier = await loaded.compile({ batch, criterion: entropy(2.2) });
  const together = await classifier.classifyBatch(first, { scores: true });
  using alone = await model.compile({ criterion: entropy(2.2) });
  for (let sample = 0; sample < batch; sample++) {
    const image = first.slice(sample * model.sampleSize, (sample + 1) * model.sampleSize);
    expect(await alone.classify(image, { scores: true })).toEqual(together[sample]);
  }
});

it('give back all their memory', () => {
  const before = device.memory();
  Model.initialize(device, network, { seed: 1 }).dispose();
  expect(device.memory()).toEqual(before);
});
