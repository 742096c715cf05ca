import {
  answers,
  bootstrapDifference,
  CRITERIA,
  loadModel,
  measureExitTimes,
  POLICIES,
  readModelFile,
  saveModel,
  scoreExits,
  stability,
  wilson,
} from '../../node.ts';
import type { ChosenThresholds, ExitTimes, Model, ScoreTable } from '../../node.ts';
import { criterionOf } from '../../earlyexit/criteria.ts';
import { rightAtExits, sumOf } from '../../earlyexit/judgement/answers.ts';
import { UNSTABLE } from '../../earlyexit/judgement/stability.ts';
import { leavingAt } from '../../earlyexit/judgement/thresholds.ts';
import { checkFits } from '../../earlyexit/network.ts';
import { stabilityChart } from '../../report/charts/stability.ts';
import { tuningText } from '../../report/tuning.ts';
import type { Achieved } from '../../report/tuning.ts';
import { dataFlags, readData } from '../data.ts';
import { adapterFlag, openDevice } from '../device.ts';
import { checkWritable, readBytes, writeWhole } from '../files.ts';
import { choice, flag, integer, optionalFlag, svgFlag, text } from '../flags.ts';
import { isScoreFile } from '../score-file.ts';
import { chooserOf, isTimed, leniently, targetFlags } from '../tuning.ts';
import { UsageError } from '../usage-error.ts';
import { defineVerb, onData } from '../verb.ts';

export const tuneVerb = defineVerb({
  name: 'tune',
  inputs: '<file>',
  summary: 'Choose thresholds on validation data to a target, say how firm they are, keep them with the model',
  flags: {
    ...dataFlags,
    criterion: optionalFlag(choice(...CRITERIA), {
      placeholder: 'kind',
      help: `What an exit decides by: ${CRITERIA.join(', ')} (default what the model's thresholds are for, or entropy)`,
    }),
    ...targetFlags,
    policy: optionalFlag(choice(...POLICIES), {
      placeholder: 'policy',
      help: `With --milliseconds or --deadline, how calls are timed: ${POLICIES.join(', ')} (default readback)`,
    }),
    calls: flag(integer(1), {
      placeholder: 'n',
      help: 'With --milliseconds or --deadline: calls timed for each exit',
      fallback: '200',
    }),
    draws: flag(integer(2), {
      placeholder: 'n',
      help: 'Validation sets resampled to see how firm thresholds are',
      fallback: '100',
    }),
    seed: flag(integer(0), { placeholder: 'n', help: 'Decides what is resampled', fallback: '1' }),
    out: optionalFlag(text, { placeholder: 'file', help: 'The tuned model (default the file itself)' }),
    svg: svgFlag,
    batch: flag(integer(1), { placeholder: 'n', help: 'Samples that go through the network together', fallback: '64' }),
    adapter: adapterFlag,
  },
  async run([file], flags) {
    const { draws, seed, out = file!, batch, adapter, criterion: kind, policy, calls, ...target } = flags;
    if (isScoreFile(file!)) {
      throw new UsageError(
        `${file}: expected a model, which thresholds are kept with and times are measured of, got recorded scores; ` +
          'give the model that was recorded',
      );
    }
    if (policy && !isTimed(target)) {
      throw new UsageError('--policy: expected it with --milliseconds or --deadline, got neither');
    }
    await checkWritable(out);
    const bytes = await readBytes(file!, 'a model file');
    const { network, details: { thresholds: stored } } = readModelFile(bytes, file);
    if (network.stages.length === 1) {
      throw new UsageError(`${file}: expected a network with early exits, got one exit, which always answers`);
    }
    const { train, validation, test } = await readData(flags);
    checkFits(network, validation, '--data');
    const chooser = chooserOf(target, network, kind ?? stored?.criterion ?? 'entropy', [train, test]);
    using device = await openDevice(adapter);
    using model = loadModel(device, bytes, file);
    const table = await scoreExits(model, validation, { batch, temperatures: stored?.temperatures });
    const times = isTimed(target) ? await measureExitTimes(model, validation, { policy, calls }) : undefined;
    const choose = (from: ScoreTable) => chooser(from, times);
    const chosen = choose(table);
    const firmness = stability(table, leniently(choose, chosen, network.classes), { draws, seed });
    const achieved = achievedBy(table, chosen, network.macs.full, times);
    const warnings = suspicions(model, chosen);
    model.thresholds = chosen;
    await writeWhole(out, await saveModel(model));
    const shown = tuningText(chosen, achieved, firmness, { title: file!, classNames: model.classNames });
    return {
      text: [shown, `saved ${out}`, ...warnings.map((warning) => `WARNING: ${warning}`)].join('\n'),
      json: { out, thresholds: chosen, achieved, stability: firmness, unstable: UNSTABLE, warnings },
      picture: {
        chart: stabilityChart(firmness, { criterion: chosen.criterion, classNames: model.classNames }, 'stability'),
        caption: [
          onData(file!, validation),
          'dot: chosen; bar: 95 % of the choices on resampled data',
        ],
      },
    };
  },
});

function achievedBy(
  table: ScoreTable,
  chosen: ChosenThresholds,
  full: number,
  times: ExitTimes | undefined,
): Achieved {
  const { at, right, macs } = answers(table, criterionOf(chosen));
  return {
    accuracy: wilson(sumOf(right), right.length),
    gain: bootstrapDifference(right, rightAtExits(table).at(-1)!),
    macs: { mean: macs, full },
    shares: leavingAt(at, table.exits.length).map((samples) => wilson(samples, at.length)),
    ...(times && { times }),
  };
}

/** Why a guarantee may not hold: it asks for data that nothing else of the model was chosen on. */
function suspicions({ training }: Model, { guarantee, temperatures }: ChosenThresholds): string[] {
  if (!guarantee) return [];
  const warnings: string[] = [];
  if (training?.validation) {
    warnings.push('these data have chosen the weights, where training ended by them; the guarantee asks for others');
  }
  if (temperatures) warnings.push('if temperatures were fitted on these data, the guarantee asks for others');
  return warnings;
}
