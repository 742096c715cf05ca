import { describe, expect, it } from 'vitest';
import { adam, sgd } from '../../src/autograd/optimizer.ts';
import { proceduralDigits } from '../../src/data/procedural-digits.ts';
import { addGates } from '../../src/earlyexit/add-gates.ts';
import { entropy, gate } from '../../src/earlyexit/criteria.ts';
import { GATE_GAIN, learnedGate, withGates } from '../../src/earlyexit/gates.ts';
import { scoreExits } from '../../src/earlyexit/judgement/scores.ts';
import { exitShares, replay } from '../../src/earlyexit/judgement/thresholds.ts';
import { loadModel, saveModel } from '../../src/earlyexit/model-file.ts';
import { Model } from '../../src/earlyexit/model.ts';
import { macsToExit, multiExit } from '../../src/earlyexit/network.ts';
import { gatedCrossEntropies, learnedGates } from '../../src/earlyexit/training/gates.ts';
import type { LossTerm } from '../../src/earlyexit/training/losses.ts';
import { compileStep } from '../../src/earlyexit/training/step.ts';
import { gatesOnly, headsOnly, jointGates, separate } from '../../src/earlyexit/training/strategies.ts';
import { train } from '../../src/earlyexit/training/train.ts';
import type { TrainOptions } from '../../src/earlyexit/training/train.ts';
import { flatten, linear, maxPool2d } from '../../src/nn/layers.ts';
import { random } from '../op-table.ts';
import { openTestDevice } from '../open-test-device.ts';
import * as oracle from './losses-oracle.ts';
import type { GateValues, Logits } from './losses-oracle.ts';
import { expectDerivatives, forward, gradientsOf, toy as ungated } from './step-gradients.ts';
import type { Values } from './step-gradients.ts';

const device = await openTestDevice();

const SAMPLES = 6;
const toy = withGates(ungated);
const x = Float32Array.from(random([SAMPLES, 4], 9, -2, 2).data);
const labels = [2, 0, 3, 1, 0, 2];
const y = Uint32Array.from(labels);

const gatesIn = (parameters: Values, among = [1, 2]): GateValues[] =>
  among.map((exit) => ({
    weight: Array.from(parameters.get(`gate${exit}.weight`)!, (value) => GATE_GAIN * value),
    bias: GATE_GAIN * parameters.get(`gate${exit}.bias`)![0]!,
  }));

/** Of the toy with gates that are far from 0 and from 1. */
async function toyGradients(loss: readonly LossTerm[], weights: readonly number[]) {
  using model = Model.initialize(device, toy, { seed: 5 });
  for (const [name, tensor] of model.parameters.tensors) {
    if (name.startsWith('gate')) tensor.write(Float32Array.from(random(tensor.shape, name.length, -0.15, 0.15).data));
  }
  return await gradientsOf(model, { x, y }, { loss, weights });
}

const costs = toy.macs.toExit.map((macs) => macs / toy.macs.full);
const targetsAt = (exits: readonly Logits[], mu: number): number[][] =>
  oracle.gateTargetsOf(exits, labels, costs.map((cost) => mu * cost));

describe('the losses of gates', () => {
  it('have the values of their formulas', async () => {
    const mus = [0, 0.2, 50];
    const smoothed = gatedCrossEntropies({ smoothing: 0.1 });
    const loss = [gatedCrossEntropies(), smoothed, ...mus.map((mu) => learnedGates({ mu }))];
    const weights = [0.5, 1, 2];
    const { parameters, named } = await toyGradients(loss, weights);
    const exits = forward(parameters, x);
    const gates = gatesIn(parameters);
    const chances = oracle.exitChancesOf(exits, gates);
    const odds = gates.map((each, index) => oracle.gateOddsOf(exits[index]!, each));
    const headsLoss = (smoothing: number): number => exits.reduce((sum, logits, index) =>
      sum + weights[index]! * oracle.chancedCrossEntropyOf(logits, labels, chances[index]!, { smoothing }), 0);
    const close = (name: string, wanted: number): void => {
      expect(Math.abs(named(name)! - wanted), `${name}: ${wanted}`).toBeLessThan(1e-6 * Math.max(1, wanted));
    };
    close('loss term 1 (gated-cross-entropies)', headsLoss(0));
    close('loss term 2 (gated-cross-entropies)', headsLoss(0.1));
    mus.forEach((mu, index) =>
      close(`loss term ${index + 3} (learned-gates)`, oracle.gatesLossOf(odds, targetsAt(exits, mu))));
    exits.forEach((logits, index) => close(`loss of exit ${index + 1}`, oracle.crossEntropyOf(logits, labels)));
    // Rows that should leave at either exit and rows that should not, so that the targets are seen to be those.
    expect(new Set(targetsAt(exits, 0).flat())).toEqual(new Set([0, 1]));
    expect(targetsAt(exits, 50).flat()).not.toContain(0);
  });

  it('are as if exits of weight 0 were not built', async () => {
    const loss = [gatedCrossEntropies(), learnedGates({ mu: 0.2 })];
    const { parameters, grads, named } = await toyGradients(loss, [1, 0, 1]);
    const [first, , third] = forward(parameters, x);
    const built = [1, 3].map((exit) => (0.2 * macsToExit(toy.macs, exit, [1, 3])) / toy.macs.full);
    const odds = [oracle.gateOddsOf(first!, gatesIn(parameters)[0]!)];
    const wanted = oracle.gatesLossOf(odds, oracle.gateTargetsOf([first!, third!], labels, built));
    expect(named('loss term 2 (learned-gates)')).toBeCloseTo(wanted, 6);
    const [leave, stay] = oracle.exitChancesOf([first!, third!], gatesIn(parameters, [1]));
    const heads = [first!, third!].map((logits, index) =>
      oracle.chancedCrossEntropyOf(logits, labels, [leave!, stay!][index]!));
    expect(named('loss term 1 (gated-cross-entropies)')).toBeCloseTo(heads[0]! + heads[1]!, 6);
    expect(grads.get('gate2.weight')!.every((grad) => grad === 0)).toBe(true);
    const alone = await toyGradients([...loss], [0, 0, 1]);
    expect(alone.named('total loss')).toBeCloseTo(oracle.crossEntropyOf(third!, labels), 6);
  });

  it.each([false, true])('agree with finite differences, gates into heads: %s', async (intoHeads) => {
    const [mu, weights] = [0.2, [0.3, 0.7, 1.5]];
    const loss = [gatedCrossEntropies({ smoothing: 0.1 }), learnedGates({ mu, intoHeads })];
    const { parameters, grads, named } = await toyGradients(loss, weights);
    // Constants of the loss: targets, chances and, unless the gates reach the heads, what the gates look at.
    const before = forward(parameters, x);
    const targets = targetsAt(before, mu);
    const chances = oracle.exitChancesOf(before, gatesIn(parameters));
    const lossOf = (given: Values): number => {
      const exits = forward(given, x);
      const odds = gatesIn(given).map((each, index) => oracle.gateOddsOf((intoHeads ? exits : before)[index]!, each));
      return exits.reduce((sum, logits, index) => {
        const crossEntropy = oracle.chancedCrossEntropyOf(logits, labels, chances[index]!, { smoothing: 0.1 });
        return sum + weights[index]! * crossEntropy;
      }, oracle.gatesLossOf(odds, targets));
    };
    expect(named('total loss')).toBeCloseTo(lossOf(parameters), 5);
    expectDerivatives(grads, parameters, lossOf);
  });

  it('hold for gates that are sure of themselves', async () => {
    using model = Model.initialize(device, toy, { seed: 5 });
    for (const exit of [1, 2]) model.parameters.get(`gate${exit}.bias`).write(Float32Array.of(exit === 1 ? 50 : -50));
    const optimizer = sgd({ learningRate: 1, momentum: 0 });
    const loss = [learnedGates({ mu: 1e6 })];
    using step = await compileStep(model, { batch: SAMPLES, weights: [1, 1, 1], optimizer, loss });
    const inputs = { x, y, hyper: optimizer.hyper(1), seed: Uint32Array.of(1) };
    const results = await step.run(inputs)();
    // All should leave at exit 1: nothing to learn for its gate, 500 nats for the other, pulled with full strength.
    expect(results.at(-1)).toBeCloseTo(250, 3);
    const [first, second] = await Promise.all([1, 2].map((exit) => model.parameters.get(`gate${exit}.bias`).read()));
    expect(first![0]).toBe(50);
    expect(second![0]).toBeCloseTo(GATE_GAIN / 2 - 50, 4);
  });
});

const digits = proceduralDigits({ count: 240, seed: 2, difficulty: 0 });
const small = multiExit({
  name: 'small',
  input: [1, 28, 28],
  classes: 10,
  stages: [
    { body: [maxPool2d({ kernel: 4 }), flatten(), linear(49, 10, { activation: 'relu' })], exit: [linear(10, 10)] },
    { body: [linear(10, 48, { activation: 'relu' })], exit: [linear(48, 10)] },
    { body: [linear(48, 48, { activation: 'relu' })], exit: [linear(48, 10)] },
  ],
});
const gated = withGates(small);
const optimizer = adam({ learningRate: 0.03 });

/** The bytes of a model trained together with its gates. */
const trained = (async () => {
  using model = Model.initialize(device, gated, { seed: 3 });
  await train(model, digits, { epochs: 12, batch: 40, optimizer, strategy: jointGates({ mu: 0.5 }) });
  expect(model.training).toMatchObject({
    strategy: 'jointGates',
    loss: [{ name: 'cross-entropies' }, { name: 'learned-gates', mu: 0.5 }, { name: 'gated-cross-entropies' }],
    phases: [{ name: 'warm-up', epochs: 6 }, { name: 'gated', epochs: 6 }],
  });
  return saveModel(model);
})();

describe('learned gates', () => {
  it('stop samples early, through the scheduler, where recorded scores say so', async () => {
    using model = loadModel(device, await trained);
    const criterion = await learnedGate(model);
    const table = await scoreExits(model, digits);
    const wanted = [...replay(table, criterion)].map((index) => index + 1);
    for (const policy of ['readback', 'gated'] as const) {
      using classifier = await model.compile({ policy, batch: 48 });
      expect(classifier.criterion).toEqual(criterion);
      const answers = await classifier.classifyBatch(digits.images);
      expect(answers.map(({ exit }) => exit), policy).toEqual(wanted);
    }
    for (const exit of [1, 2]) expect(wanted.filter((each) => each === exit).length).toBeGreaterThan(20);
    using single = await model.compile({ policy: 'gated', count: true });
    for (const exit of new Set(wanted)) {
      const at = wanted.indexOf(exit);
      const pixels = digits.images.subarray(784 * at, 784 * (at + 1));
      const { trace, ...answer } = await single.classify(pixels, { trace: true });
      expect(answer.exit).toBe(exit);
      expect(trace!.reached!.map((invocations) => invocations > 0)).toEqual([1, 2, 3].map((stage) => stage <= exit));
    }
  });

  it('let more leave early, and cost less, the more the cost weighs', async () => {
    const bytes = await trained;
    const costs: number[] = [];
    for (const mu of [0.1, 0.2, 0.5, 2, 8]) {
      using model = loadModel(device, bytes);
      const fast = { epochs: 20, batch: 240, optimizer: adam({ learningRate: 0.05 }) };
      await train(model, digits, { ...fast, strategy: gatesOnly({ mu }) });
      const shares = exitShares(await scoreExits(model, digits), await learnedGate(model));
      costs.push(shares.reduce((sum, share, index) => sum + share * gated.macs.toExit[index]!, 0));
    }
    expect(costs).toEqual([...costs].sort((a, b) => b - a));
    expect(costs[0]! / costs[4]!).toBeGreaterThan(1.5);
  });

  it('are trained where a strategy trains their exit, and leave the bits of the rest', async () => {
    /** Parts of the model that a training changes. */
    async function changedBy(options: TrainOptions): Promise<string[]> {
      using model = loadModel(device, await trained);
      const before = await model.parameters.read();
      await train(model, digits, { epochs: 1, batch: 120, optimizer, ...options });
      const after = await model.parameters.read();
      const names = [...after.keys()].filter((name) =>
        after.get(name)!.some((value, at) => value !== before.get(name)![at]));
      return [...new Set(names.map((name) => name.split('.')[0]!))];
    }
    const loss = [gatedCrossEntropies(), learnedGates({ mu: 0.1 })];
    const trunk = ['stage1', 'stage2', 'stage3'];
    expect(await changedBy({ strategy: gatesOnly({ mu: 0.1 }) })).toEqual(['gate1', 'gate2']);
    expect(await changedBy({ strategy: headsOnly({ exits: [2] }), loss })).toEqual(['exit2', 'gate2']);
    expect(await changedBy({ strategy: separate(), loss, epochs: 2 }))
      .toEqual([...trunk, 'exit1', 'exit2', 'exit3', 'gate1', 'gate2']);
    expect(await changedBy({ weights: [0, 0, 1], loss })).toEqual([...trunk, 'exit3']);
    expect(await changedBy({})).toEqual([...trunk, 'exit1', 'exit2', 'exit3']);
  });

  it('go into a model file and come back', async () => {
    using model = loadModel(device, await trained);
    const { gates } = await learnedGate(model);
    expect(model.network.gates).toBe(true);
    expect(gates).toHaveLength(2);
    expect(gates[0]).not.toEqual(gates[1]);
    using again = loadModel(device, await saveModel(model));
    expect(await learnedGate(again, 0.7)).toEqual(gate(gates, 0.7));
    expect(again.training).toEqual(model.training);
  });

  it('give way to stored thresholds, and to a criterion given', async () => {
    using model = loadModel(device, await trained);
    const chosenOn = { dataset: 'digits', fingerprint: '0', samples: 1 };
    const achieved = { accuracy: 1, accuracyFull: 1, shares: [1, 0, 0] };
    model.thresholds = { criterion: 'margin', values: [0.3, 0.4], chosenOn, maxAccuracyLoss: 0, achieved };
    using stored = await model.compile();
    expect(stored.criterion).toMatchObject({ kind: 'margin', thresholds: [0.3, 0.4] });
    using given = await model.compile({ criterion: entropy(0.1) });
    expect(given.criterion).toMatchObject({ kind: 'entropy' });
    using last = await model.compile({ exits: [3] });
    expect(last.exits).toEqual([3]);
  });

  it('are added to a model that has none, and let nobody leave before they have learned', async () => {
    using without = Model.initialize(device, small, { seed: 3 });
    using model = await addGates(without);
    expect(model.network.gates).toBe(true);
    expect((await scoreExits(model, digits)).exits).toEqual((await scoreExits(without, digits)).exits);
    using classifier = await model.compile({ batch: 240 });
    const answers = await classifier.classifyBatch(digits.images);
    expect(new Set(answers.map(({ exit }) => exit))).toEqual(new Set([3]));
  });

  it('cost parameters, but no multiply-accumulates', () => {
    expect(gated.macs).toEqual(small.macs);
    expect(Object.keys(gated.parameters).filter((name) => !(name in small.parameters))).toEqual(
      [1, 2].flatMap((exit) => [`gate${exit}.weight`, `gate${exit}.bias`]));
    expect(gated.parameters['gate1.weight']!.shape).toEqual([1, 3]);
    expect(Object.keys(withGates(gated).parameters)).toEqual(Object.keys(gated.parameters));
  });

  it('are refused where there are none', async () => {
    const lone = { name: 'lone', input: [1, 28, 28], classes: 10, stages: [small.stages[0]!] } as const;
    expect(() => withGates(multiExit(lone))).toThrow('lone: expected two exits or more to have gates between, got one');
    const halting = { ...small, gates: true, halting: true };
    expect(() => multiExit(halting)).toThrow('small: expected gates or halting scores, which both say where to leave');
    using model = Model.initialize(device, small, { seed: 3 });
    const without = 'expected a network with gates, got small, which has none; see withGates';
    await expect(learnedGate(model)).rejects.toThrow(`learnedGate: ${without}`);
    const refused = (options: TrainOptions) => expect(train(model, digits, { epochs: 2, ...options })).rejects;
    await refused({ loss: [learnedGates({ mu: 1 })] }).toThrow(`learnedGates: ${without}`);
    await refused({ loss: [gatedCrossEntropies()] }).toThrow(`gatedCrossEntropies: ${without}`);
    await refused({ strategy: jointGates({ mu: 1 }) }).toThrow(`jointGates: ${without}`);
    await refused({ strategy: gatesOnly({ mu: 1 }) }).toThrow(`gatesOnly: ${without}`);
    for (const mu of [-1, NaN, Infinity]) {
      expect(() => learnedGates({ mu })).toThrow(`learnedGates: expected a mu of 0 or more, got ${mu}`);
    }
    using other = Model.initialize(device, gated, { seed: 3 });
    await expect(learnedGate(other, 1)).rejects.toThrow('gate: expected a threshold between 0 and 1, got 1');
    other.parameters.get('gate2.bias').write(Float32Array.of(NaN));
    await expect(other.compile()).rejects.toThrow('gate: expected finite numbers');
  });
});
