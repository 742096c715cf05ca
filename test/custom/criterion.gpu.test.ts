import { afterAll, describe, expect, it } from 'vitest';
import { wgslCriterion, wgslExitKernel } from '../../src/custom/index.ts';
import { proceduralDigits } from '../../src/data/procedural-digits.ts';
import type { Classifier, ClassifierOptions, Prediction } from '../../src/earlyexit/classifier.ts';
import { and, confidence, entropy, minDepth } from '../../src/earlyexit/criteria.ts';
import { ruleOf } from '../../src/earlyexit/criterion-steps.ts';
import { scoreExits } from '../../src/earlyexit/judgement/scores.ts';
import { Model } from '../../src/earlyexit/model.ts';
import { ArgumentError, GpuError } from '../../src/errors.ts';
import { compile } from '../../src/graph/program.ts';
import { Rows } from '../../src/tensor/spec.ts';
import { openTestDevice } from '../open-test-device.ts';
import { ENERGY_KERNEL, ENTROPY, OWN_KERNEL, threeExits } from './texts.ts';

const device = await openTestDevice();
const COUNT = 40;
const digits = proceduralDigits({ count: COUNT, seed: 3 });
const PIXELS = 28 * 28;

/** How often the device was asked for a pipeline. */
let pipelines = 0;
const create = device.gpu.createComputePipelineAsync.bind(device.gpu);
device.gpu.createComputePipelineAsync = (descriptor) => {
  pipelines++;
  return create(descriptor);
};

/** Of a network of so many classes: the model, its samples, and an entropy that half of the rows are below, per exit. */
async function prepare(classes: number) {
  const model = Model.initialize(device, threeExits(classes), { seed: 5 });
  afterAll(() => model.dispose());
  const table = await scoreExits(model, digits, { batch: 32 });
  const middle = (exit: number): number => table.exits[exit]!.map((row) => row.entropy).sort((a, b) => a - b)[COUNT / 2]!;
  return { model, samples: model.normalize(digits.images), halves: [middle(0), middle(1)] as const };
}
const narrow = await prepare(10);
const wide = await prepare(300);
const { model, samples, halves } = narrow;
const [first, second] = halves;

async function answers(classifier: Classifier, input: Float32Array): Promise<Prediction[]> {
  if (classifier.batch > 1) return classifier.classifyBatch(input, { scores: true });
  const all: Prediction[] = [];
  for (let at = 0; at < input.length; at += PIXELS) all.push(await classifier.classify(input.slice(at, at + PIXELS), { scores: true }));
  return all;
}

const exitsOf = (predictions: readonly Prediction[]): number[] => predictions.map(({ exit }) => exit);

/** Both classifiers give the same records, and rows leave at every exit. */
async function expectSame(options: ClassifierOptions, { model, samples, halves }: typeof narrow): Promise<void> {
  const { batch = 1, policy } = options;
  using own = await model.compile(options);
  using built = await model.compile({ criterion: entropy(...halves), batch, ...(policy && { policy }) });
  const got = await answers(own, samples);
  expect(got).toEqual(await answers(built, samples));
  expect(new Set(exitsOf(got))).toEqual(new Set([1, 2, 3]));
}

/** log sum exp of the logits of an exit, in double precision. */
async function energiesAt(exit: number): Promise<number[]> {
  const { network, context } = model;
  const spec = { dtype: 'f32', shape: [COUNT, 1, 28, 28], rows: new Rows(COUNT) } as const;
  using program = await compile(device, { x: spec }, ({ x }) => {
    let value = x;
    for (let stage = 1; stage <= exit; stage++) value = network.body(stage, value, context);
    return { logits: network.exit(exit, value, context) };
  });
  const logits = (await program.call({ x: samples })).logits as Float32Array;
  return Array.from({ length: COUNT }, (_, row) => {
    const sum = logits.slice(row * 10, (row + 1) * 10).reduce((total, logit) => total + Math.exp(logit), 0);
    return Math.log(sum);
  });
}

const entropyText = await wgslCriterion(ENTROPY, [{ threshold: first }, { threshold: second }]);

describe('a criterion in WGSL that says what a built-in one does', () => {
  // One row; checked and regrouped in one launch; regrouped by a launch of its own.
  it.each([1, 16, 100])('gives the same bits, in batches of %i', (batch) => expectSame({ criterion: entropyText, batch }, narrow));

  it.each(['gated', 'overlap'] as const)('under policy %s', async (policy) => {
    for (const batch of [1, 16]) await expectSame({ criterion: entropyText, batch, policy }, narrow);
  });

  it.each([1, 16])('where a workgroup shares a row, in batches of %i', async (batch) => {
    const [one, two] = wide.halves;
    const criterion = entropyText.with([{ threshold: one }, { threshold: two }]);
    await expectSame({ criterion, batch }, wide);
  });
});

describe('parameters', () => {
  it('are live: other values compile nothing', async () => {
    using classifier = await model.compile({ criterion: entropyText, batch: 16 });
    await answers(classifier, samples);
    const before = pipelines;
    expect(before).toBeGreaterThan(0);
    for (const [thresholds, exits] of [[[20, 0], [1]], [[0, 20], [2]], [[0, 0], [3]]] as const) {
      classifier.setCriterion(entropyText.with(thresholds.map((threshold) => ({ threshold }))));
      expect(new Set(exitsOf(await answers(classifier, samples)))).toEqual(new Set(exits));
    }
    classifier.setCriterion(entropyText.with({ threshold: first }));
    using built = await model.compile({ criterion: entropy(first), batch: 16 });
    const compiled = pipelines;
    expect(await answers(classifier, samples)).toEqual(await answers(built, samples));
    expect([before, compiled]).toEqual([before, pipelines]);
  });

  it('of every kind arrive: vectors, arrays, integers', async () => {
    const text = `
      struct Params { weights: vec3f, exits: array<i32, 3>, least: u32, above: f32 }
      fn leave(s: ExitScores, p: Params) -> bool {
        let score = dot(p.weights, vec3f(s.confidence, s.margin, s.entropy));
        return p.exits[1] == -7 && s.exit >= p.least && s.classes == 10 && score > p.above;
      }`;
    const criterion = await wgslCriterion(text, { weights: [1, 0, 0], exits: [0, -7, 0], least: 2, above: 0.105 });
    using classifier = await model.compile({ criterion, batch: 16 });
    using built = await model.compile({ criterion: minDepth(2, confidence(0.105)), batch: 16 });
    expect(await answers(classifier, samples)).toEqual(await answers(built, samples));
    classifier.setCriterion(criterion.with({ weights: [1, 0, 0], exits: [0, 7, 0], least: 2, above: 0 }));
    expect(new Set(exitsOf(await answers(classifier, samples)))).toEqual(new Set([3]));
  });

  it('may be none', async () => {
    const criterion = await wgslCriterion('fn leave(s: ExitScores) -> bool { return s.exit == 2; }');
    for (const batch of [1, 16]) {
      using classifier = await model.compile({ criterion, batch });
      expect(new Set(exitsOf(await answers(classifier, samples)))).toEqual(new Set([2]));
    }
  });
});

it('temperatures go with it, and stay with other values', async () => {
  const temperatures = [0.5, 2, 1];
  const criterion = { ...entropyText, temperatures }.with({ threshold: first });
  using classifier = await model.compile({ criterion, batch: 16 });
  using built = await model.compile({ criterion: { ...entropy(first), temperatures }, batch: 16 });
  expect(await answers(classifier, samples)).toEqual(await answers(built, samples));
});

it('the exits before are known: streak and change', async () => {
  const criterion = await wgslCriterion('fn leave(s: ExitScores) -> bool { return s.streak >= 2 && s.change < 1.0; }');
  using classifier = await model.compile({ criterion, batch: 16 });
  using built = await model.compile({ criterion: { kind: 'patience', exits: 2 }, batch: 16 });
  expect(await answers(classifier, samples)).toEqual(await answers(built, samples));
});

it('rows that are not finite never get to `leave`', async () => {
  const criterion = await wgslCriterion('fn leave(s: ExitScores) -> bool { return true; }');
  const poisoned = samples.slice(0, 3 * PIXELS);
  poisoned[PIXELS + 400] = NaN;
  for (const batch of [1, 3]) {
    using classifier = await model.compile({ criterion, batch });
    const got = await answers(classifier, poisoned);
    expect(exitsOf(got)).toEqual([1, 3, 1]);
    expect(got.map(({ finite }) => finite)).toEqual([true, false, true]);
  }
});

it.each([
  ['another type', 's.entropy < p.threshold', 's.exit < p.threshold'],
  ['another member', 's.entropy < p.threshold', 's.entropie < p.threshold'],
  ['a number for an answer', 's.entropy < p.threshold', 's.entropy - p.threshold'],
])('what only the compiler of the GPU can tell names the line of the text: %s', async (_, from, to) => {
  expect(ENTROPY).toContain(from);
  const criterion = await wgslCriterion(ENTROPY.replace(from, to), { threshold: 1 });
  const before = device.memory;
  await expect(model.compile({ criterion })).rejects.toThrow(GpuError);
  await expect(model.compile({ criterion })).rejects.toThrow(/^criterion:6: [^\n]+$/);
  expect(device.memory).toEqual(before);
});

it('a criterion belongs to the classifiers it was compiled into, whole', async () => {
  using classifier = await model.compile({ criterion: entropyText });
  using built = await model.compile({ criterion: entropy(first) });
  const other = await wgslCriterion(ENTROPY, { threshold: 1 });
  const expected = 'criterion: expected the criterion in WGSL that is linked into the kernels, or its with(), got another';
  expect(() => classifier.setCriterion(other)).toThrow(expected);
  expect(() => classifier.setCriterion(entropy(1))).toThrow(expected);
  expect(() => built.setCriterion(other)).toThrow('criterion: expected a built-in criterion, got one in WGSL; compile a classifier with it');
  expect(() => classifier.setCriterion(entropyText.with([{ threshold: 1 }, { threshold: 1 }, { threshold: 1 }]))).toThrow(
    'wgsl: expected 2 sets of values, one per exit but the last, or one for all; got 3',
  );
  expect(() => built.setCriterion(and(other, entropy(1)))).toThrow('and: expected built-in criteria, got one in WGSL');
  expect(() => ruleOf(other, 1, 10)).toThrow(ArgumentError);
});

describe('an exit kernel of one\'s own', () => {
  it.each([1, 16, 100])('decides by a built-in criterion, in batches of %i', async (batch) => {
    const exitKernel = await wgslExitKernel(OWN_KERNEL);
    await expectSame({ exitKernel, criterion: entropy(...halves), batch }, narrow);
    await expectSame({ exitKernel, criterion: entropy(...halves), batch, policy: 'gated' }, narrow);
  });

  it('decides by a criterion in WGSL that is linked into it', async () => {
    const exitKernel = await wgslExitKernel(OWN_KERNEL, { criterion: entropyText });
    const criterion = exitKernel.criterion([{ threshold: first }, { threshold: second }]);
    await expectSame({ exitKernel, criterion, batch: 16 }, narrow);
    await expectSame({ criterion, batch: 1 }, narrow);
    await expect(model.compile({ exitKernel, criterion: entropy(1) })).rejects.toThrow(ArgumentError);
  });

  it('decides by a score of its own, with live parameters', async () => {
    const exitKernel = await wgslExitKernel(ENERGY_KERNEL);
    const criterion = exitKernel.criterion({ energy: 1e30 });
    using last = await model.compile({ exits: [3], batch: 16 });
    using classifier = await model.compile({ exitKernel, criterion, batch: 16 });
    expect(await answers(classifier, samples)).toEqual(await answers(last, samples));
    classifier.setCriterion(criterion.with({ energy: -1e30 }));
    using cut = await model.compile({ exits: [1], batch: 16 });
    expect(await answers(classifier, samples)).toEqual(await answers(cut, samples));
    const energies = await energiesAt(1);
    const ascending = energies.toSorted((a, b) => a - b);
    const energy = (ascending[COUNT / 2 - 1]! + ascending[COUNT / 2]!) / 2;
    classifier.setCriterion(criterion.with([{ energy }, { energy: 1e30 }]));
    expect(exitsOf(await answers(classifier, samples))).toEqual(energies.map((each) => (each > energy ? 1 : 3)));
  });

  it('is checked by the compiler of the GPU, by line', async () => {
    const exitKernel = await wgslExitKernel(OWN_KERNEL.replace('let at = origin[row];', 'let at = f32(origin[row]);'));
    await expect(model.compile({ exitKernel, criterion: entropy(1) })).rejects.toThrow(/^exitKernel:30: /);
  });
});
