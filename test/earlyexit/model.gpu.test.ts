import { expect, it } from 'vitest';
import { proceduralDigits } from '../../src/data/procedural-digits.ts';
import { evaluate } from '../../src/earlyexit/judgement/evaluate.ts';
import { scoreExits } from '../../src/earlyexit/judgement/scores.ts';
import { saveModel } from '../../src/earlyexit/model-file.ts';
import { Model } from '../../src/earlyexit/model.ts';
import { multiExit } from '../../src/earlyexit/network.ts';
import { flatten, linear, relu } from '../../src/nn/layers.ts';
import { openTestDevice } from '../open-test-device.ts';

const device = await openTestDevice();

const body = [flatten()];
const small = (first = body, input = [1, 28, 28]) =>
  multiExit({
    name: 'small',
    input: input as [number, number, number],
    classes: 10,
    stages: [{ body: first, exit: [linear(784, 10)] }, { body: [relu()], exit: [linear(784, 10)] }],
  });
const network = small();

it.each([[[28, 28]], [[1, 28, 28, 1]], [[1, 0, 28]], [[1, 28, 1.5]]])('a network takes no input of %j', (input) => {
  expect(() => small(body, input)).toThrow(`small: expected an input of [channels, height, width], got [${input.join(', ')}]`);
});

it('details that do not fit are refused before anything is allocated', () => {
  const before = device.memory();
  for (const details of [{ classNames: ['a'] }, { normalization: { mean: [0], std: [0] } }]) {
    expect(() => Model.initialize(device, network, { seed: 1, ...details })).toThrow(/expected/);
  }
  expect(device.memory()).toEqual(before);
});

it('a layer of one\'s own is refused when it is saved, not when it is read', async () => {
  using model = Model.initialize(device, small([{ ...flatten(), type: 'mine' }]), { seed: 1 });
  await expect(saveModel(model)).rejects.toThrow('stages[0].body[0].type: expected one of conv, linear');
});

it('judging refuses data and options by name', async () => {
  using model = Model.initialize(device, network, { seed: 1 });
  const digits = proceduralDigits({ count: 4, seed: 1 });
  const none = { ...digits, images: new Uint8Array(0), labels: new Uint8Array(0) };
  const tiny = { ...digits, shape: [1, 14, 56] as const };
  const many = { ...digits, classNames: Array<string>(11).fill('x') };
  for (const [name, call] of [['scoreExits', scoreExits], ['evaluate', evaluate]] as const) {
    await expect(call(model, none)).rejects.toThrow(`${name}: expected samples, got none in ${digits.name}`);
    await expect(call(model, tiny)).rejects.toThrow(`${name}: expected images of [1, 28, 28] for small, got [1, 14, 56]`);
    await expect(call(model, many)).rejects.toThrow(`${name}: expected at most 10 classes for small, got 11`);
    await expect(call(model, digits, { batch: 0 })).rejects.toThrow(`${name}: expected a batch of 1 or more, got 0`);
  }
  await expect(evaluate(model, digits, { latencySamples: 0 })).rejects.toThrow('expected latencySamples of 1 or more, got 0');
});

it('answers from logits that are not finite count as wrong', async () => {
  using model = Model.initialize(device, network, { seed: 1 });
  model.parameters.get('exit2.linear1.bias').write(new Float32Array(10).fill(NaN));
  const digits = proceduralDigits({ count: 6, seed: 1 });
  const report = await evaluate(model, digits, { criterion: { kind: 'entropy', thresholds: [0] }, latencySamples: 1 });
  expect(report).toMatchObject({ accuracy: 0, accuracyFull: 0, notFinite: 6 });
});
