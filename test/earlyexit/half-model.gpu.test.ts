import { describe, expect, it } from 'vitest';
import { GpuError } from '../../src/errors.ts';
import { entropy } from '../../src/earlyexit/criteria.ts';
import { halfModel } from '../../src/earlyexit/half-model.ts';
import { Model } from '../../src/earlyexit/model.ts';
import { bAlexNet } from '../../src/earlyexit/models/b-alexnet.ts';
import { bLeNet } from '../../src/earlyexit/models/b-lenet.ts';
import { bResNet } from '../../src/earlyexit/models/b-resnet.ts';
import { looped } from '../../src/earlyexit/models/looped.ts';
import { mlp } from '../../src/earlyexit/models/mlp.ts';
import { openTestDevice } from '../open-test-device.ts';
import { noiseBatch } from './network-loss.ts';
import { exitLogits } from './exit-logits.ts';

const device = await openTestDevice();
const networks = [
  bLeNet(),
  bAlexNet(),
  bResNet({ blocks: 1 }),
  mlp({ input: [3, 8, 8], widths: [32, 16] }),
  looped({ input: [1, 4, 4], width: 8, steps: 3, halting: 'act' }),
];
const has = device.features.has('shader-f16');

describe.skipIf(!has)('a model in f16', () => {
  it.each(networks)('$name says the same but for rounding', async (network) => {
    using model = Model.initialize(device, network, { seed: 1 });
    using half = await halfModel(model);
    const { x } = noiseBatch(model, 2);
    const [whole, rounded] = [await exitLogits(model, x), await exitLogits(half, x)];
    whole.forEach((logits, exit) => {
      const scale = Math.max(...Array.from(logits, Math.abs));
      const error = Math.max(...Array.from(logits, (value, index) => Math.abs(value - rounded[exit]![index]!)));
      // A few last places of f16, which is what layers add to each other's rounding; and not none at all.
      expect(error / scale, `exit ${exit + 1}`).toBeLessThan(8 * 2 ** -11);
      expect(error, `exit ${exit + 1}`).toBeGreaterThan(0);
    });
  });

  it('leaves at the same exits whatever the policy, alone and in a batch', async () => {
    using model = Model.initialize(device, bLeNet(), { seed: 1 });
    using half = await halfModel(model);
    const images = noiseBatch(model, 16).x;
    const answers = await Promise.all(
      ([['readback', 16], ['gated', 16], ['overlap', 5], ['readback', 1], ['gated', 1]] as const).map(
        async ([policy, batch]) => {
          using classifier = await half.compile({ criterion: entropy(0.8), policy, batch });
          return classifier.classifyBatch(images, { scores: true });
        },
      ),
    );
    expect(new Set(answers[0]!.map(({ exit }) => exit)).size).toBeGreaterThan(1);
    for (const other of answers.slice(1)) expect(other).toEqual(answers[0]);
  });

  it('keeps thresholds, but not what was guaranteed of scores in f32', async () => {
    using model = Model.initialize(device, bLeNet(), { seed: 1 });
    const chosen = { criterion: 'entropy', values: [0.8], chosenOn: { dataset: 'noise', samples: 16 }, target: {} } as const;
    model.thresholds = { ...chosen, guarantee: {} } as never;
    using half = await halfModel(model);
    expect(half.thresholds).toEqual({ ...chosen, guarantee: undefined });
  });

  it('takes half the memory, and keeps statistics in f32', async () => {
    using model = Model.initialize(device, bResNet({ blocks: 1 }), { seed: 1 });
    using half = await halfModel(model);
    expect(half.parameters.whole.byteLength).toBeLessThan(0.6 * model.parameters.whole.byteLength);
    const kept = [...half.parameters.tensors].filter(([name]) => !half.parameters.trained.has(name));
    expect(kept.length).toBeGreaterThan(0);
    for (const [, { dtype }] of kept) expect(dtype).toBe('f32');
  });
});

it.skipIf(has)('asks for a device with shader-f16', async () => {
  using model = Model.initialize(device, bLeNet(), { seed: 1 });
  await expect(halfModel(model)).rejects.toThrow(GpuError);
  await expect(halfModel(model)).rejects.toThrow('shader-f16');
});
