import {
  evaluate,
  exitShares,
  fingerprint,
  halfModel,
  loadModel,
  readModelFile,
  scoreExits,
} from '../../node.ts';
import type { Dataset, EvaluateOptions, Model } from '../../node.ts';
import { checkFits } from '../../earlyexit/network.ts';
import { depthChart } from '../../report/charts/depth.ts';
import { evaluationText } from '../../report/evaluation.ts';
import { plural } from '../../report/format.ts';
import { chosenHere, criterionFlags, decide, decidesItself, fromModel, maxLossFlag } from '../criterion.ts';
import type { Decision } from '../criterion.ts';
import { dataFlags, readData } from '../data.ts';
import { adapterFlag, halfFlag, openDevice } from '../device.ts';
import { readBytes } from '../files.ts';
import { choice, flag, integer, optionalFlag, svgFlag, text } from '../flags.ts';
import { policyFlags, policyOptions } from '../policy.ts';
import { checkRecord, writeScores } from '../score-file.ts';
import { checkStress, stress, stressFlags } from '../stress.ts';
import { UsageError } from '../usage-error.ts';
import { defineVerb, onData } from '../verb.ts';

export const evaluateVerb = defineVerb({
  name: 'evaluate',
  inputs: '<file>',
  summary: 'Judge a model with its exits and without: accuracy, where samples leave, work, latency',
  flags: {
    ...dataFlags,
    split: flag(choice('test', 'validation'), {
      placeholder: 'part',
      help: 'The part of the data: test or validation',
      fallback: 'test',
    }),
    ...criterionFlags,
    maxLoss: maxLossFlag,
    ...policyFlags,
    half: halfFlag,
    ...stressFlags,
    record: optionalFlag(text, {
      placeholder: 'scores.parquet',
      help: 'Write what every exit says of every sample there, a row each: exitgpu sweep and others read it',
    }),
    batch: flag(integer(1), { placeholder: 'n', help: 'Samples together where accuracy is measured', fallback: '64' }),
    svg: svgFlag,
    adapter: adapterFlag,
  },
  async run([file], flags) {
    const bytes = await readBytes(file!, 'a model file');
    const { network, details } = readModelFile(bytes, file);
    checkStress(network, flags);
    if (flags.half && flags.slowDown !== undefined) {
      throw new UsageError('--slow-down: expected a model in f32, got --half: its search needs gradients');
    }
    const decided = decide(network, details.thresholds, flags);
    const { record } = flags;
    if (record !== undefined) await checkRecord(record);
    const parts = await readData(flags);
    checkFits(network, parts[flags.split], '--data');
    using device = await openDevice(flags.adapter);
    using loaded = loadModel(device, bytes, file);
    using model = flags.half ? await halfModel(loaded) : loaded;
    const undecided = async (): Promise<Decision> =>
      decidesItself(network, flags)
        ? fromModel(model)
        : chosenHere(await scoreExits(model, parts.validation, { batch: flags.batch }), flags);
    let decision = decided ?? (await undecided());
    const { temperatures } = decision.criterion;
    if (flags.policy === 'auto' && !decision.shares) {
      const table = await scoreExits(model, parts.validation, { batch: flags.batch, temperatures });
      decision = { ...decision, shares: exitShares(table, decision.criterion) };
    }
    const judged = parts[flags.split];
    const scoring = { batch: flags.batch, temperatures };
    const scores = record === undefined ? undefined : await scoreExits(model, judged, scoring);
    if (scores) await writeScores(record!, { table: scores, network: model.network.half ? `${network.name} in f16` : network.name, heads: network.macs.heads });
    const scheduling = { ...policyOptions(flags), deadlineMs: flags.deadline };
    const judgement = await judge(model, judged, decision, { batch: flags.batch, scores, title: file!, scheduling });
    const stressed = await stress(model, judged, decision, { ...flags, scheduling });
    return {
      text: [judgement.text, ...stressed.texts].join('\n\n'),
      json: { ...judgement.json, ...stressed.json },
      picture: {
        chart: depthChart(judgement.json.exits, 'depth'),
        caption: [
          onData(file!, judged),
          'blue: right, orange: wrong',
        ],
      },
    };
  },
});

type Scheduling = Pick<EvaluateOptions, 'policy' | 'store' | 'deadlineMs'>;

interface JudgeOptions extends Pick<EvaluateOptions, 'scores'> {
  readonly batch: number;
  readonly title: string;
  readonly scheduling?: Scheduling;
}

/** Evaluates and puts the result in words. */
export async function judge(
  model: Model,
  dataset: Dataset,
  { criterion, source, origin, chosenOn, shares }: Decision,
  { batch, title, scores, scheduling = {} }: JudgeOptions,
) {
  const warnings = suspicions(model, dataset, chosenOn?.fingerprint);
  const report = await evaluate(model, dataset, { criterion, batch, shares, scores, ...scheduling });
  if (report.notFinite) {
    warnings.push(`counted as wrong for a NaN or infinite logit: ${plural(report.notFinite, 'sample')}`);
  }
  const text = evaluationText(report, { title, origin });
  return {
    text: [text, ...warnings.map((warning) => `WARNING: ${warning}`)].join('\n'),
    json: { ...report, thresholds: { source, ...(chosenOn && { chosenOn }) }, warnings },
  };
}

/** Why the figures may look better, or worse, than they are. */
export function suspicions({ training }: Model, dataset: Dataset, chosenOn: string | undefined): string[] {
  const here = fingerprint(dataset);
  const family = (name: string): string => name.split('/')[0]!;
  const warnings: string[] = [];
  if (here === chosenOn) warnings.push('the thresholds were chosen on this very data, and fit it best');
  if (here === training?.fingerprint) warnings.push('the model was trained on this very data, and knows the answers');
  if (training && family(training.dataset) !== family(dataset.name)) {
    warnings.push(`the model was trained on ${family(training.dataset)}, not on ${family(dataset.name)}`);
  }
  return warnings;
}
