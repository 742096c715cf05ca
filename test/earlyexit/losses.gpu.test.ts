import { describe, expect, it } from 'vitest';
import { adam, sgd } from '../../src/autograd/optimizer.ts';
import { proceduralDigits } from '../../src/data/procedural-digits.ts';
import { Model } from '../../src/earlyexit/model.ts';
import { multiExit } from '../../src/earlyexit/network.ts';
import * as losses from '../../src/earlyexit/training/losses.ts';
import type { LossTerm } from '../../src/earlyexit/training/losses.ts';
import { compileStep } from '../../src/earlyexit/training/step.ts';
import { train } from '../../src/earlyexit/training/train.ts';
import type { EpochProgress, TrainOptions } from '../../src/earlyexit/training/train.ts';
import { Weighing } from '../../src/earlyexit/training/weighing.ts';
import type { Weights } from '../../src/earlyexit/training/weighing.ts';
import { compile } from '../../src/graph/program.ts';
import type { Value } from '../../src/kernels/define.ts';
import { sum } from '../../src/kernels/reduce.ts';
import { scale } from '../../src/kernels/unary.ts';
import { flatten, linear, maxPool2d } from '../../src/nn/layers.ts';
import { Rows } from '../../src/tensor/spec.ts';
import { random } from '../op-table.ts';
import { openTestDevice } from '../open-test-device.ts';
import { crossEntropyOf, distillationOf, entropyOf, expectedCostOf, logSoftmax } from './losses-oracle.ts';
import type { Logits } from './losses-oracle.ts';
import { expectDerivatives, forward, gradientsOf, rowsOf, toy } from './step-gradients.ts';
import type { GradientOptions, Values } from './step-gradients.ts';

const device = await openTestDevice();
const [SAMPLES, CLASSES] = [5, 4];
const labels = [2, 0, 3, 1, 0];

describe('terms of the loss', () => {
  const exits = [1, 2, 3].map((seed) => rowsOf(random([SAMPLES, CLASSES], seed, -4, 4).data, CLASSES));
  const weights = [0.5, 1, 2];
  const costs = toy.macs.toExit.map((macs) => macs / toy.macs.full);
  const weighted = (of: (logits: Logits) => number, list = exits): number =>
    list.reduce((total, logits, index) => total + weights[index]! * of(logits), 0);

  /** The terms over given logits, with room for more rows than live. */
  async function valuesOf(terms: readonly LossTerm[], given: Weights = weights): Promise<number[]> {
    const rows = new Rows(SAMPLES + 2);
    const logits = { dtype: 'f32', shape: [rows.max, CLASSES], rows } as const;
    const weighing = new Weighing(device, given);
    const specs = { a: logits, b: logits, c: logits, y: { dtype: 'u32', shape: [rows.max], rows } as const };
    using program = await compile(device, specs, ({ a, b, c, y }) => {
      const context: losses.LossContext = {
        network: toy,
        logits: [a, b, c],
        labels: y,
        exits: weighing.exits,
        weightedSum: (of, among) => weighing.sum(of, among),
        weigh: (of, by) => weighing.term(of, by),
        parameter: (name) => expect.unreachable(`nobody asked for ${name}`),
        report: () => {},
      };
      return Object.fromEntries(terms.map((term, index): [string, Value] => [`term${index}`, term.trace(context)!]));
    });
    const [a, b, c] = exits.map((of) => Float32Array.from(of.flat()));
    const read = await program.call({ a: a!, b: b!, c: c!, y: Uint32Array.from(labels) });
    return Object.values(read).map((values) => values[0]!);
  }

  it('have the values of their formulas', async () => {
    const classWeights = [0.5, 1, 2, 4];
    const cost = { mu: 1, threshold: 0.6, softness: 0.1 };
    const got = await valuesOf([
      losses.crossEntropies(),
      losses.crossEntropies({ smoothing: 0.1, classWeights, ignore: 3 }),
      losses.entropyPenalty({ lambda: 0.3 }),
      losses.entropyPenalty({ lambda: -0.3, exits: [1, 2] }),
      losses.expectedCost(cost),
      losses.expectedCost({ mu: 2, threshold: 0.5, measure: 'margin' }),
      losses.expectedCost({ mu: 1, threshold: 0.7, softness: 0.2, measure: 'entropy' }),
      losses.distillation(),
      losses.distillation({ weight: 0.5, temperature: 1 }),
    ]);
    const earlier = exits.slice(0, 2);
    const distilled = (temperature: number): number =>
      weighted((logits) => distillationOf(logits, exits[2]!, temperature), earlier);
    const wanted = [
      weighted((logits) => crossEntropyOf(logits, labels)),
      weighted((logits) => crossEntropyOf(logits, labels, { smoothing: 0.1, classWeights, ignore: 3 })),
      0.3 * weighted(entropyOf),
      -0.3 * weighted(entropyOf, earlier),
      expectedCostOf(exits, costs, { ...cost, measure: 'confidence' }),
      2 * expectedCostOf(exits, costs, { threshold: 0.5, softness: 0.1, measure: 'margin' }),
      expectedCostOf(exits, costs, { threshold: 0.7, softness: 0.2, measure: 'entropy' }),
      distilled(3),
      0.5 * distilled(1),
    ];
    wanted.forEach((value, index) => {
      expect(Math.abs(got[index]! - value), `term ${index}`).toBeLessThan(1e-6 * Math.max(1, Math.abs(value)));
    });
  });

  it('leave out exits of weight 0, whose heads then cost nothing either', async () => {
    const [cost, entropy] = await valuesOf([
      losses.expectedCost({ mu: 1, threshold: 0.6 }),
      losses.entropyPenalty({ lambda: 1 }),
    ], [1, 0, 2]);
    const { toExit, heads, full } = toy.macs;
    const built = [toExit[0]! / full, (toExit[2]! - heads[1]!) / full];
    const rule = { threshold: 0.6, softness: 0.1, measure: 'confidence' } as const;
    expect(cost).toBeCloseTo(expectedCostOf([exits[0]!, exits[2]!], built, rule), 6);
    expect(entropy).toBeCloseTo(entropyOf(exits[0]!) + 2 * entropyOf(exits[2]!), 5);
  });

  it('refuse options out of range', async () => {
    const cost = (options: object) => expect(() => losses.expectedCost({ mu: 1, threshold: 0, ...options }));
    cost({ mu: NaN }).toThrow('expectedCost: expected a finite mu, got NaN');
    cost({ softness: 0 }).toThrow('expectedCost: expected a softness above 0, got 0');
    cost({ measure: 'guess' }).toThrow("expectedCost: expected a measure of confidence, margin, entropy, got 'guess'");
    expect(() => losses.entropyPenalty({ lambda: Infinity })).toThrow('expected a finite lambda, got Infinity');
    const absent = 'entropyPenalty: expected ascending exits from 1 to 3, got [9]';
    await expect(valuesOf([losses.entropyPenalty({ lambda: 1, exits: [9] })])).rejects.toThrow(absent);
  });
});

const x = Float32Array.from(random([SAMPLES, 4], 9, -2, 2).data);
const y = Uint32Array.from(labels);

/** Of the toy with its first weights. */
async function toyGradients({ weights = [1, 1, 1], ...options }: Partial<GradientOptions> = {}) {
  using model = Model.initialize(device, toy, { seed: 5 });
  const schedule = { steps: 10, stepsPerEpoch: 5, exits: 3, macs: toy.macs };
  return await gradientsOf(model, { x, y }, { weights, schedule, ...options });
}

const wholeOptions = {
  smoothing: 0.1,
  lambda: -0.4,
  cost: { mu: 0.7, threshold: 0.4, softness: 0.2 },
  distillation: { weight: 0.6, temperature: 2 },
};
const whole = losses.earlyExitLoss(wholeOptions);

describe('gradients of whole losses', () => {
  it('agree with finite differences through the trunk that the exits share', async () => {
    const weights = [0.3, 0.7, 1.5];
    const { parameters, grads, total } = await toyGradients({ weights, loss: whole });
    const target = forward(parameters, x)[2]!;
    const costs = toy.macs.toExit.map((macs) => macs / toy.macs.full);
    const lossOf = (given: Values): number => {
      const exits = forward(given, x);
      const ofExits = exits.reduce((loss, of, index) => {
        const distilled = index < 2 ? 0.6 * distillationOf(of, target, 2) : 0;
        const crossEntropy = crossEntropyOf(of, labels, { smoothing: 0.1 });
        return loss + weights[index]! * (crossEntropy - 0.4 * entropyOf(of) + distilled);
      }, 0);
      return ofExits + 0.7 * expectedCostOf(exits, costs, { threshold: 0.4, softness: 0.2, measure: 'confidence' });
    };
    expect(total).toBeCloseTo(lossOf(parameters), 5);
    expectDerivatives(grads, parameters, lossOf);
  });

  it('are ten times as great for weights ten times as great', async () => {
    const [one, ten] = [await toyGradients(), await toyGradients({ weights: [10, 10, 10] })];
    for (const [name, grad] of one.grads) {
      const greatest = Math.max(...grad.map(Math.abs));
      grad.forEach((value, index) => {
        expect(Math.abs(ten.grads.get(name)![index]! - 10 * value), name).toBeLessThan(1e-4 * greatest);
      });
    }
  });

  it('are the same whether a weight is a number or follows a schedule', async () => {
    const weights = [0.3, 0, 1];
    const { grads } = await toyGradients({ weights, loss: whole });
    const scheduled = losses.earlyExitLoss({
      ...wholeOptions,
      lambda: (step) => -0.4 * step,
      cost: { ...wholeOptions.cost, mu: () => 0.7 },
    });
    const live = await toyGradients({ weights: [() => 0.3, 0, 1], loss: scheduled });
    for (const [name, grad] of grads) {
      grad.forEach((value, index) => expect(live.grads.get(name)![index], name).toBeCloseTo(value, 6));
    }
  });

  it('stop before a head, or are spread over the trunk in equilibrium', async () => {
    const single = [[1, 0, 0], [0, 1, 0], [0, 0, 1]];
    const [first, second, third] = await Promise.all(single.map((weights) => toyGradients({ weights })));
    const stopped = await toyGradients({ headGradient: [0, 0.5, 1] });
    const equilibrium = await toyGradients({ headGradient: 'equilibrium' });
    type Gradients = Awaited<ReturnType<typeof toyGradients>>;
    /** Are the gradients `shares` of those that the exits have alone? */
    const check = ({ grads }: Gradients, part: string, shares: readonly [number, number, number]): void => {
      const name = `${part}.linear1.weight`;
      const alone = [first, second, third].map((exit) => exit!.grads.get(name)!);
      grads.get(name)!.forEach((value, at) => {
        const wanted = shares.reduce((sum, share, exit) => sum + share * alone[exit]![at]!, 0);
        expect(value, `${name}[${at}]`).toBeCloseTo(wanted, 6);
      });
    };
    check(stopped, 'stage1', [0, 0.5, 1]);
    check(stopped, 'stage2', [0, 0.5, 1]);
    check(equilibrium, 'stage1', [1 / 3, 1 / 3, 1 / 3]);
    check(equilibrium, 'stage2', [0, 1 / 2, 1 / 2]);
    check(equilibrium, 'stage3', [0, 0, 1]);
    for (const run of [stopped, equilibrium]) check(run, 'exit1', [1, 0, 0]);
  });
});

const digits = proceduralDigits({ count: 200, seed: 2 });
const small = multiExit({
  name: 'small',
  input: [1, 28, 28],
  classes: 10,
  stages: [
    { body: [maxPool2d({ kernel: 4 }), flatten(), linear(49, 24, { activation: 'relu' })], exit: [linear(24, 10)] },
    { body: [linear(24, 24, { activation: 'relu' })], exit: [linear(24, 10)] },
    { body: [linear(24, 24, { activation: 'relu' })], exit: [linear(24, 10)] },
  ],
});

describe('gradient norms', () => {
  /** The length of `d mean CE / d h`, which is `(softmax(z) - onehot) W / rows`, at the head of an exit. */
  function normOf(exit: number, parameters: Values): number {
    const logits = forward(parameters, x)[exit - 1]!;
    const weight = rowsOf(parameters.get(`exit${exit}.linear1.weight`)!, exit === 2 ? 6 : 5);
    const squares = logits.map((z, row) => {
      const errors = logSoftmax(z).map((log, index) => (Math.exp(log) - Number(index === labels[row])) / SAMPLES);
      const grad = weight[0]!.map((_, input) =>
        errors.reduce((sum, error, index) => sum + error * weight[index]![input]!, 0));
      return grad.reduce((sum, value) => sum + value ** 2, 0);
    });
    return Math.sqrt(squares.reduce((a, b) => a + b));
  }

  it('are those of what each head sends into the trunk', async () => {
    const options = { weights: [2, 0, 1], headGradient: [0.5, 1, 1], gradientNorms: true };
    const { parameters, grads, named } = await toyGradients(options);
    expect(named('gradient norm of exit 1')).toBeCloseTo(2 * 0.5 * normOf(1, parameters), 6);
    expect(named('gradient norm of exit 2')).toBeUndefined();
    expect(named('gradient norm of exit 3')).toBeCloseTo(normOf(3, parameters), 6);
    expect(grads).toEqual((await toyGradients({ ...options, gradientNorms: false })).grads);
  });

  it('are shown after each epoch, to those who ask', async () => {
    using model = Model.initialize(device, small, { seed: 3 });
    const shown: (readonly number[] | undefined)[] = [];
    const onEpoch = ({ gradientNorms }: EpochProgress): void => void shown.push(gradientNorms);
    await train(model, digits, { epochs: 1, onEpoch });
    await train(model, digits, { epochs: 1, onEpoch, gradientNorms: true, weights: [1, 0, 1] });
    expect(shown).toEqual([undefined, [expect.any(Number), 0, expect.any(Number)]]);
    expect(Math.min(shown[1]![0]!, shown[1]![2]!)).toBeGreaterThan(1e-3);
  });
});

describe('training by other losses', () => {
  const cost = { threshold: 0.5, softness: 0.1 };

  /** The expected cost over the data, in shares of the full network, after a training with it in the loss. */
  async function costAfter(mu: number): Promise<number> {
    using model = Model.initialize(device, small, { seed: 3 });
    await train(model, digits, {
      epochs: 8,
      batch: 20,
      optimizer: adam({ learningRate: 0.01 }),
      loss: losses.earlyExitLoss({ cost: { mu, ...cost } }),
    });
    const optimizer = sgd({ learningRate: 0, momentum: 0 });
    const loss = [losses.crossEntropies(), losses.expectedCost({ mu: 1, ...cost })];
    using step = await compileStep(model, { batch: 200, weights: [1, 1, 1], optimizer, loss });
    const all = { x: model.normalize(digits.images), y: Uint32Array.from(digits.labels) };
    const values = await step.run({ ...all, hyper: optimizer.hyper(1), seed: Uint32Array.of(1) })();
    return values[step.names.indexOf('loss term 2 (expected-cost)')]!;
  }

  it('costs the less, the more the cost weighs', async () => {
    const costs: number[] = [];
    for (const mu of [0, 0.1, 0.3, 1, 3]) costs.push(await costAfter(mu));
    expect(costs).toEqual([...costs].sort((a, b) => b - a));
    expect(costs[4]! / costs[0]!).toBeLessThan(0.9);
  });

  it('leaves alone what only an exit of weight 0 uses, whatever the terms, momentum and decay', async () => {
    using model = Model.initialize(device, small, { seed: 3 });
    const before = await model.parameters.read();
    const optimizer = sgd({ learningRate: 0.01, momentum: 0.9, weightDecay: 0.1 });
    await train(model, digits, { epochs: 1, weights: [1, 0.5, 0], loss: whole, optimizer });
    for (const [name, values] of await model.parameters.read()) {
      const same = values.every((value, index) => value === before.get(name)![index]);
      expect(same, name).toBe(/^(stage3|exit3)/.test(name));
    }
  });

  it('stops at the first value that is not finite, and names it', async () => {
    using model = Model.initialize(device, small, { seed: 3 });
    const refused = (options: TrainOptions) => expect(train(model, digits, { epochs: 1, ...options })).rejects;
    const own: LossTerm = {
      name: 'own',
      options: {},
      trace: ({ logits }) => scale({ x: sum({ x: logits[0]! }) }, { by: Infinity }),
    };
    const loss = [losses.crossEntropies(), own];
    await refused({ loss }).toThrow(/^train: the loss term 2 \(own\) became .* at step 1 \(epoch 1\)/);
    const ignored = losses.crossEntropies({ ignore: 7 });
    const sevens = { ...digits, labels: digits.labels.map(() => 7) };
    const message = 'train: the loss of exit 1 became NaN at step 1 (epoch 1)';
    await expect(train(model, sevens, { loss: [ignored] })).rejects.toThrow(message);
    await refused({ loss: [] }).toThrow('expected a loss with a term for this network and these weights, got none');
    await refused({ weights: (_, exit) => exit - 2 }).toThrow('train: expected weights of 0 or more, got -1');
    await refused({ headGradient: [1] }).toThrow('expected 3 factors for the gradients of the heads, got [1]');
  });
});
