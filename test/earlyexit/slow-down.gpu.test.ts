import { afterAll, describe, expect, it } from 'vitest';
import { gradients } from '../../src/autograd/backward.ts';
import { createDataset } from '../../src/data/dataset.ts';
import type { Dataset } from '../../src/data/dataset.ts';
import { entropy } from '../../src/earlyexit/criteria.ts';
import { scoreExits } from '../../src/earlyexit/judgement/scores.ts';
import { searchSlowDown, slowDown, unsureness } from '../../src/earlyexit/judgement/slow-down.ts';
import { Model } from '../../src/earlyexit/model.ts';
import { looped } from '../../src/earlyexit/models/looped.ts';
import { multiExit } from '../../src/earlyexit/network.ts';
import type { Network } from '../../src/earlyexit/network.ts';
import { ArgumentError } from '../../src/errors.ts';
import { compile } from '../../src/graph/program.ts';
import { flatten, linear } from '../../src/nn/layers.ts';
import { Random } from '../../src/random.ts';
import { Rows } from '../../src/tensor/spec.ts';
import { openTestDevice } from '../open-test-device.ts';
import { linearNetwork } from './random-networks.ts';

const device = await openTestDevice();
const SAMPLES = 10;

function noise({ input, classes }: Network): Dataset {
  const random = new Random(5);
  const pixels = input[0] * input[1] * input[2];
  return createDataset({
    name: 'noise',
    shape: input,
    images: Uint8Array.from({ length: SAMPLES * pixels }, () => random.below(256)),
    labels: Uint8Array.from({ length: SAMPLES }, () => random.below(classes)),
    classNames: Array.from({ length: classes }, (_, label) => String(label)),
  });
}

const network = multiExit({
  name: 'small',
  input: [2, 5, 5],
  classes: 3,
  stages: [
    { body: [flatten(), linear(50, 12, { activation: 'relu' })], exit: [linear(12, 3)] },
    { body: [linear(12, 12, { activation: 'relu' })], exit: [linear(12, 3)] },
    { body: [linear(12, 12, { activation: 'relu' })], exit: [linear(12, 3)] },
  ],
});
const normalization = { mean: [0.4, 0.6], std: [0.2, 0.1] };
const model = Model.initialize(device, network, { seed: 3, normalization });
afterAll(() => model.dispose());
const dataset = noise(network);

const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value) / values.length;
/** The mean entropy of each early exit. */
const entropiesOf = async (data: Dataset): Promise<number[]> =>
  (await scoreExits(model, data)).exits.slice(0, -1).map((scores) => meanOf(scores.map((one) => one.entropy)));
/** The furthest that a pixel has moved. */
const distance = (found: Dataset, from: Dataset): number =>
  found.images.reduce((most, pixel, at) => Math.max(most, Math.abs(pixel - from.images[at]!)), 0);

describe('what the search raises', () => {
  it('has the gradient with respect to the pixels that finite differences have', async () => {
    const rows = new Rows(SAMPLES + 2);
    const shape = [SAMPLES + 2, ...network.input];
    using program = await compile(device, { pixels: { dtype: 'f32', shape, rows } }, ({ pixels }) => {
      const y = unsureness(model, pixels);
      return { y, grad: gradients(y, [pixels])[0]! };
    });
    const images = Float32Array.from(dataset.images);
    const { grad } = await program.call({ pixels: images });
    const norm = Math.hypot(...(grad as Float32Array));
    const at = async (step: number): Promise<number> =>
      (await program.call({ pixels: images.map((pixel, index) => pixel + (step * grad[index]!) / norm) })).y[0]!;
    const slope = (await at(0.5)) - (await at(-0.5));
    expect(slope / norm).toBeCloseTo(1, 2);
  });
});

describe('inputs that avoid the exits', () => {
  const epsilon = 0.05;

  it('lie within the ball and the pixel range, and make each early exit less sure', async () => {
    const before = dataset.images.slice();
    const found = await searchSlowDown(model, dataset, { epsilon, batch: 4 });
    expect(dataset.images).toEqual(before);
    expect(found).toMatchObject({ name: 'noise/slowed-down', labels: dataset.labels, shape: dataset.shape });
    expect(distance(found, dataset)).toBe(Math.floor(epsilon * 255));
    const [as, slowed] = [await entropiesOf(dataset), await entropiesOf(found)];
    slowed.forEach((value, exit) => expect(value, `exit ${exit + 1}`).toBeGreaterThan(as[exit]!));
  });

  it('are the same for the same seed, in whatever batches, and others for another', async () => {
    const found = await searchSlowDown(model, dataset, { epsilon, seed: 4, steps: 3, batch: 4 });
    expect(await searchSlowDown(model, dataset, { epsilon, seed: 4, steps: 3 })).toEqual(found);
    expect(await searchSlowDown(model, dataset, { epsilon, seed: 5, steps: 3 })).not.toEqual(found);
  });

  it('go deeper and cost more, at most as much as the bound', async () => {
    const [first, second] = await entropiesOf(dataset);
    const criterion = entropy(first!, second!);
    const { before, after, bound, inputs, ...asked } = await slowDown(model, dataset, { epsilon, criterion });
    expect(asked).toEqual({ samples: SAMPLES, epsilon, steps: 20, stepSize: 2.5 * epsilon / 20 });
    expect(after.exit).toBeGreaterThan(before.exit);
    expect(after.early).toBeLessThan(before.early);
    expect(after.macs).toBeGreaterThan(before.macs);
    expect(after.macs).toBeLessThanOrEqual(bound.macs.worst);
    expect(bound.macs).toEqual({ worst: network.macs.toExit[2], full: network.macs.full });
    expect(distance(inputs, dataset)).toBe(Math.floor(epsilon * 255));
    using classifier = await model.compile({ criterion, batch: 16 });
    const exits = (await classifier.classifyBatch(inputs.images)).map(({ exit }) => exit);
    expect(after.exit).toBeCloseTo(meanOf(exits), 12);
  });

  it('halt later in a network that learns when to halt', async () => {
    const options = { input: [1, 3, 3], classes: 3, width: 4, steps: 3, cell: 'gru' } as const;
    using loop = Model.initialize(device, looped(options), { seed: 1 });
    const images = noise(loop.network);
    const halted = async (data: Dataset): Promise<number> =>
      meanOf((await scoreExits(loop, data)).exits[1]!.map((scores) => scores.halting!));
    const found = await searchSlowDown(loop, images, { epsilon: 0.2 });
    expect(await halted(found)).toBeLessThan(await halted(images));
  });

  it('stay in the ball where the network computes NaN', async () => {
    using broken = Model.initialize(device, network, { seed: 3 });
    broken.parameters.get('stage1.linear1.bias').write(new Float32Array(12).fill(NaN));
    const found = await searchSlowDown(broken, dataset, { epsilon: 0.02, steps: 2 });
    expect(distance(found, dataset)).toBeLessThanOrEqual(5);
  });

  it.each([
    [{ epsilon: 0 }, 'an epsilon from 1/255 to 1, a share of the pixel range, got 0'],
    [{ epsilon: 0.003 }, 'an epsilon from 1/255 to 1, a share of the pixel range, got 0.003'],
    [{ epsilon: 8 }, 'an epsilon from 1/255 to 1, a share of the pixel range, got 8'],
    [{ epsilon: NaN }, 'an epsilon from 1/255 to 1, a share of the pixel range, got NaN'],
    [{ epsilon, steps: 0 }, 'steps of 1 or more, got 0'],
    [{ epsilon, stepSize: 0 }, 'a stepSize above 0 and at most 1, a share of the pixel range, got 0'],
    [{ epsilon, batch: 0 }, 'a batch of 1 or more, got 0'],
    [{ epsilon, seed: -1 }, 'a seed that is a safe integer'],
  ])('are not searched with %j', async (options, message) => {
    await expect(searchSlowDown(model, dataset, options)).rejects.toThrow(ArgumentError);
    await expect(searchSlowDown(model, dataset, options)).rejects.toThrow(message);
  });

  it('are not there where there is one exit, or the signal has come', async () => {
    using single = Model.initialize(device, linearNetwork(1), { seed: 1 });
    const images = noise(single.network);
    await expect(searchSlowDown(single, images, { epsilon })).rejects.toThrow('early exits to avoid, got the one exit');
    const reason = new Error('changed my mind');
    const aborted = searchSlowDown(model, dataset, { epsilon, signal: AbortSignal.abort(reason) });
    await expect(aborted).rejects.toBe(reason);
  });
});
