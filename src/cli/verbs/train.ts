import { dirname, join } from 'node:path';
import {
  exitShares,
  learnedCriterion,
  learnsToLeave,
  Model,
  saveModel,
  scoreExits,
  statistics,
  train,
  withGates,
} from '../../node.ts';
import type { DatasetParts, Device, Network } from '../../node.ts';
import { accuracyOf } from '../../earlyexit/judgement/scores.ts';
import { MODEL_NAMES, networkFor } from '../../earlyexit/models/zoo.ts';
import { checkFits } from '../../earlyexit/network.ts';
import { percent, plural } from '../../report/format.ts';
import { networkText, thresholdsText } from '../../report/model.ts';
import { list } from '../../report/table.ts';
import { chooseNow, maxLossFlag } from '../criterion.ts';
import { note } from '../console.ts';
import { dataFlags, readData, shortName } from '../data.ts';
import { adapterFlag, openDevice } from '../device.ts';
import { EXIT_CODES } from '../failure.ts';
import { checkWritable, makeFolder, writeWhole } from '../files.ts';
import { choice, flag, integer, optionalFlag, text, toggle } from '../flags.ts';
import type { Values } from '../flags.ts';
import { interruptSignal } from '../interrupt.ts';
import { optimizerFlags, optimizerOf } from '../optimizer.ts';
import { showProgress } from '../progress.ts';
import { isUnfinished, trainingFiles, trainWithFiles } from '../training-files.ts';
import type { TrainingFiles } from '../training-files.ts';
import { trainingFlags, trainingOptions } from '../training.ts';
import { UsageError } from '../usage-error.ts';
import { defineVerb } from '../verb.ts';

const MODELS_FOLDER = 'models';

export const trainFlags = {
  model: flag(choice(...MODEL_NAMES), {
    placeholder: 'name',
    help: `The network: ${MODEL_NAMES.join(', ')}`,
    fallback: 'b-lenet',
  }),
  ...dataFlags,
  epochs: flag(integer(1), { placeholder: 'n', help: 'Times through the training part', fallback: '5' }),
  batch: flag(integer(1), { placeholder: 'n', help: 'Samples per step', fallback: '64' }),
  seed: flag(integer(0), {
    placeholder: 'n',
    help: 'Decides the first weights and the order of the samples',
    fallback: '1',
  }),
  ...trainingFlags,
  ...optimizerFlags,
  patience: optionalFlag(integer(1), {
    placeholder: 'epochs',
    help: 'Ends when so many epochs bring nothing better on the validation part, with the best weights',
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
  flags: { ...trainFlags, resume: toggle('Go on with a training that was interrupted, given the same flags') },
  async run(_, { resume, ...flags }) {
    const plan = await planTraining(flags);
    const files = trainingFiles(plan.out);
    checkResume(resume, files);
    using device = await openDevice(flags.adapter);
    using trained = await trainModel(device, plan, flags, files);
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
  const out = flags.out ?? join(MODELS_FOLDER, `${flags.model}-${shortName(flags.data)}.safetensors`);
  if (flags.out !== undefined) await checkWritable(out);
  const parts = await readData(flags);
  const plain = networkFor(flags.model, parts.train);
  const network = flags.gates === undefined ? plain : withGates(plain);
  trainingOptions(flags, network);
  for (const part of Object.values(parts)) checkFits(network, part, '--data');
  if (flags.out === undefined) {
    await makeFolder(dirname(out));
    await checkWritable(out);
  }
  return { network, parts, out };
}

/** @throws UsageError if a training that was interrupted would be lost, or there is none to go on with */
function checkResume(resume: boolean, files: TrainingFiles): void {
  if (resume === isUnfinished(files)) return;
  throw new UsageError(
    resume
      ? `--resume: expected an interrupted training in ${files.state}, got nothing there; leave --resume out to begin`
      : `${files.state} holds an interrupted training: go on with it by --resume, or delete it to begin anew`,
  );
}

/**
 * Trains, chooses thresholds unless the model learns when to leave, and saves; Ctrl-C ends the training, and what there
 * is is saved. With files beside the model it can be gone on with.
 */
export async function trainModel(
  device: Device,
  { network, parts, out }: TrainingPlan,
  flags: TrainFlags,
  files?: TrainingFiles,
) {
  const { seed, epochs, batch, accumulate, clip, patience, maxLoss } = flags;
  const { train: trainPart, validation } = parts;
  const model = Model.initialize(device, network, {
    seed,
    normalization: statistics(trainPart),
    classNames: trainPart.classNames,
  });
  const sizes = [trainPart, validation].map(({ labels }) => plural(labels.length, 'sample'));
  const learns = learnsToLeave(network);
  const use = learns ? 'to judge on' : 'to choose thresholds on';
  note(list([
    ['network', networkText(network)],
    ['data', `${trainPart.name}: ${sizes[0]} to train; ${validation.name}: ${sizes[1]} ${use}`],
    ['adapter', device.name],
  ]));

  using interrupt = interruptSignal();
  {
    using progress = showProgress(epochs);
    const options = {
      epochs,
      batch,
      seed,
      accumulate,
      signal: interrupt.signal,
      optimizer: optimizerOf(flags, trainPart.labels.length),
      recompute: flags.recompute,
      ...(clip > 0 && { clipNorm: clip }),
      ...(patience && { validation: { dataset: validation, patience } }),
      ...trainingOptions(flags, network),
      ...progress,
    };
    if (files) await trainWithFiles(model, trainPart, files, { ...options, how: { seed, flags } });
    else await train(model, trainPart, options);
  }
  const table = await scoreExits(model, validation);
  const accuracy = network.stages.map((_, index) => accuracyOf(table, index + 1));
  if (!learns) model.thresholds = chooseNow(table, { maxLoss });
  const shares = learns ? exitShares(table, await learnedCriterion(model)) : [];
  await writeWhole(out, await saveModel(model));

  const interrupted = model.training!.interrupted;
  const text = list([
    ['validation', accuracy.map((share, index) => `exit ${index + 1} ${percent(share)}`).join(', ')],
    model.thresholds
      ? ['thresholds', thresholdsText(model.thresholds)]
      : ['learned', shares.map((share, index) => `${percent(share, 1)} leave at exit ${index + 1}`).join(', ')],
    interrupted ? ['interrupted', `saved what there is to ${out}${files ? '; --resume goes on' : ''}`] : ['saved', out],
  ]);
  return { model, out, accuracy, interrupted, text, [Symbol.dispose]: () => model.dispose() };
}
