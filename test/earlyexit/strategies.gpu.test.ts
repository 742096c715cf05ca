import { describe, expect, it } from 'vitest';
import { adam, sgd } from '../../src/autograd/optimizer.ts';
import { proceduralDigits } from '../../src/data/procedural-digits.ts';
import { loadModel, saveModel } from '../../src/earlyexit/model-file.ts';
import { Model } from '../../src/earlyexit/model.ts';
import { multiExit } from '../../src/earlyexit/network.ts';
import { sdn } from '../../src/earlyexit/training/schedules.ts';
import * as strategies from '../../src/earlyexit/training/strategies.ts';
import type { Phase, Strategy } from '../../src/earlyexit/training/strategies.ts';
import { train } from '../../src/earlyexit/training/train.ts';
import type { TrainOptions } from '../../src/earlyexit/training/train.ts';
import { dropout, flatten, linear, maxPool2d } from '../../src/nn/layers.ts';
import { batchNorm2d } from '../../src/nn/normalization.ts';
import { openTestDevice } from '../open-test-device.ts';

const device = await openTestDevice();
const digits = proceduralDigits({ count: 60, seed: 2 });
// Statistics and dropout in the trunk, so that a frozen trunk that goes on training would show.
const network = multiExit({
  name: 'small',
  input: [1, 28, 28],
  classes: 10,
  stages: [
    {
      body: [maxPool2d({ kernel: 4 }), batchNorm2d(1), flatten(), linear(49, 12, { activation: 'relu' })],
      exit: [linear(12, 10)],
    },
    {
      body: [dropout({ rate: 0.2 }), linear(12, 12, { activation: 'relu' })],
      exit: [dropout({ rate: 0.1 }), linear(12, 10)],
    },
    { body: [linear(12, 12, { activation: 'relu' })], exit: [linear(12, 10)] },
  ],
});

interface Epoch {
  readonly phase: string;
  /** Parts whose parameters or statistics have other bits than before: `stage1`, `exit2`. */
  readonly changed: string[];
}

/** Trains, and tells what changed in each epoch; every parameter of a part has to change if one does. */
async function epochsOf(strategy: Strategy, options: TrainOptions = {}): Promise<Epoch[]> {
  using model = Model.initialize(device, network, { seed: 3 });
  let before = await model.parameters.read();
  const epochs: Epoch[] = [];
  await train(model, digits, {
    epochs: 6,
    batch: 20,
    optimizer: sgd({ learningRate: 0.02, momentum: 0.9, weightDecay: 0.05 }),
    ...options,
    strategy,
    async onEpoch({ phase }) {
      const after = await model.parameters.read();
      const partOf = (name: string): string => name.split('.')[0]!;
      const names = [...after.keys()].filter((name) =>
        after.get(name)!.some((value, index) => value !== before.get(name)![index]));
      const changed = [...new Set(names.map(partOf))];
      const all = [...after.keys()].filter((name) => changed.includes(partOf(name)));
      expect(names, `changed in phase ${phase}`).toEqual(all);
      epochs.push({ phase, changed });
      before = after;
    },
  });
  return epochs;
}

const trunk = ['stage1', 'stage2', 'stage3'];
const everything = [...trunk, 'exit1', 'exit2', 'exit3'];
const times = (count: number, phase: string, changed: string[]): Epoch[] =>
  Array.from({ length: count }, () => ({ phase, changed }));

describe('strategies', () => {
  it('train in each phase what they say, and leave the bits of the rest', async () => {
    expect(await epochsOf(strategies.joint())).toEqual(times(6, 'joint', everything));
    const [alone, heads] = [times(3, 'trunk', [...trunk, 'exit3']), times(3, 'heads', ['exit1', 'exit2'])];
    expect(await epochsOf(strategies.separate())).toEqual([...alone, ...heads]);
    expect(await epochsOf(strategies.twoPhase())).toEqual([...alone.slice(1), ...times(4, 'joint', everything)]);
    expect(await epochsOf(strategies.alternating())).toEqual([0, 1, 2].flatMap(() => [alone[0], heads[0]]));
    expect(await epochsOf(strategies.alternating(), { epochs: 3 })).toEqual([alone[0], alone[0], heads[0]]);
    expect(await epochsOf(strategies.progressive())).toEqual([
      ...times(2, 'exit 1', ['stage1', 'exit1']),
      ...times(2, 'exit 2', ['stage1', 'stage2', 'exit1', 'exit2']),
      ...times(2, 'exit 3', everything),
    ]);
    expect(await epochsOf(strategies.progressive({ freeze: true }))).toEqual(
      [1, 2, 3].flatMap((exit) => times(2, `exit ${exit}`, [`stage${exit}`, `exit${exit}`])),
    );
    expect(await epochsOf(strategies.distilled())).toEqual(times(6, 'distilled', everything));
    expect(await epochsOf(strategies.headsOnly({ exits: [2] }))).toEqual(times(6, 'heads', ['exit2']));
  });

  it('leave the bits of the rest under Adam, too', async () => {
    const optimizer = adam({ weightDecay: 0.1 });
    const [, second] = await epochsOf(strategies.separate(), { epochs: 2, optimizer });
    expect(second).toEqual({ phase: 'heads', changed: ['exit1', 'exit2'] });
  });

  it('give every exit a lower loss than it had', async () => {
    for (const make of [...Object.values(strategies.STRATEGIES), () => strategies.progressive({ freeze: true })]) {
      using model = Model.initialize(device, network, { seed: 3 });
      const before = await lossesOf(model);
      await train(model, digits, { epochs: 9, batch: 20, strategy: make(), optimizer: adam({ learningRate: 0.01 }) });
      const after = await lossesOf(model);
      after.forEach((loss, index) => expect(loss, `${make().name}, exit ${index + 1}`).toBeLessThan(before[index]!));
    }
  });

  it('may be of any make; phases of one structure share the state of the optimiser', async () => {
    const split: Strategy = (_, epochs) =>
      Array.from({ length: epochs }, (_, index) => ({ name: `epoch ${index + 1}`, epochs: 1 }));
    const weightsAfter = async (strategy: Strategy): Promise<Map<string, Float32Array>> => {
      using model = Model.initialize(device, network, { seed: 3 });
      await train(model, digits, { epochs: 3, batch: 20, strategy });
      return model.parameters.read();
    };
    const whole = await weightsAfter(strategies.joint());
    expect(await weightsAfter(split)).toEqual(whole);
    // The same epochs with a factor on the way: same program, other steps.
    const slower: Strategy = (net, epochs) => split(net, epochs).map((phase) => ({ ...phase, learningRate: 0.5 }));
    expect(await weightsAfter(slower)).not.toEqual(whole);
  });

  it('count the steps of each state besides those of the training', async () => {
    const plain = adam();
    const seen: [step: number, age: number | undefined, factor: number | undefined][] = [];
    const hyper: typeof plain.hyper = (step, options) => {
      seen.push([step, options?.age, options?.factor]);
      return plain.hyper(step, options);
    };
    using model = Model.initialize(device, network, { seed: 3 });
    const slow = (phase: Phase): Phase => (phase.name === 'heads' ? { ...phase, learningRate: 0.5 } : phase);
    const slower: Strategy = (net, epochs) => strategies.alternating()(net, epochs).map(slow);
    await train(model, digits, { epochs: 4, batch: 30, strategy: slower, optimizer: { ...plain, hyper } });
    const [trunks, heads] = [[[1, 1, 1], [2, 2, 1]], [[3, 1, 0.5], [4, 2, 0.5]]];
    expect(seen).toEqual([...trunks, ...heads, [5, 3, 1], [6, 4, 1], [7, 3, 0.5], [8, 4, 0.5]]);
  });

  it('leave a record, which a model file keeps', async () => {
    using model = Model.initialize(device, network, { seed: 3 });
    await train(model, digits, { epochs: 2, batch: 20, weights: sdn(), strategy: strategies.separate() });
    const shares = network.macs.toExit.map((macs) => macs / network.macs.toExit[2]!);
    const atStart = [0, 1].map((index) => 0.01 + shares[index]! / 2);
    expect(model.training).toMatchObject({
      strategy: 'separate',
      weightSchedule: 'sdn',
      weights: [...atStart, 1],
      loss: [{ name: 'cross-entropies' }],
      phases: [
        { name: 'trunk', epochs: 1, weights: [0, 0, 1] },
        { name: 'heads', epochs: 1, weights: [...atStart, 0], trained: 4 },
      ],
    });
    using loaded = loadModel(device, await saveModel(model));
    expect(loaded.training).toEqual(model.training);
    await train(model, digits, { epochs: 1, batch: 20, strategy: strategies.distilled({ temperature: 2 }) });
    const terms = [{ name: 'cross-entropies' }, { name: 'distillation', weight: 1, temperature: 2 }];
    expect(model.training).toMatchObject({ strategy: 'distilled', loss: terms });
  });

  it('leave no memory behind, whichever phase they are stopped in', async () => {
    using model = Model.initialize(device, network, { seed: 3 });
    await train(model, digits, { epochs: 1, batch: 20 });
    const before = device.memory();
    for (const strategy of [strategies.alternating(), strategies.progressive()]) {
      await train(model, digits, { epochs: 6, batch: 20, strategy, weights: sdn() });
      expect(device.memory()).toEqual(before);
      const controller = new AbortController();
      const onEpoch = (): void => controller.abort();
      await train(model, digits, { epochs: 6, batch: 20, strategy, signal: controller.signal, onEpoch });
      expect(model.training).toMatchObject({ interrupted: true, epochs: { planned: 6, done: 1 } });
      expect(device.memory()).toEqual(before);
    }
  });

  it('are refused by name where they cannot be', async () => {
    using model = Model.initialize(device, network, { seed: 3 });
    const refused = (options: TrainOptions) => expect(train(model, digits, options)).rejects;
    const separate = strategies.separate();
    const tooShort = 'separate: expected 2 epochs or more, one per phase, got 1';
    await refused({ epochs: 1, strategy: separate }).toThrow(tooShort);
    const whole = strategies.twoPhase({ share: 1 });
    await refused({ strategy: whole }).toThrow('twoPhase: expected a share between 0 and 1, got 1');
    const weightless = "train: phase 'trunk' of separate leaves no exit a weight above 0";
    await refused({ weights: [1, 1, 0], strategy: separate }).toThrow(weightless);
    const absent = 'of headsOnly: expected ascending exits from 1 to 3, got [9]';
    await refused({ strategy: strategies.headsOnly({ exits: [9] }) }).toThrow(`train: phase 'heads' ${absent}`);
    const beyond: Strategy = () => [{ name: 'own', epochs: 1, exits: [1, 4] }];
    await refused({ strategy: beyond }).toThrow('of beyond: expected ascending exits from 1 to 3, got [1, 4]');
    const none: Strategy = () => [{ name: 'none', epochs: 1, trains: () => false }];
    await refused({ strategy: none }).toThrow("train: phase 'none' of none trains no parameter");
    await refused({ strategy: () => [] }).toThrow('train: expected phases from');
    const trains = (name: string): boolean => name.startsWith('exit3');
    const apart: Strategy = () => [{ name: 'apart', epochs: 1, exits: [1], trains }];
    const independent = 'expected parameters that are trained and that the loss depends on, got none';
    await refused({ strategy: apart }).toThrow(independent);
  });
});

/** Of each exit over the data, as an epoch of steps of length 0 sees them. */
async function lossesOf(model: Model): Promise<readonly number[]> {
  let losses: readonly number[] = [];
  await train(model, digits, {
    epochs: 1,
    batch: 60,
    strategy: () => [{ name: 'look', epochs: 1, learningRate: 0 }],
    onEpoch: ({ exitLosses }) => void (losses = exitLosses),
  });
  return losses;
}
