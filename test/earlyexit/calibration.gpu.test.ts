import { afterAll, expect, it } from 'vitest';
import { proceduralDigits } from '../../src/data/procedural-digits.ts';
import { and, confidence, entropy, margin, patience } from '../../src/earlyexit/criteria.ts';
import type { Criterion } from '../../src/earlyexit/criteria.ts';
import { saidBy } from '../../src/earlyexit/judgement/calibration/logits.ts';
import { scoreExits } from '../../src/earlyexit/judgement/scores.ts';
import { replay } from '../../src/earlyexit/judgement/thresholds.ts';
import { chooseThresholds } from '../../src/earlyexit/judgement/tuning.ts';
import { Model } from '../../src/earlyexit/model.ts';
import { multiExit } from '../../src/earlyexit/network.ts';
import type { Network } from '../../src/earlyexit/network.ts';
import { compile } from '../../src/graph/program.ts';
import { flatten, linear } from '../../src/nn/layers.ts';
import { Rows } from '../../src/tensor/spec.ts';
import { openTestDevice } from '../open-test-device.ts';

const device = await openTestDevice();
const COUNT = 50;
const digits = proceduralDigits({ count: COUNT, seed: 3 });

/** Three exits, untrained; with `halting` the last column is no logit. */
const networkWith = (halting: boolean): Network => {
  const exit = () => [linear(12, 10 + Number(halting))];
  return multiExit({
    name: 'three-exits',
    input: [1, 28, 28],
    classes: 10,
    halting,
    stages: [
      { body: [flatten(), linear(784, 12, { activation: 'relu' })], exit: exit() },
      { body: [linear(12, 12, { activation: 'relu' })], exit: exit() },
      { body: [linear(12, 12, { activation: 'relu' })], exit: exit() },
    ],
  });
};
const model = Model.initialize(device, networkWith(false), { seed: 5 });
const scored = Model.initialize(device, networkWith(true), { seed: 5 });
afterAll(() => [model, scored].forEach((one) => one.dispose()));

it.each([['logits', model], ['logits and a halting score', scored]])(
  'the logits that are recorded are those of the network: heads that end in %s',
  async (_, own) => {
    const columns = 10 + Number(own.network.halting);
    const rows = new Rows(COUNT);
    using program = await compile(device, { x: { dtype: 'f32', shape: [COUNT, 1, 28, 28], rows } }, ({ x }) => {
      const first = own.network.body(1, x, own.context);
      const second = own.network.body(2, first, own.context);
      return { exit1: own.network.exit(1, first, own.context), exit2: own.network.exit(2, second, own.context) };
    });
    const heads = await program.call({ x: own.normalize(digits.images) });
    // The last of the batches is smaller.
    const table = await scoreExits(own, digits, { batch: 16, logits: true });
    for (const [index, head] of [heads.exit1, heads.exit2].entries()) {
      const wanted = head.filter((_, at) => at % columns < 10);
      expect(table.logits![index]).toEqual(wanted);
      saidBy(table.logits![index]!, 10).forEach(({ label, confidence: sure }, sample) => {
        const recorded = table.exits[index]![sample]!;
        expect(recorded.label).toBe(label);
        expect(Math.abs(recorded.confidence - sure)).toBeLessThan(1e-5);
      });
    }
    const without = await scoreExits(own, digits, { batch: 16 });
    expect(without.logits).toBeUndefined();
    expect(without.exits).toEqual(table.exits);
  },
);

it('a criterion with temperatures leaves where scores recorded at them say, with these scores', async () => {
  const temperatures = [0.3, 1.7, 0.6];
  const table = await scoreExits(model, digits, { batch: 16, temperatures });
  const middle = (exit: number, kind: 'confidence' | 'margin' | 'entropy'): number =>
    table.exits[exit - 1]!.map((scores) => scores[kind]).sort((a, b) => a - b)[COUNT / 2]!;
  const criteria: Criterion[] = [
    confidence(middle(1, 'confidence'), middle(2, 'confidence')),
    and(entropy(middle(1, 'entropy'), middle(2, 'entropy')), margin(middle(1, 'margin'), 0)),
    patience(2),
  ];
  using classifier = await model.compile({ criterion: confidence(1), batch: 16 });
  for (const criterion of criteria.map((one) => ({ ...one, temperatures }))) {
    classifier.setCriterion(criterion);
    const predictions = await classifier.classifyBatch(model.normalize(digits.images), { scores: true });
    const at = replay(table, criterion);
    expect(new Set(at).size).toBeGreaterThan(1);
    predictions.forEach(({ exit, ...scores }, sample) => {
      expect(exit).toBe(at[sample]! + 1);
      expect(scores).toEqual(table.exits[exit - 1]![sample]);
    });
  }
});

it('thresholds chosen at temperatures keep them, and the model decides by both', async () => {
  const temperatures = [0.3, 1.7, 0.6];
  const table = await scoreExits(model, digits, { batch: 16, temperatures });
  model.thresholds = chooseThresholds(table, { criterion: 'confidence', maxAccuracyLoss: 0.2 });
  const { values: thresholds } = model.thresholds;
  using classifier = await model.compile({ batch: 16 });
  expect(classifier.criterion).toEqual({ kind: 'confidence', thresholds, temperatures });
  await expect(scoreExits(model, digits, { temperatures: [1, 2] })).rejects.toThrow(
    'scoreExits: expected 3 positive temperatures, one per exit, got [1, 2]',
  );
});
