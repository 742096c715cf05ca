import { appendFileSync, existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { train } from '../node.ts';
import type { Dataset, Model, TrainOptions } from '../node.ts';
import { note } from './console.ts';
import { readBytes, writeWhole } from './files.ts';
import { versions } from './versions.ts';

/** Steps between two lines of the log. */
const LOGGED = 10;

/** What lies beside a model while it is trained, and the log after that. */
export interface TrainingFiles {
  /** Weights, optimiser and generator, to go on after an interruption; gone when the training is over. */
  readonly state: string;
  /** A line of JSON for each event: what ran with which versions, seeds and flags, losses, epochs, checkpoints. */
  readonly log: string;
}

/** @param model its file */
export function trainingFiles(model: string): TrainingFiles {
  const stem = model.replace(/\.safetensors$/, '');
  return { state: `${stem}.training.safetensors`, log: `${stem}.jsonl` };
}

/** Whether a training was interrupted. */
export const isUnfinished = ({ state }: TrainingFiles): boolean => existsSync(state);

/**
 * Trains as `train` does, and goes on where an earlier call was interrupted: with the same options, to the same bits.
 * @param how what the log says of how it was called
 * @throws DataError if the files cannot be read or written, and what `train` throws
 */
export async function trainWithFiles(
  model: Model,
  dataset: Dataset,
  { state, log }: TrainingFiles,
  { how, ...options }: TrainOptions & { readonly how: object },
): Promise<void> {
  const began = performance.now();
  const write = (event: string, fields: object): void => {
    const seconds = Number(((performance.now() - began) / 1000).toFixed(3));
    appendFileSync(log, `${JSON.stringify({ event, seconds, ...fields })}\n`);
  };
  const resume = existsSync(state) ? await readBytes(state, 'the state of a training') : undefined;
  if (resume) note(`exitgpu: going on with the training in ${state}`);
  else await rm(log, { force: true });
  const { adapter, features } = { adapter: model.device.name, features: [...model.device.features] };
  const manifest = { ...versions(), platform: `${process.platform} ${process.arch}`, adapter, features, ...how };
  write(resume ? 'resume' : 'begin', { date: new Date().toISOString(), ...manifest });

  let latest = 0;
  try {
    await train(model, dataset, {
      ...options,
      ...(resume && { resume }),
      checkpoint: {
        async save(bytes) {
          await writeWhole(state, bytes);
          write('checkpoint', { step: latest, bytes: bytes.length });
        },
      },
      onStep(progress) {
        latest = progress.step;
        if (latest % LOGGED === 0) write('step', progress);
        options.onStep?.(progress);
      },
      async onEpoch(progress) {
        write('epoch', progress);
        await options.onEpoch?.(progress);
      },
    });
  } catch (error) {
    write('failure', { step: latest, message: (error as Error).message });
    if (existsSync(state)) note(`exitgpu: the last good checkpoint is in ${state}`);
    throw error;
  }
  const { interrupted, epochs } = model.training!;
  write(interrupted ? 'interruption' : 'end', { step: latest, epochs });
  if (!interrupted) await rm(state, { force: true });
}
