import { describe, expect, it } from 'vitest';
import { adam, sgd } from '../../src/autograd/optimizer.ts';
import { imageAt } from '../../src/data/dataset.ts';
import { PARITY_NORMALIZATION, paritySplit } from '../../src/data/parity.ts';
import { halting } from '../../src/earlyexit/criteria.ts';
import { loadModel, saveModel } from '../../src/earlyexit/model-file.ts';
import { Model } from '../../src/earlyexit/model.ts';
import { looped } from '../../src/earlyexit/models/looped.ts';
import { multiExit } from '../../src/earlyexit/network.ts';
import type { Network } from '../../src/earlyexit/network.ts';
import { act, ponder } from '../../src/earlyexit/training/halting.ts';
import { crossEntropies } from '../../src/earlyexit/training/losses.ts';
import type { LossContext, LossTerm } from '../../src/earlyexit/training/losses.ts';
import { compileStep } from '../../src/earlyexit/training/step.ts';
import { headsOnly } from '../../src/earlyexit/training/strategies.ts';
import { train } from '../../src/earlyexit/training/train.ts';
import { Weighing } from '../../src/earlyexit/training/weighing.ts';
import { compile } from '../../src/graph/program.ts';
import type { Value } from '../../src/kernels/define.ts';
import { flatten, linear } from '../../src/nn/layers.ts';
import { Rows } from '../../src/tensor/spec.ts';
import { random } from '../op-table.ts';
import { openTestDevice } from '../open-test-device.ts';
import { actOf, crossEntropyOf, ponderOf } from './losses-oracle.ts';
import type { HaltingStep } from './losses-oracle.ts';
import { expectDerivatives, gradientsOf, rowsOf } from './step-gradients.ts';
import type { Values } from './step-gradients.ts';

const device = await openTestDevice();
const [SAMPLES, INPUT, WIDTH, STEPS, CLASSES] = [5, 4, 3, 3, 3];
const labels = [2, 0, 1, 1, 0];
const small = (kind: 'ponder' | 'act'): Network =>
  looped({ input: [1, 1, INPUT], classes: CLASSES, width: WIDTH, steps: STEPS, halting: kind, cell: 'gru' });
const geometric = [0.4, 0.24, 0.144].map((value) => value / (1 - 0.6 ** 3));

describe('losses of learned halting', () => {
  /** Of the step's own logits and chances to halt, with room for more rows than live. */
  async function valuesOf(steps: readonly HaltingStep[], kind: 'ponder' | 'act', terms: readonly LossTerm[]) {
    const rows = new Rows(SAMPLES + 2);
    // What the heads of the loop give: see `haltingStep` and `haltingHead`.
    const halted = labels.map(() => 0);
    const mean = labels.map(() => new Array<number>(CLASSES).fill(0));
    const given = steps.map(({ logits, chances }) => {
      const answers = labels.map((_, row) => {
        const now = kind === 'act' ? chances[row]! : chances[row]! * (1 - halted[row]!);
        halted[row]! += now;
        mean[row] = mean[row]!.map((value, index) => value + now * logits[row]![index]!);
        if (kind === 'ponder') return logits[row]!;
        return mean[row]!.map((value, index) => value + (1 - halted[row]!) * logits[row]![index]!);
      });
      const scores = Float32Array.from(halted, (sum) => Math.min(sum, 1));
      return { logits: Float32Array.from(answers.flat()), halted: scores };
    });
    const inputs: Record<string, Float32Array | Uint32Array> = { labels: Uint32Array.from(labels) };
    const specs: Record<string, { dtype: 'f32' | 'u32'; shape: number[]; rows: Rows }> = {
      labels: { dtype: 'u32', shape: [rows.max], rows },
    };
    given.forEach((step, index) => {
      inputs[`logits${index}`] = step.logits;
      inputs[`halted${index}`] = step.halted;
      specs[`logits${index}`] = { dtype: 'f32', shape: [rows.max, CLASSES], rows };
      specs[`halted${index}`] = { dtype: 'f32', shape: [rows.max, 1], rows };
    });
    const network = small(kind);
    const weighing = new Weighing(device, [1, 1, 1]);
    using program = await compile(device, specs, (values) => {
      const context: LossContext = {
        network,
        logits: steps.map((_, index) => values[`logits${index}`]!),
        halting: steps.map((_, index) => values[`halted${index}`]!),
        labels: values['labels']!,
        exits: weighing.exits,
        weightedSum: (of, among) => weighing.sum(of, among),
        weigh: (of, by) => weighing.term(of, by),
        parameter: () => values['labels']!,
        report: () => {},
      };
      return Object.fromEntries(terms.map((term, index): [string, Value] => [`term${index}`, term.trace(context)!]));
    });
    return Object.values(await program.call(inputs)).map((values) => values[0]!);
  }

  const logits = [1, 2, 3].map((seed) => rowsOf(random([SAMPLES, CLASSES], seed, -4, 4).data, CLASSES));
  /** Rows that never halt by themselves, at once, at the second step, and at the last. */
  const chances = [[0, 1, 0.3, 0.2, 0.5], [0, 0.4, 0.8, 0.3, 0.2], [0, 0.5, 0.1, 0.9, 0.6]];
  const steps = logits.map((of, index): HaltingStep => ({ logits: of, chances: chances[index]! }));
  const near = (got: number, wanted: number): void =>
    expect(Math.abs(got - wanted)).toBeLessThan(1e-6 * Math.max(1, Math.abs(wanted)));

  it('ponder has the value of its formula', async () => {
    const terms = [ponder({ beta: 0.3, prior: 0.4 }), ponder({ beta: 0.3, prior: 'uniform' }), ponder({ beta: 0 })];
    const [first, uniform, alone] = await valuesOf(steps, 'ponder', terms);
    near(first!, ponderOf(steps, labels, { beta: 0.3, priors: geometric }));
    near(uniform!, ponderOf(steps, labels, { beta: 0.3, priors: [1 / 3, 1 / 3, 1 / 3] }));
    near(alone!, ponderOf(steps, labels, { beta: 0, priors: geometric }));
  });

  it('act has the value of its formula', async () => {
    const settings = [{ tau: 0.2, epsilon: 0.01 }, { tau: 0, epsilon: 0.3 }];
    const got = await valuesOf(steps, 'act', settings.map(act));
    settings.forEach((options, index) => near(got[index]!, actOf(steps, labels, options)));
  });

  it('refuse options out of range, and networks without halting', async () => {
    expect(() => ponder({ beta: NaN })).toThrow('ponder: expected a finite beta, got NaN');
    expect(() => ponder({ prior: 1 })).toThrow('ponder: expected a prior between 0 and 1, or uniform, got 1');
    expect(() => act({ tau: Infinity })).toThrow('act: expected a finite tau, got Infinity');
    expect(() => act({ epsilon: 0 })).toThrow('act: expected an epsilon between 0 and 1, got 0');
    const stages = [{ body: [flatten()], exit: [linear(INPUT, CLASSES)] }];
    const plain = multiExit({ name: 'plain', input: [1, 1, INPUT], classes: CLASSES, stages });
    using model = Model.initialize(device, plain, { seed: 1 });
    const options = { batch: SAMPLES, weights: [1], optimizer: sgd() };
    const message = 'expected a network with halting, such as looped(), got plain';
    await expect(compileStep(model, { ...options, loss: [ponder()] })).rejects.toThrow(`ponder: ${message}`);
    await expect(compileStep(model, { ...options, loss: [act()] })).rejects.toThrow(`act: ${message}`);
  });
});

const x = Float32Array.from(random([SAMPLES, INPUT], 9, -2, 2).data);
const y = Uint32Array.from(labels);

const sigmoid = (value: number): number => 1 / (1 + Math.exp(-value));

/** The steps of the loop in double precision. */
function loopOf(parameters: Values): HaltingStep[] {
  const dense = (name: string, input: readonly number[], activate: (value: number) => number): number[] => {
    const bias = parameters.get(`${name}.bias`)!;
    const weight = rowsOf(parameters.get(`${name}.weight`)!, input.length);
    return weight.map((row, out) => activate(row.reduce((sum, value, at) => sum + value * input[at]!, bias[out]!)));
  };
  const body = 'stage1.haltingStep1';
  let states = labels.map(() => new Array<number>(WIDTH).fill(0));
  const inputs = rowsOf(x, INPUT);
  return Array.from({ length: STEPS }, () => {
    states = states.map((state, row) => {
      const gates = dense(`${body}.block.gru1.gates`, [...state, ...inputs[row]!], sigmoid);
      const reset = state.map((value, index) => gates[index]! * value);
      const candidate = dense(`${body}.block.gru1.candidate`, [...reset, ...inputs[row]!], Math.tanh);
      const keep = gates.slice(WIDTH);
      return state.map((value, index) => keep[index]! * value + (1 - keep[index]!) * candidate[index]!);
    });
    return {
      logits: states.map((state) => dense('exit1.haltingHead1', state, (value) => value)),
      chances: states.map((state) => dense(`${body}.halt`, state, sigmoid)[0]!),
    };
  });
}

describe('gradients of a loop', () => {
  const weights = [0.3, 0, 0.7];
  const cases = {
    ponder: {
      loss: ponder({ beta: 0.5, prior: 0.4 }),
      oracle: (steps: HaltingStep[]) => ponderOf(steps, labels, { beta: 0.5, priors: geometric }),
    },
    act: {
      loss: act({ tau: 0.2, epsilon: 0.3 }),
      oracle: (steps: HaltingStep[]) => actOf(steps, labels, { tau: 0.2, epsilon: 0.3 }),
    },
  };

  it.each(['ponder', 'act'] as const)('agree with finite differences, %s', async (kind) => {
    const { loss, oracle } = cases[kind];
    using model = Model.initialize(device, small(kind), { seed: 5 });
    // Beside the cross-entropies of the exits, which for `act` are other ones than in the oracle.
    const terms = kind === 'ponder' ? [loss, crossEntropies()] : [loss];
    const { parameters, grads, total } = await gradientsOf(model, { x, y }, { loss: terms, weights });
    const lossOf = (values: Values): number => {
      const steps = loopOf(values);
      const plain = steps.reduce((sum, { logits }, index) => sum + weights[index]! * crossEntropyOf(logits, labels), 0);
      return oracle(steps) + (kind === 'ponder' ? plain : 0);
    };
    expect(total).toBeCloseTo(lossOf(parameters), 5);
    expect([...grads.keys()].every((name) => /^(stage1|exit1)\./.test(name))).toBe(true);
    expectDerivatives(grads, parameters, lossOf);
  });

  it('are, where stages share parameters, the sums of those of stages that do not', async () => {
    const network = (shared: boolean): Network => {
      const block = { body: [linear(INPUT, INPUT, { activation: 'tanh' })], exit: [linear(INPUT, CLASSES)] };
      const again = { ...block, ...(shared && { bodyOf: 2, exitOf: 1 }) };
      const second = { ...block, ...(shared && { exitOf: 1 }) };
      const stages = [{ body: [flatten()], exit: block.exit }, second, again, again];
      return multiExit({ name: 'net', input: [1, 1, INPUT], classes: CLASSES, stages });
    };
    using tied = Model.initialize(device, network(true), { seed: 2 });
    using untied = Model.initialize(device, network(false), { seed: 2 });
    const values = await tied.parameters.read();
    expect([...values.keys()].map((name) => name.split('.')[0])).toEqual(['stage2', 'stage2', 'exit1', 'exit1']);
    const { parts } = tied.network;
    const ownerOf = (name: string): string =>
      name.replace(/^(stage|exit)(\d)/, (_, kind, stage) => parts[stage - 1]![kind === 'exit' ? 'exit' : 'body']);
    for (const [name, tensor] of untied.parameters.tensors) tensor.write(values.get(ownerOf(name))!);
    const options = { loss: [crossEntropies()], weights: [1, 0.5, 2, 1] };
    const [sum, each] = [await gradientsOf(tied, { x, y }, options), await gradientsOf(untied, { x, y }, options)];
    expect(sum.total).toBeCloseTo(each.total, 5);
    for (const [name, grad] of sum.grads) {
      const parts = [...each.grads].filter(([other]) => ownerOf(other) === name);
      expect(parts.length).toBeGreaterThan(1);
      grad.forEach((value, index) => {
        expect(value, name).toBeCloseTo(parts.reduce((total, [, part]) => total + part[index]!, 0), 5);
      });
    }
    expect(tied.network.macs).toEqual(untied.network.macs);
  });
});

it('the head that steps share is that of each of them to a strategy', () => {
  const names = Object.keys(small('ponder').parameters);
  const [phase] = headsOnly({ exits: [3] })(small('ponder'), 1);
  expect(names.filter(phase!.trains!)).toEqual(['exit1.haltingHead1.weight', 'exit1.haltingHead1.bias']);
});

describe.each(['ponder', 'act'] as const)('a loop with %s', (kind) => {
  const { train: data, test } = paritySplit({ bits: 4, seed: 1, heldOut: 0.2 });
  const cell = kind === 'act' ? 'gru' : 'mlp';
  const network = looped({ input: [1, 1, 4], classes: 2, width: 12, steps: STEPS, halting: kind, cell });
  const build = (): Model => Model.initialize(device, network, { seed: 1, normalization: PARITY_NORMALIZATION });

  it('loses less and less', async () => {
    using model = build();
    const shown: number[] = [];
    await train(model, data, {
      epochs: 4,
      batch: data.labels.length,
      loss: [kind === 'ponder' ? ponder() : act()],
      optimizer: adam({ learningRate: 0.02 }),
      onEpoch: ({ loss }) => void shown.push(loss),
    });
    expect(shown.at(-1)).toBeLessThan(shown[0]! - 0.01);
  });

  it('stops at several steps, answers there as if cut off, alone as in a batch, and when it was saved', async () => {
    using model = build();
    const batch = test.labels.length;
    // Fresh weights halt with a chance of about a half: after the second step near 0.75, or near 1.
    const criterion = halting(kind === 'act' ? 0.99 : 0.75);
    using batched = await model.compile({ criterion, batch, policy: 'gated' });
    const answers = [...(await batched.classifyBatch(test.images, { scores: true }))];
    expect(new Set(answers.map(({ exit }) => exit)).size).toBeGreaterThan(1);

    using single = await model.compile({ criterion });
    const images = answers.map((_, index) => imageAt(test, index));
    expect(await Promise.all(images.map((image) => single.classify(image, { scores: true })))).toEqual(answers);
    for (const exit of [1, 2, 3]) {
      using cut = await model.compile({ exits: [exit], batch });
      const there = await cut.classifyBatch(test.images, { scores: true });
      answers.forEach((answer, index) => answer.exit === exit && expect(there[index]).toEqual(answer));
    }
    using loaded = loadModel(device, await saveModel(model));
    using again = await loaded.compile({ criterion, batch });
    expect([...(await again.classifyBatch(test.images, { scores: true }))]).toEqual(answers);
  });
});
