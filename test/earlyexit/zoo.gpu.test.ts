import { describe, expect, it } from 'vitest';
import { loadModel, saveModel } from '../../src/earlyexit/model-file.ts';
import { Model } from '../../src/earlyexit/model.ts';
import { bAlexNet } from '../../src/earlyexit/models/b-alexnet.ts';
import { bResNet } from '../../src/earlyexit/models/b-resnet.ts';
import { mlp } from '../../src/earlyexit/models/mlp.ts';
import type { Network } from '../../src/earlyexit/network.ts';
import { openTestDevice } from '../open-test-device.ts';
import { exitLogits } from './exit-logits.ts';
import { compileLoss, noiseBatch, slopeAlongGradient } from './network-loss.ts';

const device = await openTestDevice();
const networks: readonly Network[] = [bAlexNet(), bResNet({ blocks: 1 }), mlp({ input: [3, 8, 8], widths: [32, 16] })];

describe.each(networks)('$name', (network) => {
  it('answers at every exit, and comes back as it was saved', async () => {
    using model = Model.initialize(device, network, { seed: 1 });
    const logits = await exitLogits(model, noiseBatch(model, 2).x);
    for (const values of logits) {
      expect(values.length).toBe(2 * network.classes);
      expect(Array.from(values).every((value) => Number.isFinite(value) && value !== 0)).toBe(true);
    }
    using loaded = loadModel(device, await saveModel(model));
    const described = ({ name, macs, parameters }: Network): unknown => [name, macs, Object.keys(parameters)];
    expect(described(loaded.network)).toEqual(described(network));
    const values = await loaded.parameters.read();
    for (const [name, written] of await model.parameters.read()) {
      expect(values.get(name)!.every((value, index) => value === written[index]), name).toBe(true);
    }
  });

  it('loses less after a step down the gradient', async () => {
    using model = Model.initialize(device, network, { seed: 1 });
    const batch = noiseBatch(model, 2);
    using derived = await compileLoss(model, batch, { derive: true });
    using loss = await compileLoss(model, batch, { derive: false });
    const before = await derived.run();
    for (const [name, tensor] of derived.grads) {
      const [parameter, grad] = [model.parameters.get(name), await tensor.read()];
      expect(grad.some((value) => value !== 0), name).toBe(true);
      parameter.write((await parameter.read()).map((value, index) => value - 1e-4 * grad[index]!));
    }
    expect(await loss.run()).toBeLessThan(before);
  });
});

it('the gradients of a whole network with residual blocks are those of finite differences', async () => {
  using model = Model.initialize(device, bResNet({ blocks: 1 }), { seed: 1 });
  const batch = noiseBatch(model, 1);
  using derived = await compileLoss(model, batch, { derive: true });
  using loss = await compileLoss(model, batch, { derive: false });
  await derived.run();
  for (const name of ['stage1.conv1.weight', 'stage3.residual1.body.norm1.scale']) {
    const pair = { parameter: model.parameters.get(name), grad: derived.grads.get(name)! };
    expect(Math.abs(await slopeAlongGradient(loss, pair) - 1), name).toBeLessThan(1e-2);
  }
});
