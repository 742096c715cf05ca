import {
  calibrateExits,
  calibrationReport,
  CALIBRATION_METHODS,
  fingerprint,
  learnsToLeave,
  loadModel,
  readModelFile,
  saveModel,
  scoreExits,
} from '../../node.ts';
import type { Calibrator, Dataset, Model } from '../../node.ts';
import { checkFits } from '../../earlyexit/network.ts';
import { calibrationText } from '../../report/calibration.ts';
import { calibrationChart } from '../../report/charts/reliability.ts';
import { thresholdsText } from '../../report/model.ts';
import { list } from '../../report/table.ts';
import { chooseAgain, chooseNow } from '../criterion.ts';
import { dataFlags, readData } from '../data.ts';
import { adapterFlag, openDevice } from '../device.ts';
import { checkWritable, readBytes, writeWhole } from '../files.ts';
import { choice, flag, integer, optionalFlag, svgFlag, text } from '../flags.ts';
import { UsageError } from '../usage-error.ts';
import { defineVerb, onData } from '../verb.ts';

export const calibrateVerb = defineVerb({
  name: 'calibrate',
  inputs: '<file>',
  summary: 'Make the confidence of exits mean what it says, on validation data; temperatures are kept with the model',
  flags: {
    ...dataFlags,
    method: flag(choice(...CALIBRATION_METHODS), {
      placeholder: 'method',
      help: `${CALIBRATION_METHODS.join(', ')}; all but temperature are shown only, as exit checks compute no other`,
      fallback: 'temperature',
    }),
    split: flag(choice('test', 'validation'), {
      placeholder: 'part',
      help: 'The part of the data that calibration is judged on: test or validation',
      fallback: 'test',
    }),
    out: optionalFlag(text, { placeholder: 'file', help: 'The calibrated model (default the file itself)' }),
    svg: svgFlag,
    batch: flag(integer(1), { placeholder: 'n', help: 'Samples that go through the network together', fallback: '64' }),
    adapter: adapterFlag,
  },
  async run([file], { method, split, out = file!, batch, adapter, ...data }) {
    if (method !== 'temperature' && out !== file) {
      throw new UsageError(`--out: expected it with --method temperature only, got ${method}, which no model keeps`);
    }
    if (method === 'temperature') await checkWritable(out);
    const bytes = await readBytes(file!, 'a model file');
    const { network } = readModelFile(bytes, file);
    const parts = await readData(data);
    const { validation, [split]: judged } = parts;
    for (const part of [validation, judged]) checkFits(network, part, '--data');
    using device = await openDevice(adapter);
    using model = loadModel(device, bytes, file);

    const table = await scoreExits(model, validation, { batch, logits: true });
    const calibrators: Calibrator[] = calibrateExits(table, method);
    const same = fingerprint(judged) === fingerprint(validation);
    const judgedTable = same ? table : await scoreExits(model, judged, { batch, logits: true });
    const report = calibrationReport(judgedTable, { calibrators });
    const warnings = suspicions(model, validation, same);
    const kept = await keep(model, validation, calibrators, { batch, out });
    const shown = calibrationText(report, calibrators, {
      title: file!,
      fittedOn: validation.name,
      judgedOn: judged.name,
    });
    return {
      text: [shown, '', list(kept.lines), ...warnings.map((warning) => `WARNING: ${warning}`)].join('\n'),
      json: {
        method,
        calibrators,
        fittedOn: validation.name,
        judgedOn: judged.name,
        report,
        ...(kept.saved && { out, thresholds: model.thresholds }),
        warnings,
      },
      picture: {
        chart: calibrationChart(report, 'calibration'),
        caption: [
          onData(file!, judged),
          `grey: before, blue: after calibration (${method}); bars: 95 %`,
        ],
      },
    };
  },
});

/** Why the figures may look better than they are. */
function suspicions({ training }: Model, validation: Dataset, same: boolean): string[] {
  const warnings: string[] = [];
  if (same) warnings.push('calibration is judged on the very data it was fitted on, and fits them best');
  if (fingerprint(validation) === training?.fingerprint) {
    warnings.push('the model was trained on the data it is calibrated on, and is right there too often');
  }
  return warnings;
}

/** Writes the model with temperatures, and thresholds chosen anew at them; unless nothing of it would use them. */
async function keep(
  model: Model,
  validation: Dataset,
  calibrators: readonly Calibrator[],
  { batch, out }: { batch: number; out: string },
): Promise<{ lines: [string, string][]; saved: boolean }> {
  // One at the end of its range is no estimate.
  const temperatures = calibrators.flatMap((calibrator) =>
    calibrator.kind === 'temperature' ? [calibrator.bounded ? 1 : calibrator.temperature] : []);
  const { network, thresholds: before } = model;
  const idle =
    temperatures.length === 0 ? `exit checks compute no ${calibrators[0]!.kind} scaling`
    : network.stages.length === 1 ? 'the model has one exit, which always answers'
    : learnsToLeave(network) && !before ? 'the model has learned when to leave, by scores of temperature 1'
    : undefined;
  if (idle) return { lines: [['not saved', `${idle}: the model is as it was`]], saved: false };
  const table = await scoreExits(model, validation, { batch, temperatures });
  model.thresholds = before ? chooseAgain(before)(table) : chooseNow(table, {});
  await writeWhole(out, await saveModel(model));
  const anew = before ? 'chosen anew, as those before were for other scores: ' : '';
  const lines: [string, string][] = [['thresholds', anew + thresholdsText(model.thresholds)]];
  if (before?.guarantee) lines.push(['guarantee', 'dropped: it held for those before; certify these on other data']);
  return { lines: [...lines, ['saved', out]], saved: true };
}
