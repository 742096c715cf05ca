import { describe, expect, it } from 'vitest';
import { subset } from '../../src/data/dataset.ts';
import { entropy } from '../../src/earlyexit/criteria.ts';
import { RISK_METHODS } from '../../src/earlyexit/judgement/guarantee.ts';
import type { RiskBound, RiskMethod } from '../../src/earlyexit/judgement/guarantee.ts';
import { accuracyLoss, disagreement, errorRate, prematureExit } from '../../src/earlyexit/judgement/losses.ts';
import type { RiskLoss } from '../../src/earlyexit/judgement/losses.ts';
import { certify, controlRisk, samplesNeeded, thresholdGrid } from '../../src/earlyexit/judgement/risk-control.ts';
import type { RiskControlOptions, RiskRule } from '../../src/earlyexit/judgement/risk-control.ts';
import type { ScoreTable } from '../../src/earlyexit/judgement/scores.ts';
import { replay } from '../../src/earlyexit/judgement/thresholds.ts';
import { readModelFile } from '../../src/earlyexit/model-file.ts';
import type { Scores } from '../../src/earlyexit/records.ts';
import { NotCertifiedError } from '../../src/errors.ts';
import { parseSafetensors, serializeSafetensors } from '../../src/nn/safetensors.ts';
import { Random } from '../../src/random.ts';
import { modelText } from '../../src/report/model.ts';
import { blankModel } from '../cli/fixtures.ts';

const date = new Date('2026-11-22T12:00:00Z');

const said = (label: number, nats: number): Scores => ({
  label,
  entropy: Math.fround(nats),
  confidence: Math.fround(1 - nats / 2),
  margin: Math.fround(1 - nats),
  finite: true,
});

const broken: Scores = { label: 3, entropy: NaN, confidence: NaN, margin: NaN, finite: false };

/** Of four classes; samples are in order of their classes, and no two images are alike. */
const tableOf = (exits: Scores[][], labels = exits[0]!.map((_, sample) => sample % 4)): ScoreTable => ({
  dataset: {
    name: 'by hand',
    shape: [1, 1, 2],
    images: Uint8Array.from(labels.flatMap((_, sample) => [sample % 256, sample >> 8])),
    labels: Uint8Array.from(labels),
    classNames: ['a', 'b', 'c', 'd'],
  },
  classes: 4,
  macs: [10, 20, 40],
  exits,
});

/**
 * Three exits, where the second is twice as sure as the first. The less sure, the more the first two err; with a
 * `bump` they err in the middle, and beyond it are right where the last is not: the more leave, the less the risk.
 */
function population({ count, bump }: { count: number; bump: boolean }): ScoreTable {
  const random = new Random(7);
  const exits: Scores[][] = [[], [], []];
  const labels = Array.from({ length: count }, (_, sample) => Math.floor((4 * sample) / count));
  for (const label of labels) {
    const nats = random.between(0.01, 1.38);
    const answer = (wrong: number): number => (random.uniform() < wrong ? (label + 1) % 4 : label);
    const early = answer(bump ? Number(nats > 0.25 && nats < 0.5) * 0.4 : nats * 0.2);
    exits[0]!.push(said(early, nats));
    exits[1]!.push(said(early, nats / 2));
    exits[2]!.push(said(answer(bump ? Number(nats > 0.8) * 0.3 : 0.02), 0));
  }
  return tableOf(exits, labels);
}

const candidates = Array.from({ length: 9 }, (_, step) => [0.02 + step * 0.1]);

/** The losses of all samples, `[candidates][samples]`, and the risks where samples are drawn from them. */
function truth(table: ScoreTable, loss: RiskLoss): { losses: Float64Array[]; risks: number[] } {
  const { exits, dataset } = table;
  const losses = candidates.map(([threshold]) =>
    Float64Array.from(replay(table, entropy(threshold!)), (exit, sample) => {
      const [answer, last] = [exits[exit]![sample]!, exits[2]![sample]!];
      return loss.of({ label: dataset.labels[sample]!, exit: exit + 1, answer, last });
    }),
  );
  return { losses, risks: losses.map(meanOf) };
}

const meanOf = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0) / values.length;

const DRAWS = 1000;
/** One standard deviation of the share of draws in which something of this probability happens. */
const sigma = (probability: number): number => Math.sqrt((probability * (1 - probability)) / DRAWS);

const RULES: readonly [method: RiskMethod, bound: RiskBound, delta: number][] = [
  ['ucb', 'waudby-smith-ramdas', 0.1],
  ['fixed-sequence', 'hoeffding-bentkus', 0.2],
  ['bonferroni', 'waudby-smith-ramdas', 0.2],
  ['bonferroni', 'hoeffding-bentkus', 0.1],
];

// A risk is violated where any threshold certified has a risk above the level, not the chosen one alone.
it.each([
  ['premature exits', prematureExit, false, 7],
  ['a risk that rises and falls', accuracyLoss, true, 4],
  ['errors that come and go', errorRate, true, 4],
] as const)('over 1,000 calibration sets %s are above the level no more often than delta', (_, loss, bump, nearest) => {
  const { losses, risks } = truth(population({ count: 2000, bump }), loss);
  // Just below the risk of one candidate: the one most easily taken for one that holds.
  const level = risks[nearest]! - 0.001;
  const rule = { level, range: loss.range };
  const violated = (certified: readonly number[]): number => Number(certified.some((index) => risks[index]! > level));
  const violations = RULES.map(() => 0);
  let naive = 0;
  const conformal: number[] = [];
  const random = new Random(3);
  const rows = losses.map(() => new Float64Array(150));
  for (let draw = 0; draw < DRAWS; draw++) {
    for (let place = 0; place < 150; place++) {
      const sample = random.below(2000);
      for (let row = 0; row < rows.length; row++) rows[row]![place] = losses[row]![sample]!;
    }
    RULES.forEach(([method, bound, delta], index) => {
      violations[index]! += violated(certify(rows, { ...rule, method, bound, delta }));
    });
    const last = certify(rows, { ...rule, method: 'conformal' }).at(-1);
    conformal.push(last === undefined ? 0 : risks[last]!);
    naive += violated(rows.flatMap((row, index) => (meanOf(row) <= level ? [index] : [])));
  }
  RULES.forEach(([method, bound, delta], index) => {
    expect(violations[index]! / DRAWS, `${method} with ${bound}`).toBeLessThanOrEqual(delta + 3 * sigma(delta));
  });
  // What trusts the observed mean fails here: there is something to guard against.
  expect(naive / DRAWS).toBeGreaterThan(0.2 + 3 * sigma(0.2));
  const mean = meanOf(Float64Array.from(conformal));
  const spread = Math.sqrt(meanOf(Float64Array.from(conformal, (risk) => (risk - mean) ** 2)) / DRAWS);
  expect(mean, 'conformal').toBeLessThanOrEqual(level + 3 * spread);
  expect(mean, 'conformal').toBeGreaterThan(0);
});

describe('certify', () => {
  const flat = (value: number, count = 100): Float64Array => new Float64Array(count).fill(value);
  const rows = [flat(0), flat(0.5), flat(0)];
  const rule: RiskRule = { level: 0.1, range: [0, 1] };

  it('goes on behind a failure only without a sequence', () => {
    for (const method of ['conformal', 'ucb', 'fixed-sequence'] as const) {
      expect(certify(rows, { ...rule, method })).toEqual([0]);
    }
    expect(certify(rows, { ...rule, method: 'bonferroni' })).toEqual([0, 2]);
  });

  it('counts the worst of each sample so far with conformal', () => {
    // Six in a hundred err in each row, but others: twelve with what came before.
    const [some, others] = [5, 50].map((from) => flat(0).fill(1, from, from + 6));
    expect(certify([some!, some!, others!], { ...rule, method: 'conformal' })).toEqual([0, 1]);
  });

  it('does not care for unit or origin of losses', () => {
    const some = Float64Array.from({ length: 100 }, (_, at) => Number(at % 33 === 5));
    for (const method of RISK_METHODS.slice(1)) {
      for (const level of [0.05, 0.08, 0.1, 0.15]) {
        const moved = certify([some.map((loss) => 5 + 20 * loss)], { level: 5 + 20 * level, range: [5, 25], method });
        expect(moved).toEqual(certify([some], { level, range: [0, 1], method }));
      }
    }
  });

  it('refuses losses and rules that mean nothing', () => {
    expect(() => certify([], rule)).toThrow('expected rows of one length, 1 or more, got no rows');
    expect(() => certify([flat(0), flat(0, 3)], rule)).toThrow('expected rows of one length, 1 or more, got 100, 3');
    for (const value of [NaN, -0.1, 2]) expect(() => certify([flat(value)], rule)).toThrow(`from 0 to 1, got ${value}`);
    const under = (change: Partial<RiskRule>) => () => certify(rows, { ...rule, ...change });
    expect(under({ level: 1 })).toThrow('expected a level between 0 and 1, as losses are, got 1');
    expect(under({ delta: 0 })).toThrow('expected delta between 0 and 1, got 0');
    expect(under({ range: [0, Infinity] })).toThrow('expected losses in a finite range, got 0 to Infinity');
    expect(under({ method: 'luck' as RiskMethod })).toThrow("expected a method of conformal, ucb, fixed-sequence");
    expect(under({ bound: 'luck' as RiskBound })).toThrow("expected a bound of hoeffding-bentkus");
    expect(under({ method: 'conformal', delta: 0.1 })).toThrow('expected neither delta nor bound with conformal');
  });
});

describe('how many samples would do', () => {
  const rule: RiskRule = { level: 0.05, range: [0, 1], delta: 0.1, bound: 'hoeffding-bentkus' };

  it('is ln(delta) / ln(1 - level) for Hoeffding-Bentkus without a loss', () => {
    expect(samplesNeeded([0], rule)).toBe(Math.ceil(Math.log(0.1) / Math.log(0.95)));
    expect(samplesNeeded([0], { ...rule, method: 'bonferroni' }, 10)).toBe(Math.ceil(Math.log(0.01) / Math.log(0.95)));
    expect(samplesNeeded([0], { level: 0.05, range: [0, 1], method: 'conformal' })).toBe(19);
    expect(samplesNeeded([0], { level: -0.1, range: [-1, 1] })).toBeUndefined();
    expect(() => samplesNeeded([], rule)).toThrow('expected losses, got none');
  });

  it('is the least number that is certified, for either bound and any loss', () => {
    const sets: RiskRule[] = [
      rule,
      { level: 0.02, range: [0, 1], method: 'ucb' },
      { level: 0.02, range: [-1, 1], delta: 0.01 },
      { level: 0.05, range: [0, 1], method: 'conformal' },
    ];
    for (const each of sets) {
      const least = samplesNeeded([0], each)!;
      expect(certify([new Float64Array(least)], each)).toEqual([0]);
      expect(certify([new Float64Array(least - 1)], each)).toEqual([]);
    }
  });

  it('grows with the loss observed, and ends at the level', () => {
    const seen = (every: number): number | undefined =>
      samplesNeeded(Array.from({ length: every }, (_, at) => Number(at === 0)), rule);
    expect(seen(100)!).toBeGreaterThan(samplesNeeded([0], rule)!);
    expect(seen(25)!).toBeGreaterThan(seen(100)!);
    expect(seen(20)).toBeUndefined();
  });
});

describe('controlRisk', () => {
  const calm = population({ count: 800, bump: false });
  const options: RiskControlOptions = { loss: accuracyLoss, level: 0.1, delta: 0.1, candidates, date };

  it('takes the thresholds that save most, and says what holds', () => {
    const chosen = controlRisk(calm, options);
    const { losses, risks } = truth(calm, accuracyLoss);
    const index = candidates.findIndex(([threshold]) => threshold === chosen.values[0]);
    expect(chosen.values).toEqual([candidates[index]![0], candidates[index]![0]]);
    expect(certify([losses[index]!], { level: 0.1, range: [-1, 1] })).toEqual([0]);
    expect(risks[index + 1]).toBeGreaterThan(0.08);
    expect(chosen.achieved.accuracyFull - chosen.achieved.accuracy).toBeCloseTo(risks[index]!, 12);
    const { upperBound, calibration, ...said } = chosen.guarantee;
    expect(said).toEqual({
      risk: 'accuracy loss',
      level: 0.1,
      method: 'fixed-sequence',
      delta: 0.1,
      bound: 'waudby-smith-ramdas',
      candidates: 9,
      observed: expect.closeTo(risks[index]!, 12),
      date: '2026-11-22',
    });
    expect(upperBound).toBeGreaterThan(said.observed);
    expect(upperBound).toBeLessThanOrEqual(0.1);
    expect(chosen.chosenOn).toEqual(calibration);
    expect(calibration).toMatchObject({ dataset: 'by hand', samples: 800 });
  });

  it('does so for every method, with the grid of each criterion', () => {
    const kinds = ['entropy', 'confidence', 'margin', 'entropy'] as const;
    RISK_METHODS.forEach((method, index) => {
      const [criterion, loss] = [kinds[index]!, index < 2 ? prematureExit : disagreement];
      const { guarantee, values, achieved } = controlRisk(calm, { loss, level: 0.1, method, criterion, date });
      expect(guarantee).toMatchObject({ risk: loss.name, method, candidates: 61 });
      expect(guarantee.upperBound).toBeLessThanOrEqual(0.1);
      expect(thresholdGrid(criterion, 4)).toContainEqual([values[0]]);
      const at = replay(calm, { kind: criterion, thresholds: values });
      expect(achieved.shares).toEqual([0, 1, 2].map((exit) => at.filter((left) => left === exit).length / 800));
    });
  });

  it('keeps the temperatures of the scores with the thresholds', () => {
    const temperatures = [2, 1.5, 1];
    expect(controlRisk({ ...calm, temperatures }, options)).toEqual({ ...controlRisk(calm, options), temperatures });
  });

  it('takes a loss of the user, and thresholds for each exit', () => {
    const regret: RiskLoss = {
      name: 'regret',
      range: [0, 10],
      of: ({ label, answer, exit }) => (answer.label === label ? 0 : 10 / exit),
    };
    const asked = { ...options, loss: regret, level: 0.5, candidates: [[0.1, 0.2], [0.3, 0.2]] };
    const { values, guarantee } = controlRisk(calm, asked);
    expect(values).toEqual([0.3, 0.2]);
    expect(guarantee).toMatchObject({ risk: 'regret', level: 0.5 });
    const lost = { ...regret, of: () => NaN };
    expect(() => controlRisk(calm, { ...asked, loss: lost })).toThrow('expected losses from 0 to 10, got NaN');
  });

  it('does not take classes in their order for a run of luck', () => {
    // One sample in ten is left wrong, and all of them come last: bets in that order would have won before.
    const samples = Array.from({ length: 1000 }, (_, at) => at);
    const [early, last] = [samples.map((at) => said(Number(at < 900), 0.1)), samples.map(() => said(1, 0))];
    const sorted = tableOf([early, early, last], samples.map(() => 1));
    const asked = { ...options, loss: prematureExit, level: 0.05 };
    expect(() => controlRisk(sorted, asked)).toThrow('it is 0.1 there, and no number');
  });

  it('says how many samples would do where there are too few', () => {
    const three = tableOf([0, 1, 2].map(() => [said(0, 0.1), said(1, 0.1), said(2, 0.1)]));
    const least = samplesNeeded([0], { level: 0.01, range: [-1, 1] })!;
    const attempt = (): unknown => controlRisk(three, { ...options, level: 0.01 });
    expect(attempt).toThrow(NotCertifiedError);
    expect(attempt).toThrow(`got none from 3 samples: without any loss ${least} samples would do, with 0, as seen`);
    const asked = { loss: prematureExit, level: 0.01, method: 'conformal', date } as const;
    const conformal = (): unknown => controlRisk(three, asked);
    expect(conformal).toThrow('without any loss 99 samples would do');
    const hopeless = (): unknown => controlRisk(calm, { ...options, loss: errorRate, level: 0.01 });
    expect(hopeless).toThrow('there, and no number of samples would do');
    expect(() => controlRisk(calm, { ...options, level: -0.1 })).toThrow('would do even without any loss; allow more');
  });

  it('needs about as many as it says', () => {
    const few = (count: number): ScoreTable => {
      const samples = Array.from({ length: count }, (_, at) => at);
      const exits = [0, 1, 2].map((exit) => samples.map((at) => said(Number(exit < 2 && at % 50 === 7), 0.1)));
      return tableOf(exits, samples.map(() => 0));
    };
    const rule = { loss: prematureExit, level: 0.04, bound: 'hoeffding-bentkus', candidates, date } as const;
    let estimate: number | undefined;
    try {
      controlRisk(few(200), rule);
    } catch (error) {
      ({ estimate } = error as NotCertifiedError);
    }
    // Between 200 and 400, at which the share of losses is the same.
    expect(estimate).toBeGreaterThan(200);
    expect(estimate).toBeLessThanOrEqual(400);
    expect(controlRisk(few(400), rule).guarantee).toMatchObject({ observed: 0.02 });
  });

  it('takes samples that are not finite to the last exit, and says where that is all', () => {
    const right = said(0, 0.1);
    const half = Array.from({ length: 600 }, (_, at) => (at % 2 ? broken : right));
    const table = tableOf([half, half, half.map(() => right)], half.map(() => 0));
    const { achieved, guarantee } = controlRisk(table, { ...options, loss: prematureExit, level: 0.02 });
    expect(achieved).toMatchObject({ accuracy: 1, shares: [0.5, 0, 0.5] });
    expect(guarantee).toMatchObject({ observed: 0, emptyClasses: 3 });
    const none = half.map(() => broken);
    const blind = tableOf([none, none, none]);
    expect(() => controlRisk(blind, options)).toThrow('none of 9 candidates lets a sample leave early');
  });

  it('lets all leave or none where all scores are the same', () => {
    const constant = Array.from({ length: 600 }, (_, at) => said(at % 4, 0.1));
    expect(controlRisk(tableOf([constant, constant, constant]), options).achieved.shares).toEqual([1, 0, 0]);
    const wrong = constant.map(({ label }) => said(3 - label, 0.1));
    expect(() => controlRisk(tableOf([wrong, wrong, constant]), options)).toThrow('it is 1 there, and no number');
  });

  it('refuses what it cannot judge', () => {
    expect(() => controlRisk(tableOf([[said(0, 0)]]), options)).toThrow('controlRisk: expected 2 exits or more, got 1');
    expect(() => controlRisk(tableOf([[], [], []]), options)).toThrow('expected samples, got none in by hand');
    expect(() => controlRisk(calm, { ...options, candidates: [] })).toThrow('expected candidates, got none');
    expect(() => controlRisk(calm, { ...options, candidates: [[9]] })).toThrow('expected thresholds from 0 to 1.3863');
    const never = new Date('never');
    expect(() => controlRisk(calm, { ...options, date: never })).toThrow('expected a date, got an invalid one');
  });

  it('refuses data that were looked at before', () => {
    const test = { ...subset(calm.dataset, [5, 17], 'test'), labels: Uint8Array.of(3, 3) };
    expect(() => controlRisk(calm, { ...options, apartFrom: [test] })).toThrow(
      'by hand and test: expected no image in both, got 2 of 2, first item 0 of test',
    );
    const apart = { ...test, images: Uint8Array.of(255, 255, 254, 255) };
    expect(controlRisk(calm, { ...options, apartFrom: [apart] }).guarantee.level).toBe(0.1);
  });
});

describe('the guarantee', () => {
  const { metadata, tensors } = parseSafetensors(blankModel());
  const chosen = controlRisk(population({ count: 1500, bump: false }), { loss: accuracyLoss, level: 0.1, date });
  const written = (guarantee: object): Uint8Array => {
    // A B-LeNet has one early exit, and not the classes of the table: what is kept are numbers.
    const thresholds = { ...chosen, values: chosen.values.slice(1), guarantee };
    const json = { ...JSON.parse(metadata['exitgpu']!), thresholds };
    return serializeSafetensors({ metadata: { exitgpu: JSON.stringify(json) }, tensors });
  };

  it('is kept in the model file and told', () => {
    const { network, details } = readModelFile(written(chosen.guarantee));
    expect(details.thresholds?.guarantee).toEqual(chosen.guarantee);
    const text = modelText(network, details).replace(/\s+/g, ' ');
    expect(text).toContain('; accuracy loss at most 0.1 guaranteed with probability 0.9 guarantee accuracy loss');
    const { fingerprint } = chosen.chosenOn;
    expect(text).toContain(`for samples like those of by hand (1,500 samples, fingerprint ${fingerprint})`);
    expect(text).toContain('fixed-sequence with waudby-smith-ramdas over 61 candidates, 2026-11-22');
  });

  it('is told as one on average where it is conformal', () => {
    const { delta: _, bound: __, ...rest } = chosen.guarantee;
    const { network, details } = readModelFile(written({ ...rest, method: 'conformal', emptyClasses: 2 }));
    const text = modelText(network, details).replace(/\s+/g, ' ');
    expect(text).toContain('accuracy loss at most 0.1 guaranteed on average');
    expect(text).toContain('conformal over 61 candidates, 2026-11-22; no sample was of 2 of the classes');
  });

  it('is refused where a file garbles it', () => {
    const reading = (change: object) => () => readModelFile(written({ ...chosen.guarantee, ...change }));
    expect(reading({ method: 'luck' })).toThrow('guarantee.method: expected one of');
    expect(reading({ delta: 2 })).toThrow('guarantee.delta: expected a number');
  });
});
