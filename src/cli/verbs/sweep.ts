import { basename } from 'node:path';
import {
  loadModel,
  measureExitTimes,
  pickSamples,
  Random,
  readModelFile,
  scoreExits,
  sideBySide,
  sweep,
} from '../../node.ts';
import type { DatasetParts, Device, ExitTimes, ModelFile, ScoreRecord, ScoreTable, SweepReport } from '../../node.ts';
import { comparedMeasure } from '../../earlyexit/judgement/answers.ts';
import { madeOn } from '../../earlyexit/judgement/scores.ts';
import { checkFits } from '../../earlyexit/network.ts';
import { accuracyChart } from '../../report/charts/accuracy.ts';
import { plural, whole } from '../../report/format.ts';
import { sideBySideText } from '../../report/side-by-side.ts';
import { sweepText } from '../../report/sweep.ts';
import { note } from '../console.ts';
import { chooseNow, criterionFlags, decide, decidesItself, fromChoice, fromModel, maxLossFlag } from '../criterion.ts';
import type { Decision } from '../criterion.ts';
import { dataFlags, readData } from '../data.ts';
import { adapterFlag, openDevice } from '../device.ts';
import { readBytes } from '../files.ts';
import { choice, flag, integer, optionalFlag, svgFlag, text, toggle } from '../flags.ts';
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
  milliseconds: toggle('Measure the time to each exit on this adapter, and show it beside multiply-accumulates'),
  points: flag(integer(2), { placeholder: 'n', help: 'Points of the curve at most', fallback: '12' }),
  batch: flag(integer(1), { placeholder: 'n', help: 'Samples that go through the network together', fallback: '64' }),
  svg: svgFlag,
  adapter: adapterFlag,
};
type SweepFlags = Values<typeof sweepFlags>;

export const sweepVerb = defineVerb({
  name: 'sweep',
  inputs: '<...files>',
  summary:
    'Accuracy against compute over all thresholds, of a model or of scores that evaluate --record wrote; ' +
    'several of them side by side',
  flags: sweepFlags,
  async run(files, flags) {
    checkFlags(files, flags);
    const inputs = await Promise.all(files.map((file) => readInput(file)));
    const parts = inputs.some((input) => 'bytes' in input) ? await readData(flags) : undefined;
    for (const input of inputs) {
      if (!('bytes' in input)) continue;
      for (const part of [parts!.validation, parts![flags.split]]) checkFits(input.network, part, '--data');
    }
    using device = parts && (await openDevice(flags.adapter));
    const scored: Scored[] = [];
    for (const input of inputs) {
      const one =
        'bytes' in input
          ? await ofModel(device!, input, parts!, flags)
          : await ofRecord(input, flags, files.length > 1);
      scored.push({ ...one, decision: one.decision ?? fromChoice(chooseNow(one.validation, flags), 'chosen') });
    }
    return scored.length === 1 ? sweepOne(scored[0]!, flags) : compareAll(scored);
  },
});

/** @throws UsageError for flags that do not belong to these files */
function checkFlags(files: readonly string[], { validation, milliseconds }: SweepFlags): void {
  if (validation !== undefined && !(files.length === 1 && isScoreFile(files[0]!))) {
    const got = files.length === 1 ? `${files[0]}; see --data` : plural(files.length, 'file');
    throw new UsageError(`--validation: expected it with recorded scores (.parquet) of one run, got ${got}`);
  }
  const record = files.find(isScoreFile);
  if (!milliseconds || record === undefined) return;
  throw new UsageError(
    `--milliseconds: expected models, which are run to be timed, got recorded scores, ${record}; ` +
      'give the model that was recorded',
  );
}

function sweepOne({ file, table, validation, heads, times, decision }: Scored, flags: SweepFlags) {
  const { criterion, origin, source, chosenOn } = decision;
  const measure = flags.criterion ?? comparedMeasure(criterion);
  const report = sweep(table, validation, criterion, { heads, measure, points: flags.points, times });
  return {
    text: sweepText(report, { title: file, origin }),
    json: { ...report, thresholds: { source, ...(chosenOn && { chosenOn }) } },
    picture: { chart: chartOf(report), caption: captionOf(basename(file), report) },
  };
}

function compareAll(scored: readonly Scored[]) {
  const halves = scored.filter(({ file, decision }) => isScoreFile(file) && decision.source === 'chosen');
  if (halves.length > 0 && halves.length < scored.length) {
    note('of recorded scores one half chooses thresholds: give --threshold, or record the models too, to compare all');
  }
  const runs = scored.map(({ file, decision, ...rest }) => ({ ...rest, name: file, criterion: decision.criterion }));
  const result = sideBySide(runs);
  const caption = captionOf(plural(result.runs.length, 'run'), result.runs[0]!);
  return { text: sideBySideText(result), json: result, picture: { chart: accuracyChart(result.runs, []), caption } };
}

/** With the oracle, to see how much better exits could be chosen. */
function chartOf({ accuracy, full, macs, curve, oracle }: SweepReport) {
  const judged = { name: '', accuracy, accuracyFull: full.accuracy, macs: { mean: macs, full: full.macs }, curve };
  const { accuracy: value } = oracle;
  return accuracyChart([judged], [{ name: 'oracle', accuracy: { value, low: value, high: value }, macs: oracle.macs }]);
}

const captionOf = (what: string, { judgedOn }: Pick<SweepReport, 'judgedOn'>): string[] =>
  [`${what} on ${judgedOn.dataset}, ${plural(judgedOn.samples, 'sample')}`, 'band and bars: 95 %'];

interface RecordInput extends ScoreRecord {
  readonly file: string;
}

interface ModelInput extends ModelFile {
  readonly file: string;
  readonly bytes: Uint8Array;
}

async function readInput(file: string): Promise<RecordInput | ModelInput> {
  if (isScoreFile(file)) return { file, ...(await readScoreFile(file)) };
  const bytes = await readBytes(file, 'a model file');
  return { file, bytes, ...readModelFile(bytes, file) };
}

/** What a file says of every sample. */
interface Scores {
  readonly file: string;
  readonly table: ScoreTable;
  readonly validation: ScoreTable;
  readonly heads: readonly number[];
  readonly seed?: number | undefined;
  readonly times?: ExitTimes | undefined;
}

interface Scored extends Scores {
  readonly decision: Decision;
}

/** `decision` is undefined where thresholds have yet to be chosen. */
type Undecided = Scores & { readonly decision: Decision | undefined };

/** One half chooses thresholds, and a curve, to be judged on the other. `beside` others there is no curve. */
async function ofRecord(record: RecordInput, flags: SweepFlags, beside: boolean): Promise<Undecided> {
  const { file, table, heads } = record;
  const decision = decide({ stages: table.exits, classes: table.classes }, undefined, flags);
  if (flags.validation !== undefined) {
    const other = await readScoreFile(flags.validation);
    const [wanted, got] = [record, other].map(scoredBy);
    if (wanted !== got) {
      throw new UsageError(`--validation: expected scores of ${wanted}, as in ${file}, got those of ${got}`);
    }
    return { file, table, heads, decision, validation: other.table };
  }
  if (beside && decision) return { file, table, validation: table, heads, decision };
  const order = new Random(1).shuffle(Uint32Array.from(table.dataset.labels.keys()));
  const half = Math.floor(order.length / 2);
  const { dataset: name, fingerprint } = madeOn(table);
  const judged = pickSamples(table, order.slice(half), `one half of ${name}`);
  return {
    file,
    // The same half of the same data, whoever recorded it.
    table: { ...judged, fingerprint: `half of ${fingerprint}` },
    validation: pickSamples(table, order.slice(0, half), `the other half of ${name}`),
    heads,
    decision,
  };
}

/** What scores have to share for thresholds to mean the same. */
const scoredBy = ({ network, table: { macs, temperatures } }: ScoreRecord): string =>
  `${network}, exits of ${macs.map(whole).join(' and ')} multiply-accumulates` +
  (temperatures ? ` at temperatures ${temperatures.join(', ')}` : '');

async function ofModel(
  device: Device,
  { file, bytes, network, details }: ModelInput,
  parts: DatasetParts,
  flags: SweepFlags,
): Promise<Undecided> {
  const { validation, [flags.split]: judged } = parts;
  using model = loadModel(device, bytes, file);
  const given = decide(network, details.thresholds, flags);
  const decision = given ?? (decidesItself(network, flags) ? await fromModel(model) : undefined);
  const options = { batch: flags.batch, temperatures: decision?.criterion.temperatures };
  const scores = await scoreExits(model, validation, options);
  const table = judged === validation ? scores : await scoreExits(model, judged, options);
  if (judged === validation) note('thresholds are chosen and judged on the same data, and fit it best');
  return {
    file,
    table,
    validation: scores,
    heads: network.macs.heads,
    decision,
    seed: details.training?.seed,
    times: flags.milliseconds ? await measureExitTimes(model, judged) : undefined,
  };
}
