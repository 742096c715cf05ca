import { loadModel, pickSamples, Random, readModelFile, scoreExits, sweep, tuneTo } from '../../node.ts';
import type { CriterionKind, ScoreTable } from '../../node.ts';
import { checkFits } from '../../earlyexit/network.ts';
import { sweepText } from '../../report/sweep.ts';
import { note } from '../console.ts';
import { criterionFlags, decide, decidesItself, fromChoice, fromModel, maxLossFlag } from '../criterion.ts';
import type { Decision } from '../criterion.ts';
import { dataFlags, readData } from '../data.ts';
import { adapterFlag, openDevice } from '../device.ts';
import { readBytes } from '../files.ts';
import { choice, flag, integer, optionalFlag, text } from '../flags.ts';
import type { Values } from '../flags.ts';
import { isScoreFile, readScoreFile } from '../score-file.ts';
import { UsageError } from '../usage-error.ts';
import { defineVerb } from '../verb.ts';

const sweepFlags = {
  ...dataFlags,
  split: flag(choice('test', 'validation'), {
    placeholder: 'part',
    help: 'The part of the data that is judged: test or validation',
    fallback: 'test',
  }),
  validation: optionalFlag(text, {
    placeholder: 'scores',
    help: 'With recorded scores: others that thresholds are chosen on (default half of the samples, the rest judged)',
  }),
  ...criterionFlags,
  maxLoss: maxLossFlag,
  points: flag(integer(2), { placeholder: 'n', help: 'Points of the curve at most', fallback: '12' }),
  batch: flag(integer(1), { placeholder: 'n', help: 'Samples that go through the network together', fallback: '64' }),
  adapter: adapterFlag,
};
type SweepFlags = Values<typeof sweepFlags>;

export const sweepVerb = defineVerb({
  name: 'sweep',
  inputs: '<file>',
  summary: 'Accuracy against compute over all thresholds, of a model or of scores that evaluate --record wrote',
  flags: sweepFlags,
  async run([file], flags) {
    if (flags.validation !== undefined && !isScoreFile(file!)) {
      throw new UsageError(`--validation: expected it with recorded scores (.parquet), got ${file}; see --data`);
    }
    const scored = isScoreFile(file!) ? await ofRecord(file!, flags) : await ofModel(file!, flags);
    const { table, validation, heads, decided } = scored;
    const decision = decided ?? chosenOn(validation, flags);
    const measure = flags.criterion ?? measureOf(decision);
    const report = sweep(table, validation, decision.criterion, { heads, measure, points: flags.points });
    const { origin, source, chosenOn: on } = decision;
    return {
      text: sweepText(report, { title: file!, origin }),
      json: { ...report, thresholds: { source, ...(on && { chosenOn: on }) } },
    };
  },
});

interface Scored {
  readonly table: ScoreTable;
  readonly validation: ScoreTable;
  readonly heads: readonly number[];
  /** Undefined where thresholds have yet to be chosen. */
  readonly decided: Decision | undefined;
}

async function ofRecord(file: string, flags: SweepFlags): Promise<Scored> {
  const { table, heads } = await readScoreFile(file);
  const decided = decide({ stages: table.exits, classes: table.classes }, undefined, flags);
  if (flags.validation !== undefined) {
    return { table, heads, decided, validation: (await readScoreFile(flags.validation)).table };
  }
  const order = new Random(1).shuffle(Uint32Array.from(table.dataset.labels.keys()));
  const half = Math.floor(order.length / 2);
  const { name } = table.dataset;
  return {
    table: pickSamples(table, order.slice(half), `one half of ${name}`),
    validation: pickSamples(table, order.slice(0, half), `the other half of ${name}`),
    heads,
    decided,
  };
}

async function ofModel(file: string, flags: SweepFlags): Promise<Scored> {
  const bytes = await readBytes(file, 'a model file');
  const { network, details } = readModelFile(bytes, file);
  const { validation, [flags.split]: judged } = await readData(flags);
  for (const part of [validation, judged]) checkFits(network, part, '--data');
  using device = await openDevice(flags.adapter);
  using model = loadModel(device, bytes, file);
  const given = decide(network, details.thresholds, flags);
  const decided = given ?? (decidesItself(network, flags) ? await fromModel(model) : undefined);
  const options = { batch: flags.batch, temperatures: decided?.criterion.temperatures };
  const scores = await scoreExits(model, validation, options);
  const table = judged === validation ? scores : await scoreExits(model, judged, options);
  if (judged === validation) note('thresholds are chosen and judged on the same data, and fit it best');
  return { table, validation: scores, heads: network.macs.heads, decided };
}

const chosenOn = (validation: ScoreTable, { criterion = 'entropy', maxLoss }: SweepFlags): Decision =>
  fromChoice(tuneTo(validation, { maxAccuracyLoss: maxLoss / 100 }, { criterion }), 'chosen');

/** What the curve is drawn by, where the criterion compares one measure. */
const measureOf = ({ criterion: { kind } }: Decision): CriterionKind =>
  kind === 'confidence' || kind === 'margin' ? kind : 'entropy';
