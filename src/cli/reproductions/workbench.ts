import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { loadModel, Model, saveModel, statistics } from '../../node.ts';
import type { Dataset, DatasetParts, Device, Network, Normalization, TrainOptions } from '../../node.ts';
import { planTraining } from '../../earlyexit/training/plan.ts';
import { checkSamePlan } from '../../earlyexit/training/training-state.ts';
import { note } from '../console.ts';
import { makeFolder, readBytes, writeWhole } from '../files.ts';
import { showProgress } from '../progress.ts';
import { trainingFiles, trainWithFiles } from '../training-files.ts';

/** A published result made again, or a claim of the literature put to the test. */
export interface Reproduction {
  /** One line for `--help`. */
  readonly summary: string;
  /** What `--data` has to name; the procedural digits, or none, will do where left out. */
  readonly data?: string;
  run(workbench: Workbench): Promise<{ readonly text: string; readonly json: object }>;
}

/** Training was interrupted; what there is is kept. */
export class Interrupted extends Error {}

export interface Recipe extends TrainOptions {
  readonly network: Network;
  readonly seed: number;
  /** The training part of the data where left out. */
  readonly data?: Dataset;
  /** Of these data where left out. */
  readonly normalization?: Normalization;
  /** Whose weights to begin with, in place of fresh ones. */
  readonly from?: Model | undefined;
}

/** Of a whole training, as a schedule of the learning rate wants them. */
export const stepsOf = (data: Dataset, { epochs, batch }: { epochs: number; batch: number }): number =>
  epochs * Math.ceil(data.labels.length / batch);

/** Where a reproduction trains its models, each once: the next call of the command finds them in their files. */
export class Workbench {
  readonly device: Device;
  readonly parts: DatasetParts;
  readonly signal: AbortSignal;
  readonly #folder: string;

  constructor(device: Device, parts: DatasetParts, folder: string, signal: AbortSignal) {
    this.device = device;
    this.parts = parts;
    this.signal = signal;
    this.#folder = folder;
  }

  /** @throws Interrupted, and ModelFileError if the model of that name was trained otherwise */
  async trained(name: string, { network, normalization, from, ...rest }: Recipe): Promise<Model> {
    const { data = this.parts.train, ...options } = rest;
    const file = join(this.#folder, `${name}.safetensors`);
    if (existsSync(file)) {
      const found = loadModel(this.device, await readBytes(file, 'a model file'), file);
      const { epochs, interrupted: _, adapter: __, losses: ___, validation: ____, ...record } = found.training!;
      checkSamePlan(planTraining(found, data, options).record, { ...record, epochs: epochs.planned }, file);
      return found;
    }
    await makeFolder(this.#folder);
    const details = { normalization: normalization ?? statistics(data), classNames: data.classNames };
    const model = Model.initialize(this.device, network, { ...details, seed: options.seed });
    if (from) model.parameters.write(await from.parameters.read());
    note(`exitgpu: training ${name}`);
    try {
      using progress = showProgress(options.epochs!);
      const how = { seed: options.seed };
      await trainWithFiles(model, data, trainingFiles(file), { ...options, ...progress, signal: this.signal, how });
    } catch (error) {
      model.dispose();
      throw error;
    }
    if (model.training!.interrupted) {
      model.dispose();
      throw new Interrupted();
    }
    await writeWhole(file, await saveModel(model));
    return model;
  }
}
