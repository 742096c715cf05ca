import { batches } from '../../data/batches.ts';
import { fingerprint } from '../../data/dataset.ts';
import type { Dataset } from '../../data/dataset.ts';
import { ArgumentError } from '../../errors.ts';
import { compile } from '../../graph/program.ts';
import { constant } from '../../kernels/define.ts';
import type { Value } from '../../kernels/define.ts';
import { ExitSettings, exitCheck } from '../../kernels/exit-check.ts';
import { Rows } from '../../tensor/spec.ts';
import { Tensor } from '../../tensor/tensor.ts';
import { checkTemperatures, entropy } from '../criteria.ts';
import { exitSettings } from '../criterion-steps.ts';
import type { Model } from '../model.ts';
import { checkFits } from '../network.ts';
import { readHalting, readRecord, RECORD_BYTES } from '../records.ts';
import type { Scores } from '../records.ts';

/**
 * What every exit would say of every sample: from it any criterion and threshold can be replayed without the network.
 */
export interface ScoreTable {
  readonly dataset: Dataset;
  /** Of the data, where its images are not here: in a table that was read from a record. */
  readonly fingerprint?: string | undefined;
  /** Of the network. */
  readonly classes: number;
  /** The scores hold the network's halting scores. */
  readonly halting?: boolean | undefined;
  /** Multiply-accumulates of a sample that leaves at exit k (index k - 1), heads on the way counted. */
  readonly macs: readonly number[];
  /** `exits[k - 1][sample]`. */
  readonly exits: readonly (readonly Scores[])[];
  /** What the logits were divided by before the scores, one per exit; 1 where left out. */
  readonly temperatures?: readonly number[] | undefined;
  /** `logits[k - 1]`, `[samples, classes]` row by row, not divided by anything; only where they were asked for. */
  readonly logits?: readonly Float32Array[] | undefined;
}

export interface ScoreOptions {
  /** Samples that go through the network together; 64 where left out. */
  readonly batch?: number;
  readonly signal?: AbortSignal | undefined;
  /** The scores are those at these temperatures, one per exit; 1 where left out. */
  readonly temperatures?: readonly number[] | undefined;
  /** Keeps the logits too: 4 bytes x samples x classes x exits of host memory, read in the same round trips. */
  readonly logits?: boolean;
}

/**
 * Runs all exits on all samples.
 * @throws ArgumentError if the data or temperatures do not fit the network, DeviceLostError, the signal's reason
 */
export async function scoreExits(
  model: Model,
  dataset: Dataset,
  { batch = 64, signal, temperatures, logits: keepsLogits = false }: ScoreOptions = {},
): Promise<ScoreTable> {
  const { network, device, context } = model;
  const { classes, halting = false } = network;
  checkFits(network, dataset, 'scoreExits');
  checkBatch(batch, 'scoreExits');
  if (temperatures) checkTemperatures('scoreExits', temperatures, network.stages.length);
  const exits: Scores[][] = network.stages.map(() => []);
  const kept = keepsLogits ? exits.map(() => new Float32Array(dataset.labels.length * classes)) : [];
  const records = exits.map((_, index) =>
    Tensor.zeros(device, { dtype: 'u32', shape: [(RECORD_BYTES / 4) * batch] }, `scores of exit ${index + 1}`));
  const settings = exits.map((_, index) => {
    const tensor = Tensor.zeros(
      device,
      { dtype: 'u32', shape: [ExitSettings.size / 4] },
      `settings of exit ${index + 1}`,
    );
    const tempered = temperatures && { ...entropy(0), temperatures };
    tensor.write(exitSettings(tempered, { exit: index + 1, classes, first: true, always: true }).settings);
    return tensor;
  });
  const rows = new Rows(batch, 'samples');
  try {
    using program = await compile(device, { x: { dtype: 'f32', shape: [batch, ...network.input], rows } }, ({ x }) => {
      const origin = constant(
        { dtype: 'u32', shape: [batch], rows },
        Uint32Array.from({ length: batch }, (_, row) => row),
      );
      const classThresholds = constant({ dtype: 'f32', shape: [1] }, Float32Array.of(0));
      let value = x;
      const outputs: Record<string, Value> = {};
      exits.forEach((_, index) => {
        value = network.body(index + 1, value, context);
        const logits = network.exit(index + 1, value, context);
        const place = { settings: settings[index]!, classThresholds, origin, records: records[index]! };
        exitCheck({ logits, ...place }, { halting });
        if (keepsLogits) outputs[`logits${index + 1}`] = logits;
      });
      return outputs;
    });
    let done = 0;
    for (const { x, rows: count } of batches(dataset, { batch, normalize: model.normalization })) {
      signal?.throwIfAborted();
      const recording = program.start({ x });
      program.encode(recording, 0);
      const size = count * RECORD_BYTES;
      const logits = Object.values(program.outputs()).map((output) => output.live());
      const pending = recording.read(...records.map(({ buffer, offset }) => ({ buffer, offset, size })), ...logits);
      recording.submit();
      const bytes = await pending();
      exits.forEach((list, index) => {
        for (let row = 0; row < count; row++) {
          const at = index * count + row;
          const { exit: _, left: __, ...scores } = readRecord(bytes, at);
          list.push(halting ? { ...scores, halting: readHalting(bytes, at) } : scores);
        }
      });
      const wide = count * (classes + Number(halting));
      kept.forEach((all, index) => {
        const batch = new Float32Array(bytes, exits.length * size + 4 * index * wide, wide);
        keepRows(batch, all.subarray(done * classes, (done + count) * classes), classes);
      });
      done += count;
    }
  } finally {
    for (const tensor of [...records, ...settings]) tensor.dispose();
  }
  const table = { dataset, classes, halting, macs: network.macs.toExit, exits };
  return { ...table, ...(temperatures && { temperatures }), ...(keepsLogits && { logits: kept }) };
}

/** What records say of the data that a table was made on. */
export const madeOn = ({ dataset, fingerprint: known }: ScoreTable) => ({
  dataset: dataset.name,
  fingerprint: known ?? fingerprint(dataset),
  samples: dataset.labels.length,
});

/** Copies rows of logits, behind each of which there may be a halting score, which is none. */
function keepRows(from: Float32Array, to: Float32Array, classes: number): void {
  const rows = to.length / classes;
  for (let row = 0; row < rows; row++) {
    const at = (row * from.length) / rows;
    to.set(from.subarray(at, at + classes), row * classes);
  }
}

/** @throws ArgumentError */
export function checkBatch(batch: number, what: string): void {
  if (Number.isInteger(batch) && batch >= 1) return;
  throw new ArgumentError(`${what}: expected a batch of 1 or more, got ${batch}`);
}

/** An answer from logits that are not finite is never right. */
export const isRight = (answer: Pick<Scores, 'label' | 'finite'>, label: number): boolean =>
  answer.finite && answer.label === label;

/** Share of samples whose label an exit gets right. */
export const accuracyOf = (table: ScoreTable, exit: number): number => {
  const { labels } = table.dataset;
  const right = table.exits[exit - 1]!.reduce(
    (count, scores, sample) => count + Number(isRight(scores, labels[sample]!)),
    0,
  );
  return right / labels.length;
};
