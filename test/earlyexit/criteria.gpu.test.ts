import { afterAll, describe, expect, it } from 'vitest';
import {
  and, change, confidence, entropy, gate, margin, maxDepth, minDepth, normalizedEntropy, or, patience, perClass,
} from '../../src/earlyexit/criteria.ts';
import type { Criterion, Gate } from '../../src/earlyexit/criteria.ts';
import { scoreExits } from '../../src/earlyexit/judgement/scores.ts';
import { replay } from '../../src/earlyexit/judgement/thresholds.ts';
import { Model } from '../../src/earlyexit/model.ts';
import type { Network } from '../../src/earlyexit/network.ts';
import { compile } from '../../src/graph/program.ts';
import type { Value } from '../../src/kernels/define.ts';
import { Random } from '../../src/random.ts';
import { Rows } from '../../src/tensor/spec.ts';
import { openTestDevice } from '../open-test-device.ts';
import { linearNetwork } from './random-networks.ts';
import { oracle } from './scores-oracle.ts';

const device = await openTestDevice();
const ROWS = 200;
const EXITS = 4;
const random = new Random(21);
const pixels = Uint8Array.from({ length: ROWS * 16 }, () => random.below(256));
const dataset = {
  name: 'noise', shape: [1, 4, 4], images: pixels, labels: new Uint8Array(ROWS), classNames: ['only'],
} as const;

const fourExits = (classes: number): Network => linearNetwork(EXITS, { classes, size: 4, width: 12 });

type Scores = ReturnType<typeof oracle>;

/** `logits[exit - 1][row]`, from a program without exit checks. */
async function logitsOf(model: Model): Promise<number[][][]> {
  const { network } = model;
  const rows = new Rows(ROWS);
  using program = await compile(device, { x: { dtype: 'f32', shape: [ROWS, ...network.input], rows } }, ({ x }) => {
    const outputs: Record<string, Value> = {};
    let value = x;
    for (let exit = 1; exit <= EXITS; exit++) {
      value = network.body(exit, value, model.context);
      outputs[exit] = network.exit(exit, value, model.context);
    }
    return outputs;
  });
  const flat = Object.values(await program.call({ x: model.normalize(pixels) }));
  const { classes } = network;
  return flat.map((logits) =>
    Array.from({ length: ROWS }, (_, row) => [...logits.subarray(row * classes, (row + 1) * classes)]));
}

/** Hears how far a value is from its threshold. */
type Near = (distance: number) => void;

/** The definition of each criterion, on what is known of a row from the first exit to the present one. */
function leaves(criterion: Criterion, history: readonly Scores[], classes: number, near: Near): boolean {
  const exit = history.length;
  const now = history.at(-1)!;
  const before = history.at(-2);
  const compare = (value: number, threshold: number): boolean => {
    near(Math.abs(value - threshold));
    return value > threshold;
  };
  const threshold = ({ thresholds, classThresholds }: Extract<Criterion, { thresholds: unknown }>): number => {
    if (!classThresholds) return thresholds[thresholds.length === 1 ? 0 : exit - 1]!;
    return classThresholds[classThresholds.length === 1 ? 0 : exit - 1]![now.label]!;
  };
  switch (criterion.kind) {
    case 'confidence':
    case 'margin':
      return compare(now[criterion.kind], threshold(criterion));
    case 'entropy':
      return compare(-now.entropy, -threshold(criterion));
    case 'normalizedEntropy':
      return compare(-now.entropy / Math.log(classes), -threshold(criterion));
    case 'change':
      return before !== undefined && compare(-Math.abs(now.confidence - before.confidence), -threshold(criterion));
    case 'patience':
      return exit >= criterion.exits && history.slice(-criterion.exits).every(({ label }) => label === now.label);
    case 'gate': {
      const { bias, ...weights } = criterion.gates[criterion.gates.length === 1 ? 0 : exit - 1]!;
      const { confidence = 0, margin = 0, entropy = 0, exit: depth = 0 } = weights;
      const sum = bias + confidence * now.confidence + margin * now.margin + entropy * now.entropy + depth * exit;
      return compare(1 / (1 + Math.exp(-sum)), criterion.threshold);
    }
    case 'fromExit':
      return exit >= criterion.exit;
    case 'and':
      return criterion.of.map((part) => leaves(part, history, classes, near)).every(Boolean);
    case 'or':
      return criterion.of.map((part) => leaves(part, history, classes, near)).some(Boolean);
    default:
      throw new Error(`no oracle for ${criterion.kind}`);
  }
}

/** What exits say of a row, from the first to each: `scores[row][exit - 1]`. */
function scoreRows(logits: readonly number[][][], temperatures: readonly number[] = [], ensemble = false): Scores[][] {
  return Array.from({ length: ROWS }, (_, row) =>
    logits.map((own, index) => {
      const summed = ensemble ? logits.slice(0, index + 1) : [own];
      const divisor = summed.length * (temperatures[index] ?? 1);
      return oracle(own[row]!.map((_, label) => summed.reduce((sum, each) => sum + each[row]![label]!, 0) / divisor));
    }));
}

interface Verdict {
  readonly exit: number;
  /** Some score on the way was too near to its threshold for f32 to be held to it. */
  readonly close: boolean;
}

function verdict(scores: readonly Scores[], criterion: Criterion, classes: number): Verdict {
  let close = false;
  const near: Near = (distance) => void (close ||= distance < 1e-5);
  const leavesAt = (exit: number): boolean => leaves(criterion, scores.slice(0, exit), classes, near);
  const exit = [1, 2, 3].find(leavesAt) ?? EXITS;
  return { exit, close };
}

type Measure = (scores: Scores, exit: number, before: Scores | undefined) => number;

/** Criteria whose thresholds part the rows, between the scores of two of them. */
function truthTable(scores: readonly Scores[][], classes: number): Record<string, Criterion> {
  const part = (measure: Measure, exit: number, share = 0.5): number => {
    const values = scores.map((row) => measure(row[exit - 1]!, exit, row[exit - 2])).sort((a, b) => a - b);
    const at = Math.floor(share * ROWS);
    return (values[at - 1]! + values[at]!) / 2;
  };
  const each = (measure: Measure, ...shares: number[]): [number, number, number] =>
    [1, 2, 3].map((exit, index) => part(measure, exit, shares[index] ?? shares[0])) as [number, number, number];
  const sure: Measure = ({ confidence }) => confidence;
  const ahead: Measure = ({ margin }) => margin;
  const torn: Measure = ({ entropy }) => entropy;
  const torn01: Measure = ({ entropy }) => entropy / Math.log(classes);
  const moved: Measure = ({ confidence }, exit, before) => (exit === 1 ? 0 : Math.abs(confidence - before!.confidence));
  const shares = Array.from({ length: classes }, (_, label) => 0.3 + (0.4 * ((label * 7) % classes)) / classes);
  const tables = (measure: Measure): number[][] =>
    [1, 2, 3].map((exit) => shares.map((share) => part(measure, exit, share)));
  const weights: Omit<Gate, 'bias'>[] = [
    { confidence: 4, margin: 4, entropy: 0.1, exit: 0.2 },
    { margin: 0.5, entropy: -2 },
    { confidence: -3, exit: -1 },
  ];
  const learned = weights.map((each, index): Gate => {
    const { confidence = 0, margin = 0, entropy = 0, exit = 0 } = each;
    const sum: Measure = (row, at) =>
      confidence * row.confidence + margin * row.margin + entropy * row.entropy + exit * at;
    return { ...each, bias: -part(sum, index + 1) };
  });
  const [sure1, sure2, sure3] = each(sure);
  const byClass = perClass('confidence', tables(sure));
  return {
    'entropy': entropy(...each(torn, 0.3, 0.4, 0.5)),
    'entropy, one threshold': entropy(part(torn, 2)),
    'normalized entropy': normalizedEntropy(...each(torn01, 0.5, 0.3, 0.4)),
    'confidence': confidence(...each(sure, 0.7, 0.5, 0.6)),
    'margin': margin(...each(ahead)),
    'change': change(0, part(moved, 2), part(moved, 3)),
    'patience 1': patience(1),
    'patience 2': patience(2),
    'patience 3': patience(3),
    'patience 4': patience(4),
    'gate per exit': gate(learned, 0.45),
    'gate for all': gate(learned[1]!),
    'confidence per class': byClass,
    'one entropy per class': perClass('entropy', [tables(torn)[1]!]),
    'normalized entropy per class': perClass('normalizedEntropy', tables(torn01)),
    'change per class': perClass('change', [tables(moved)[1]!]),
    'margin per class': perClass('margin', tables(ahead)),
    'and': and(confidence(sure1), entropy(...each(torn))),
    'or': or(confidence(sure2), patience(2)),
    'at least exit 2': minDepth(2, confidence(sure1)),
    'at least exit 3': minDepth(3, patience(2)),
    'at least the last exit': minDepth(4, confidence(0)),
    'at most exit 1': maxDepth(1, confidence(1)),
    'at most exit 2': maxDepth(2, confidence(sure1)),
    'at most exit 3': maxDepth(3, and(patience(2), confidence(sure3))),
    'between exits 2 and 3': minDepth(2, maxDepth(3, margin(part(ahead, 2)))),
    'nested': or(
      and(patience(2), confidence(sure1)),
      and(minDepth(2, byClass), or(change(part(moved, 2, 0.1)), entropy(part(torn, 2, 0.1)))),
    ),
    'nested the other way': and(
      or(and(margin(part(ahead, 1)), confidence(sure1)), patience(3)),
      or(gate(learned), entropy(part(torn, 3))),
    ),
    'three of and': and(
      confidence(sure3),
      margin(part(ahead, 1, 0.3)),
      minDepth(2, normalizedEntropy(part(torn01, 2, 0.8))),
    ),
    'eight comparisons': and(
      ...[0.1, 0.2, 0.3, 0.4, 0.5, 0.45, 0.35].map((share) => confidence(...each(sure, share))),
      patience(1),
    ),
    'temperatures': { ...confidence(sure1, sure2, sure3), temperatures: [0.8, 1.2, 0.9, 2] },
    'temperatures of a combination': { ...or(patience(3), entropy(...each(torn))), temperatures: [1.2, 0.8, 1, 1] },
    'nobody': confidence(1),
    'everybody': confidence(0),
  };
}

describe.each([5, 300])('the truth table over %i classes', async (classes) => {
  // Inputs of some size, so that scores lie far apart.
  const model = Model.initialize(device, fourExits(classes), { seed: 8, normalization: { mean: [0.5], std: [0.15] } });
  afterAll(() => model.dispose());
  const samples = model.normalize(pixels);
  const logits = await logitsOf(model);
  const recorded = await scoreExits(model, dataset);
  const [plain, mean] = [scoreRows(logits), scoreRows(logits, [], true)];
  const criteria = truthTable(plain, classes);
  const cases = [false, true].flatMap((ensemble) =>
    Object.entries(criteria).map(([name, criterion]) => {
      const { temperatures } = criterion;
      const scores = temperatures ? scoreRows(logits, temperatures, ensemble) : ensemble ? mean : plain;
      const wanted = scores.map((row) => verdict(row, criterion, classes));
      return { name: `${name}${ensemble ? ', ensemble' : ''}`, criterion, ensemble, wanted };
    }));

  it('is about scores that are recorded right', () => {
    const errors = plain.flatMap((exits, row) =>
      exits.flatMap((scores, index) => {
        const got = recorded.exits[index]![row]!;
        return (['label', 'confidence', 'margin', 'entropy'] as const).map((kind) => got[kind] - scores[kind]);
      }));
    expect(Math.max(...errors.map(Math.abs))).toBeLessThan(1e-5);
  });

  it('parts the rows, and few are too near to a threshold', () => {
    const all = cases.flatMap(({ wanted }) => wanted);
    expect(all.filter(({ close }) => close).length / all.length).toBeLessThan(0.005);
    for (const exit of [1, 2, 3, 4]) {
      expect(all.filter((row) => row.exit === exit).length / all.length, `exit ${exit}`).toBeGreaterThan(0.1);
    }
    const parting = cases.filter(({ wanted }) => new Set(wanted.map(({ exit }) => exit)).size > 1);
    expect(parting.length / cases.length).toBeGreaterThan(0.7);
  });

  // Fewer where each row takes its time: one after the other, or under barriers.
  const runs: [batch: number, count: number][] = classes === 5 ? [[1, 4], [64, 100], [ROWS, ROWS]] : [[1, 2], [30, 30]];
  it.each(runs)('holds on the GPU and in replay, in batches of %i, for %i rows', async (batch, count) => {
    for (const ensemble of classes === 5 ? [false, true] : [false]) {
      using classifier = await model.compile({ criterion: confidence(0), batch, ensemble });
      for (const { name, criterion, wanted } of cases.filter((each) => each.ensemble === ensemble)) {
        classifier.setCriterion(criterion);
        const got = (await classifier.classifyBatch(samples.subarray(0, count * 16))).map(({ exit }) => exit);
        expect(got, name).toEqual(wanted.slice(0, count).map(({ exit, close }, row) => (close ? got[row] : exit)));
        if (ensemble || criterion.temperatures) continue;
        const replayed = Array.from(replay(recorded, criterion).subarray(0, count), (index) => index + 1);
        expect(replayed, `replay of ${name}`).toEqual(got);
      }
    }
  });
});

describe('logits that are not finite', () => {
  const network = fourExits(5);
  const willing: Record<string, Criterion> = {
    'entropy': entropy(Math.log(5)),
    'normalized entropy': normalizedEntropy(1),
    'confidence': confidence(0),
    'margin': margin(0),
    'change': or(change(1), confidence(0)),
    'patience': patience(1),
    'gate': gate({ bias: 9 }),
    'per class': perClass('confidence', [[0, 0, 0, 0, 0]]),
    'and': and(confidence(0), patience(1)),
    'or': or(confidence(0), patience(1)),
    'least depth': minDepth(1, confidence(0)),
    'greatest depth': maxDepth(1, confidence(1)),
    'temperatures': { ...confidence(0), temperatures: [2, 2, 2, 2] },
  };
  const model = Model.initialize(device, network, { seed: 8 });
  afterAll(() => model.dispose());

  it.each([1, 8, 100])('never leave early under any criterion, in batches of %i', async (batch) => {
    const samples = model.normalize(pixels).slice(0, 12 * 16);
    samples.fill(NaN, 5 * 16, 6 * 16);
    samples.fill(Infinity, 7 * 16, 8 * 16);
    using classifier = await model.compile({ criterion: confidence(0), batch });
    for (const [name, criterion] of Object.entries(willing)) {
      classifier.setCriterion(criterion);
      const got = await classifier.classifyBatch(samples);
      const exits = got.map(({ exit }) => exit);
      expect(exits, name).toEqual(Array.from({ length: 12 }, (_, row) => (row === 5 || row === 7 ? 4 : 1)));
      expect(got.map(({ finite }) => finite)).toEqual(Array.from({ length: 12 }, (_, row) => row !== 5 && row !== 7));
    }
  });

  it.each([1, 8, 100])('at one exit alone: the row goes on as if it were new, in batches of %i', async (batch) => {
    using bent = Model.initialize(device, network, { seed: 8 });
    // Every exit says class 3, and exit 2 has a logit that is no number.
    for (let exit = 1; exit <= EXITS; exit++) {
      bent.parameters.get(`exit${exit}.linear1.bias`).write(Float32Array.of(0, 0, 0, 50, 0));
    }
    const samples = bent.normalize(pixels).subarray(0, 10 * 16);
    using classifier = await bent.compile({ criterion: patience(1), batch });
    const exitsUnder = async (criterion: Criterion): Promise<number[]> => {
      classifier.setCriterion(criterion);
      return [...new Set((await classifier.classifyBatch(samples)).map(({ exit }) => exit))];
    };
    const decided = {
      'patience 2': patience(2),
      'patience 3': patience(3),
      'at most 2': maxDepth(2, confidence(1)),
      'change': change(1),
    };
    const exitsOfAll = async (): Promise<Record<string, number[]>> => {
      const exits: Record<string, number[]> = {};
      for (const [name, criterion] of Object.entries(decided)) exits[name] = await exitsUnder(criterion);
      return exits;
    };
    expect(await exitsOfAll()).toEqual({ 'patience 2': [2], 'patience 3': [3], 'at most 2': [2], 'change': [2] });
    bent.parameters.get('exit2.linear1.bias').write(Float32Array.of(NaN, 0, 0, 50, 0));
    expect(await exitsOfAll()).toEqual({ 'patience 2': [4], 'patience 3': [4], 'at most 2': [3], 'change': [4] });
  });
});

describe('bad options', () => {
  const model = Model.initialize(device, fourExits(5), { seed: 8 });
  afterAll(() => model.dispose());
  const criterion = confidence(0.5);
  const sample = model.normalize(pixels).subarray(0, 16);

  it('of a call are refused by name', async () => {
    using classifier = await model.compile({ criterion });
    for (const deadlineMs of [0, -1, NaN, -Infinity]) {
      const message = `classify: expected deadlineMs, the time from now, above 0, got ${deadlineMs}`;
      await expect(classifier.classify(sample, { deadlineMs })).rejects.toThrow(message);
      await expect(classifier.classifyBatch(sample, { deadlineMs })).rejects.toThrow(message);
    }
    expect(() => classifier.setCriterion(confidence(2))).toThrow('confidence: expected thresholds from 0 to 1, got 2');
    expect(classifier.criterion).toMatchObject({ kind: 'confidence', thresholds: [0.5, 0.5, 0.5] });
    expect((await classifier.classify(sample, { deadlineMs: Infinity })).timedOut).toBeUndefined();
  });

  it('a deadline in text is no number', async () => {
    using classifier = await model.compile({ criterion });
    await expect(classifier.classify(sample, { deadlineMs: '5' as never })).rejects.toThrow('expected deadlineMs');
  });

  it('null is no policy', async () => {
    const compiling = model.compile({ criterion, policy: null as never });
    await expect(compiling).rejects.toThrow('compile: expected a policy among');
  });

  it('of a classifier are refused by name', async () => {
    const refuses = async (options: object, message: string): Promise<void> =>
      expect(model.compile({ criterion, ...options })).rejects.toThrow(message);
    const policies = 'readback, gated, overlap, auto or a plan';
    await refuses({ policy: 'hope' }, `compile: expected a policy among ${policies}, got 'hope'`);
    await refuses({ policy: 'auto', exits: [4] }, "compile: expected no exits with policy 'auto', which picks them");
    await refuses({ policy: 'auto' }, "compile: policy 'auto' needs the share of samples that leave at each exit");
    await refuses({ policy: 'auto', shares: [1] }, 'expected 4 shares, one per exit, got 1');
    await refuses({ policy: {} }, 'and batch 1, got something else');
    await refuses({ concurrency: 0 }, 'linear-4: expected a concurrency of 1 or more, got 0');
    await refuses({ queue: -1 }, 'linear-4: expected a queue of 0 or more, got -1');
  });
});
