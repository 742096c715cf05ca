import { afterAll, describe, expect, it } from 'vitest';
import { wgslCriterion, wgslExitKernel } from '../../src/custom/index.ts';
import type { ClassifierOptions } from '../../src/earlyexit/classifier.ts';
import { and, confidence, entropy, halting, minDepth, or, patience, perClass } from '../../src/earlyexit/criteria.ts';
import type { Criterion } from '../../src/earlyexit/criteria.ts';
import { exitSettings } from '../../src/earlyexit/criterion-steps.ts';
import { scoreExits } from '../../src/earlyexit/judgement/scores.ts';
import { replay } from '../../src/earlyexit/judgement/thresholds.ts';
import { Model } from '../../src/earlyexit/model.ts';
import { multiExit } from '../../src/earlyexit/network.ts';
import type { Stage } from '../../src/earlyexit/network.ts';
import { readHalting, readRecord, RECORD_BYTES } from '../../src/earlyexit/records.ts';
import type { Answer } from '../../src/earlyexit/records.ts';
import { ArgumentError } from '../../src/errors.ts';
import { compile } from '../../src/graph/program.ts';
import { concat } from '../../src/kernels/concat.ts';
import { constant } from '../../src/kernels/define.ts';
import { exitCheck } from '../../src/kernels/exit-check.ts';
import type { ExitCheckAttributes } from '../../src/kernels/exit-check.ts';
import { slice } from '../../src/kernels/slice.ts';
import { sigmoid } from '../../src/kernels/unary.ts';
import type { Layer } from '../../src/nn/layer.ts';
import { flatten, linear } from '../../src/nn/layers.ts';
import { Random } from '../../src/random.ts';
import { Rows } from '../../src/tensor/spec.ts';
import { Tensor } from '../../src/tensor/tensor.ts';
import { OWN_KERNEL } from '../custom/texts.ts';
import { openTestDevice } from '../open-test-device.ts';
import { linearNetwork } from './random-networks.ts';
import { logitsFor, oracle } from './scores-oracle.ts';

const device = await openTestDevice();

interface Checked {
  readonly answers: readonly Answer[];
  readonly halting: readonly number[];
  /** Rows that go on. */
  readonly left: number;
}

/** The exit check of a program for `max` rows, on rows with halting scores behind their logits or without. */
async function check(
  logits: Float32Array,
  classes: number,
  criterion: Criterion,
  { scores, max, always = false }: { scores?: Float32Array; max: number; always?: boolean },
): Promise<Checked> {
  const count = logits.length / classes;
  const columns = classes + (scores ? 1 : 0);
  const x = new Float32Array(count * columns);
  for (let row = 0; row < count; row++) {
    x.set(logits.subarray(row * classes, (row + 1) * classes), row * columns);
    if (scores) x[row * columns + classes] = scores[row]!;
  }
  const rows = new Rows(max);
  const next = new Rows(max, 'next');
  using settings = Tensor.from(device, exitSettings(criterion, { exit: 1, first: true, classes, always }).settings);
  using records = Tensor.zeros(device, { dtype: 'u32', shape: [(RECORD_BYTES / 4) * max] });
  using program = await compile(device, { logits: { dtype: 'f32', shape: [max, columns], rows } }, (inputs) => {
    const origin = constant({ dtype: 'u32', shape: [max], rows }, Uint32Array.from({ length: max }, (_, row) => row));
    const classThresholds = constant({ dtype: 'f32', shape: [1] }, Float32Array.of(0));
    exitCheck({ ...inputs, settings, classThresholds, origin, records }, { next, halting: scores !== undefined });
    return {};
  });
  await program.call({ logits: x });
  const bytes = ((await records.read()) as Uint32Array).buffer as ArrayBuffer;
  const [left] = new Uint32Array(await device.read({ buffer: program.live(next).buffer, offset: 0, size: 4 }));
  return {
    answers: Array.from({ length: count }, (_, row) => readRecord(bytes, row)),
    halting: Array.from({ length: count }, (_, row) => readHalting(bytes, row)),
    left: left!,
  };
}

/** In programs of one row, of a few, which are regrouped in the same launch, and of more. */
const sizes = [[1, 1], [5, 7], [5, 100]] as const;

describe('a halting score behind the logits', () => {
  // 3,000 classes are shared by a workgroup where there is no halting score.
  it.each([...sizes.map((size) => [...size, 10] as const), [5, 7, 3000] as const])(
    'is recorded and decides, %i rows in a program for %i, %i classes', async (count, max, classes) => {
      const logits = logitsFor(count, classes, max);
      const scores = Float32Array.of(0.7, 0.5, 0, 1, 0.500001).subarray(0, count);
      const { answers, halting: recorded, left } = await check(logits, classes, halting(0.5), { scores, max });
      expect(recorded).toEqual([...scores]);
      expect(answers.map((answer) => answer.left)).toEqual([true, false, false, true, true].slice(0, count));
      expect(left).toBe(answers.filter((answer) => !answer.left).length);
      for (const [row, got] of answers.entries()) {
        const want = oracle(logits.subarray(row * classes, (row + 1) * classes));
        expect(got).toMatchObject({ label: want.label, finite: true, exit: 1 });
        expect(got.confidence).toBeCloseTo(want.confidence, 5);
        expect(got.margin).toBeCloseTo(want.margin, 5);
        expect(Math.abs(got.entropy - want.entropy)).toBeLessThan(2e-5);
      }
    });

  it('is 0 where there is none', async () => {
    const { answers, halting: recorded } = await check(logitsFor(5, 10, 7), 10, halting(0), { max: 7 });
    expect(recorded).toEqual([0, 0, 0, 0, 0]);
    expect(answers.some(({ left }) => left)).toBe(false);
  });

  it.each(sizes)('that is not finite keeps its row, %i rows in a program for %i', async (count, max) => {
    const logits = logitsFor(count, 10, 3);
    const sound = await check(logits, 10, confidence(0), { scores: new Float32Array(count).fill(1), max });
    expect(sound.left).toBe(0);
    for (const score of [NaN, Infinity, -Infinity]) {
      const scores = new Float32Array(count).fill(1).with(0, score);
      for (const criterion of [halting(0), or(halting(0.5), confidence(0))]) {
        const { answers, left } = await check(logits, 10, criterion, { scores, max });
        expect(left).toBe(1);
        expect(answers[0]).toMatchObject({ left: false, finite: false, confidence: NaN });
        expect(answers.slice(1)).toEqual(sound.answers.slice(1));
      }
      const last = await check(logits, 10, halting(0), { scores, max, always: true });
      expect(last.halting[0]).toBeNaN();
      expect(last.answers[0]).toMatchObject({ left: true, finite: false, label: sound.answers[0]!.label });
    }
  });

  it.each<[string, ExitCheckAttributes]>([
    ['variant workgroup', { variant: 'workgroup' }],
    ['variant split', { variant: 'split' }],
    ['pairs of f16', { half: { classes: 10 } }],
  ])('is not for %s', (got, attributes) => {
    const rows = new Rows(2);
    const words = 'half' in attributes ? 5 : 11;
    const spec = { dtype: 'u32', shape: [2], rows } as const;
    const decision = { settings: spec, classThresholds: spec, origin: spec, records: spec };
    const logits = { dtype: 'half' in attributes ? 'u32' : 'f32', shape: [2, words], rows } as const;
    expect(() => exitCheck.infer({ logits, ...decision }, { ...attributes, halting: true })).toThrow(
      `exit-check: expected f32 logits and variant row with a halting score, got ${got}`,
    );
  });
});

const CLASSES = 5;
const EXITS = 4;
const COUNT = 60;

/** The last column becomes a probability. */
const scored: Layer = {
  type: 'scored',
  options: {},
  parameters: {},
  forward(x) {
    const score = sigmoid({ x: slice({ x }, { axis: 1, start: CLASSES }) });
    return concat({ a: slice({ x }, { axis: 1, end: CLASSES }), b: score }, { axis: 1 });
  },
};

const network = multiExit({
  name: 'halting',
  input: [1, 4, 4],
  classes: CLASSES,
  halting: true,
  stages: Array.from({ length: EXITS }, (_, index): Stage => {
    const [before, input] = index === 0 ? [[flatten()], 16] : [[], 12];
    const body = [...before, linear(input, 12, { activation: 'relu' })];
    return { body, exit: [linear(12, CLASSES + 1), scored] };
  }),
});

describe('a network that says when to halt', async () => {
  const random = new Random(4);
  const dataset = {
    name: 'noise',
    shape: [1, 4, 4],
    images: Uint8Array.from({ length: COUNT * 16 }, () => random.below(256)),
    labels: new Uint8Array(COUNT),
    classNames: ['only'],
  } as const;
  const model = Model.initialize(device, network, { seed: 8, normalization: { mean: [0.5], std: [0.15] } });
  afterAll(() => model.dispose());
  const samples = model.normalize(dataset.images);
  const table = await scoreExits(model, dataset, { batch: 32 });
  /** The score of the row at an exit that two thirds of the rows are below: that very row must not leave. */
  const mostAreBelow = (exit: number): number =>
    table.exits[exit - 1]!.map((scores) => scores.halting!).sort((a, b) => a - b)[(COUNT / 3) * 2]!;
  const criteria: Record<string, Criterion> = {
    'one threshold': halting(0.5),
    'a threshold per exit': halting(mostAreBelow(1), mostAreBelow(2), mostAreBelow(3)),
    'thresholds by class': perClass('halting', [[0.2, 0.4, 0.5, 0.6, 0.8]]),
    'and': and(halting(0.4), confidence(0.5)),
    'or': or(halting(0.8), and(patience(2), entropy(1))),
    'at least exit 2': minDepth(2, halting(0.4)),
    'nobody': halting(1),
  };
  const exitsOf = async (options: ClassifierOptions, count = COUNT): Promise<number[]> => {
    using classifier = await model.compile(options);
    return (await classifier.classifyBatch(samples.subarray(0, count * 16))).map(({ exit }) => exit);
  };

  it('has scores that part the rows', () => {
    for (const scores of table.exits.flat()) expect(scores.halting).toBeGreaterThan(0);
    expect(new Set(replay(table, criteria['a threshold per exit']!))).toEqual(new Set([0, 1, 2, 3]));
  });

  const policies = ['readback', 'gated', 'overlap'] as const;
  it.each(policies.flatMap((policy) => [[policy, 1], [policy, 16], [policy, 100]] as const))(
    'leaves under %s, batch %i, where the recorded scores say', async (policy, batch) => {
      using classifier = await model.compile({ criterion: halting(1), policy, batch });
      // Fewer where each row takes its time.
      const count = batch === 1 ? 12 : COUNT;
      for (const [name, criterion] of Object.entries(criteria)) {
        classifier.setCriterion(criterion);
        const got = await classifier.classifyBatch(samples.subarray(0, count * 16), { scores: true });
        const replayed = Array.from(replay(table, criterion).subarray(0, count), (index) => index + 1);
        expect(got.map(({ exit }) => exit), name).toEqual(replayed);
        const { exit: _, ...alone } = got[0]!;
        const { halting: __, ...recorded } = table.exits[replayed[0]! - 1]![0]!;
        expect(alone, name).toEqual(recorded);
      }
    });

  it('leaves above 0.5 where nobody says otherwise', async () => {
    expect(await exitsOf({ batch: 16 })).toEqual(await exitsOf({ batch: 16, criterion: halting(0.5) }));
  });

  it('can be told by a criterion of one\'s own', async () => {
    const criterion = await wgslCriterion('fn leave(s: ExitScores) -> bool { return s.halting > 0.4; }');
    for (const [batch, count] of [[1, 5], [16, COUNT]] as const) {
      const wanted = await exitsOf({ criterion: halting(0.4), batch }, count);
      expect(await exitsOf({ criterion, batch }, count)).toEqual(wanted);
    }
  });

  it('is not for an exit kernel of one\'s own', async () => {
    const exitKernel = await wgslExitKernel(OWN_KERNEL);
    await expect(model.compile({ exitKernel, criterion: entropy(0.5) })).rejects.toThrow(
      'exit-check: expected f32 logits and variant row with a halting score, got an exit kernel of your own',
    );
  });

  it('has no mean over its exits', async () => {
    const says = 'compile: expected no ensemble of halting, whose heads end in a halting score';
    await expect(model.compile({ ensemble: true })).rejects.toThrow(says);
  });
});

describe('a network without halting scores', () => {
  const plain = linearNetwork(2);

  it('cannot be asked for them', async () => {
    using model = Model.initialize(device, plain, { seed: 1 });
    for (const criterion of [halting(0.5), or(confidence(0.9), minDepth(2, halting(0.5)))]) {
      const refused = model.compile({ criterion });
      await expect(refused).rejects.toThrow(ArgumentError);
      await expect(refused).rejects.toThrow('halting: expected a network with halting scores, got one whose heads end');
    }
  });

  it('is told from one that has them by its heads', () => {
    const [{ name, input, classes, stages }, { stages: halts }] = [plain, network];
    expect(() => multiExit({ name, input, classes, stages, halting: true })).toThrow(
      'linear-2: exit 1 gives [1, 3], expected [rows, 4] logits and halting score',
    );
    expect(() => multiExit({ name, input: network.input, classes: CLASSES, stages: halts })).toThrow(
      'linear-2: exit 1 gives [1, 6], expected [rows, 5] logits',
    );
  });
});
