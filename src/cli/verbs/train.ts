import { dirname, join } from 'node:path';
import { adam, chooseThresholds, cosine, Model, saveModel, scoreExits, statistics, train } from '../../node.ts';
import type { DatasetParts, Device, Network } from '../../node.ts';
import { accuracyOf } from '../../earlyexit/judgement/scores.ts';
import { MODEL_NAMES, MODELS } from '../../earlyexit/models/zoo.ts';
import { checkFits } from '../../earlyexit/network.ts';
import { percent, plural } from '../../report/format.ts';
import { networkText, thresholdsText } from '../../report/model.ts';
import { list } from '../../report/table.ts';
import { maxLossFlag } from '../criterion.ts';
import { note } from '../console.ts';
import { dataFlag, readData, shortName } from '../data.ts';
import { adapterFlag, openDevice } from '../device.ts';
import { EXIT_CODES } from '../failure.ts';
import { checkWritable, makeFolder, writeWhole } from '../files.ts';
import { choice, flag, integer, number, optionalFlag, text } from '../flags.ts';
import type { Values } from '../flags.ts';
import { interruptSignal } from '../interrupt.ts';
import { showProgress } from '../progress.ts';
import { trainingFlags, trainingOptions } from '../training.ts';
import { defineVerb } from '../verb.ts';

const MODELS_FOLDER = 'models';

export const trainFlags = {
  model: flag(choice(...MODEL_NAMES), {
    placeholder: 'name',
    help: `The network: ${MODEL_NAMES.join(', ')}`,
    fallback: 'b-lenet',
  }),
  data: dataFlag,
  epochs: flag(integer(1), { placeholder: 'n', help: 'Times through the training part', fallback: '5' }),
  batch: flag(integer(1), { placeholder: 'n', help: 'Samples per step', fallback: '64' }),
  seed: flag(integer(0), {
    placeholder: 'n',
    help: 'Decides the first weights and the order of the samples',
    fallback: '1',
  }),
  ...trainingFlags,
  learningRate: flag(number(0, Infinity, { exclusive: true }), {
    placeholder: 'x',
    help: 'Of Adam at the first step; a cosine takes it to 0 at the last',
    fallback: '0.002',
  }),
  maxLoss: maxLossFlag,
  out: optionalFlag(text, {
    placeholder: 'file',
    help: `The model (default ${MODELS_FOLDER}/<model>-<data>.safetensors)`,
  }),
  adapter: adapterFlag,
};

export type TrainFlags = Values<typeof trainFlags>;

export const trainVerb = defineVerb({
  name: 'train',
  summary: 'Train a network with exits, choose thresholds on validation data, save the model',
  flags: trainFlags,
  async run(_, flags) {
    const plan = await planTraining(flags);
    using device = await openDevice(flags.adapter);
    using trained = await trainModel(device, plan, flags);
    const { model, out, interrupted, accuracy, text } = trained;
    const { training, thresholds } = model;
    return {
      text,
      json: { out, interrupted, adapter: device.name, training, validation: { accuracy }, thresholds },
      ...(interrupted && { exitCode: EXIT_CODES.interrupted }),
    };
  },
});

/** Everything that can be wrong before a device is opened has been looked at. */
export interface TrainingPlan {
  readonly network: Network;
  readonly parts: DatasetParts;
  readonly out: string;
}

/** @throws UsageError, DataError, ArgumentError */
export async function planTraining(flags: TrainFlags): Promise<TrainingPlan> {
  const network = MODELS[flags.model]();
  trainingOptions(flags, network);
  const out = flags.out ?? join(MODELS_FOLDER, `${flags.model}-${shortName(flags.data)}.safetensors`);
  if (flags.out !== undefined) await checkWritable(out);
  const parts = await readData(flags.data);
  for (const part of Object.values(parts)) checkFits(network, part, '--data');
  if (flags.out === undefined) {
    await makeFolder(dirname(out));
    await checkWritable(out);
  }
  return { network, parts, out };
}

/** Trains, chooses thresholds and saves; Ctrl-C ends the training, and what there is is saved. */
export async function trainModel(device: Device, { network, parts, out }: TrainingPlan, flags: TrainFlags) {
  const { seed, epochs, batch, learningRate, maxLoss } = flags;
  const { train: trainPart, validation } = parts;
  const model = Model.initialize(device, network, {
    seed,
    normalization: statistics(trainPart),
    classNames: trainPart.classNames,
  });
  const sizes = [trainPart, validation].map(({ labels }) => plural(labels.length, 'sample'));
  note(list([
    ['network', networkText(network)],
    ['data', `${trainPart.name}: ${sizes[0]} to train; ${validation.name}: ${sizes[1]} to choose thresholds on`],
    ['adapter', device.name],
  ]));

  using interrupt = interruptSignal();
  {
    using progress = showProgress(epochs);
    const steps = epochs * Math.ceil(trainPart.labels.length / batch);
    const optimizer = adam({ learningRate: cosine(learningRate, steps) });
    const { signal } = interrupt;
    const how = trainingOptions(flags, network);
    await train(model, trainPart, { epochs, batch, seed, optimizer, signal, ...how, ...progress });
  }
  const table = await scoreExits(model, validation);
  const accuracy = network.stages.map((_, index) => accuracyOf(table, index + 1));
  model.thresholds = chooseThresholds(table, { maxAccuracyLoss: maxLoss / 100 });
  await writeWhole(out, await saveModel(model));

  const interrupted = model.training!.interrupted;
  const text = list([
    ['validation', accuracy.map((share, index) => `exit ${index + 1} ${percent(share)}`).join(', ')],
    ['thresholds', thresholdsText(model.thresholds)],
    [interrupted ? 'interrupted' : 'saved', interrupted ? `saved what there is to ${out}` : out],
  ]);
  return { model, out, accuracy, interrupted, text, [Symbol.dispose]: () => model.dispose() };
}
