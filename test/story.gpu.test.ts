import { describe, expect, it } from 'vitest';
import { adam } from '../src/autograd/optimizer.ts';
import { proceduralSplit } from '../src/data/procedural-digits.ts';
import { evaluate } from '../src/earlyexit/judgement/evaluate.ts';
import { isRight, scoreExits } from '../src/earlyexit/judgement/scores.ts';
import { replay } from '../src/earlyexit/judgement/thresholds.ts';
import { chooseThresholds } from '../src/earlyexit/judgement/tuning.ts';
import { loadModel, saveModel } from '../src/earlyexit/model-file.ts';
import { Model } from '../src/earlyexit/model.ts';
import { bLeNet } from '../src/earlyexit/models/b-lenet.ts';
import { train } from '../src/earlyexit/training/train.ts';
import { statistics } from '../src/data/normalization.ts';
import { openTestDevice } from './open-test-device.ts';

const device = await openTestDevice();

describe('the story', () => {
  it('B-LeNet learns procedural digits, leaves early, and is the same after a file', async () => {
    const data = proceduralSplit({ seed: 1, train: 700, validation: 200, test: 200 });
    using model = Model.initialize(device, bLeNet(), { seed: 1, normalization: statistics(data.train), classNames: data.train.classNames });
    const losses: number[] = [];
    await train(model, data.train, { epochs: 3, batch: 16, seed: 1, optimizer: adam({ learningRate: 0.002 }), onEpoch: ({ loss }) => void losses.push(loss) });
    expect(losses.length).toBe(3);
    expect(losses[2]!).toBeLessThan(losses[0]! / 2);

    model.thresholds = chooseThresholds(await scoreExits(model, data.validation), { maxAccuracyLoss: 0.01 });
    const report = await evaluate(model, data.test, { latencySamples: 10 });
    expect(report.accuracyFull).toBeGreaterThan(0.85);
    expect(report.accuracy).toBeGreaterThan(report.accuracyFull - 0.03);
    expect(report.exits[0]!.share).toBeGreaterThan(0.3);
    expect(report.macs.full).toBe(1_140_070);
    expect(report.macs.speedup).toBeGreaterThan(1.2);
    expect(report.exits.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 9);
    expect(report.reads).toBeGreaterThanOrEqual(1);
    expect(report.reads).toBeLessThanOrEqual(2);

    const scores = await scoreExits(model, data.test);
    const { criterion: kind, values: thresholds } = model.thresholds;
    const leftAt = [...replay(scores, { kind, thresholds })];
    const { labels } = data.test;
    const share = (exitOf: (sample: number) => number): number =>
      leftAt.filter((_, sample) => isRight(scores.exits[exitOf(sample)]![sample]!, labels[sample]!)).length / labels.length;
    expect(report.accuracy).toBe(share((sample) => leftAt[sample]!));
    expect(report.accuracyFull).toBe(share(() => 1));
    const shares = [0, 1].map((exit) => leftAt.filter((left) => left === exit).length / labels.length);
    expect(report.exits.map((exit) => exit.share)).toEqual(shares);
    expect(report.macs.mean).toBe(shares[0]! * scores.macs[0]! + shares[1]! * scores.macs[1]!);
    expect(report.notFinite).toBe(0);

    using loaded = loadModel(device, await saveModel(model));
    expect(loaded.thresholds).toEqual(model.thresholds);
    expect(loaded.training).toEqual(model.training);
    expect((await scoreExits(loaded, data.test)).exits).toEqual(scores.exits);
  });
});
