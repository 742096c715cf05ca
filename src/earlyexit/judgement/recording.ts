import type { ImageShape } from '../../data/dataset.ts';
import { ArgumentError, DataError, ModelFileError } from '../../errors.ts';
import { array, number, object, optional, parseJson, record, string } from '../../json.ts';
import type { Checked } from '../../json.ts';
import { checkTemperatures } from '../criteria.ts';
import type { Scores } from '../records.ts';
import { isRight, madeOn } from './scores.ts';
import type { ScoreTable } from './scores.ts';

/** A score table with what has to be known to judge it without the network and the data. */
export interface ScoreRecord {
  readonly table: ScoreTable;
  /** Name of the network. */
  readonly network: string;
  /** Multiply-accumulates of each head: `network.macs.heads`. */
  readonly heads: readonly number[];
  /** What wrote it, by name: `{ exitgpu: '0.1.0' }`. */
  readonly versions?: Readonly<Record<string, string>> | undefined;
}

/**
 * A score table as columns of equal length, a row per sample and exit: those of the first sample, exit by exit, then of
 * the second. Where a row is not `finite`, its scores are NaN.
 */
export interface ScoreColumns {
  /** Place of the sample in the data, from 0. */
  readonly sample: Int32Array;
  /** The right class. */
  readonly truth: Int32Array;
  /** Counted from 1. */
  readonly exit: Int32Array;
  /** The class that the exit gives. */
  readonly label: Int32Array;
  readonly confidence: Float32Array;
  /** In nats. */
  readonly entropy: Float32Array;
  readonly margin: Float32Array;
  readonly finite: readonly boolean[];
  readonly correct: readonly boolean[];
  /** Only of networks with halting scores. */
  readonly halting?: Float32Array;
  /** Only of data that know how hard a sample was made. */
  readonly difficulty?: Float32Array;
}

/** A record as a columnar file holds it. */
export interface RecordedScores {
  readonly columns: ScoreColumns;
  /** JSON: everything that is not of a row. */
  readonly metadata: string;
}

const FORMAT_VERSION = 1;

const natural = number({ min: 0, integer: true });

const checkMetadata = object({
  formatVersion: natural,
  network: string,
  dataset: object({
    name: string,
    fingerprint: string,
    samples: natural,
    shape: array(natural, 3),
    classNames: array(string),
  }),
  classes: number({ min: 1, integer: true }),
  macs: object({ toExit: array(natural), heads: array(natural) }),
  temperatures: optional(array(number())),
  versions: optional(record(string)),
});
type Metadata = Checked<typeof checkMetadata>;

/** Lays a score table out for a file; logits are left out. */
export function recordScores({ table, network, heads, versions }: ScoreRecord): RecordedScores {
  const { dataset, exits, classes, macs, temperatures } = table;
  const { labels, classNames, difficulty, shape } = dataset;
  const { dataset: name, fingerprint, samples } = madeOn(table);
  const rows = Array.from(labels).flatMap((truth, sample) =>
    exits.map((list, index) => ({ sample, truth, exit: index + 1, ...list[sample]! })));
  const whole = (of: (row: (typeof rows)[number]) => number): Int32Array => Int32Array.from(rows, of);
  const real = (of: (row: (typeof rows)[number]) => number): Float32Array => Float32Array.from(rows, of);
  const metadata = {
    formatVersion: FORMAT_VERSION,
    network,
    dataset: { name, fingerprint, samples, shape, classNames },
    classes,
    macs: { toExit: macs, heads },
    temperatures,
    versions,
  };
  return {
    metadata: JSON.stringify(metadata),
    columns: {
      sample: whole(({ sample }) => sample),
      truth: whole(({ truth }) => truth),
      exit: whole(({ exit }) => exit),
      label: whole(({ label }) => label),
      confidence: real(({ confidence }) => confidence),
      entropy: real(({ entropy }) => entropy),
      margin: real(({ margin }) => margin),
      finite: rows.map(({ finite }) => finite),
      correct: rows.map((row) => isRight(row, row.truth)),
      ...(table.halting && { halting: real(({ halting }) => halting!) }),
      ...(difficulty && { difficulty: real(({ sample }) => difficulty[sample]!) }),
    },
  };
}

/**
 * The record again, from which every criterion replays as from the table it was made of. Rows may stand in any order.
 * Images are not in it: the data set has none. `source` names the file.
 * @throws DataError for metadata or columns that are not those of a whole record
 */
export function restoreScores({ columns, metadata }: RecordedScores, source = 'scores'): ScoreRecord {
  const { network, dataset, classes, macs, temperatures, versions } = readMetadata(metadata, source);
  const { samples } = dataset;
  const count = macs.toExit.length;
  const rows = samples * count;
  for (const [name, column] of Object.entries(columns) as [string, ArrayLike<unknown>][]) {
    if (column.length === rows) continue;
    throw new DataError(
      `${source}: expected ${rows} rows, of ${samples} samples and ${count} exits, got ${column.length} of ${name}`,
    );
  }
  const exits = Array.from({ length: count }, () => new Array<Scores>(samples));
  const labels = new Uint16Array(samples);
  const difficulty = columns.difficulty && new Float32Array(samples);
  for (let row = 0; row < rows; row++) {
    const [sample, exit, truth, label] = [columns.sample, columns.exit, columns.truth, columns.label].map(
      (column) => column[row]!,
    ) as [number, number, number, number];
    const list = exits[exit - 1];
    if (!list || !(sample >= 0 && sample < samples) || list[sample]) {
      throw new DataError(
        `${source}: expected each of ${samples} samples once at each of ${count} exits, ` +
          `got sample ${sample} at exit ${exit} in row ${row}${list?.[sample] ? ' for the second time' : ''}`,
      );
    }
    if (!(truth >= 0 && truth < dataset.classNames.length && label >= 0 && label < classes)) {
      throw new DataError(`${source}: expected labels below ${classes}, got ${label} for ${truth} in row ${row}`);
    }
    labels[sample] = truth;
    if (difficulty) difficulty[sample] = columns.difficulty![row]!;
    list[sample] = {
      label,
      confidence: columns.confidence[row]!,
      margin: columns.margin[row]!,
      entropy: columns.entropy[row]!,
      finite: columns.finite[row]!,
      ...(columns.halting && { halting: columns.halting[row]! }),
    };
  }
  const { name, classNames, fingerprint, shape } = dataset;
  return {
    network,
    heads: macs.heads,
    versions,
    table: {
      dataset: {
        name,
        classNames,
        shape: shape as unknown as ImageShape,
        images: new Uint8Array(),
        labels,
        ...(difficulty && { difficulty }),
      },
      fingerprint,
      classes,
      halting: columns.halting !== undefined,
      macs: macs.toExit,
      exits,
      ...(temperatures && { temperatures }),
    },
  };
}

function readMetadata(text: string, source: string): Metadata {
  try {
    const metadata = checkMetadata(parseJson(text, source), source);
    if (metadata.formatVersion > FORMAT_VERSION) {
      throw new DataError(
        `${source}: expected format version ${FORMAT_VERSION} or less, got ${metadata.formatVersion}; ` +
          'a newer exitgpu reads it',
      );
    }
    const exits = metadata.macs.toExit.length;
    if (exits === 0 || metadata.macs.heads.length !== exits) {
      const { length } = metadata.macs.heads;
      throw new DataError(`${source}: expected the costs of as many heads as exits, got ${length} and ${exits}`);
    }
    if (metadata.temperatures) checkTemperatures(source, metadata.temperatures, exits);
    return metadata;
  } catch (error) {
    if (!(error instanceof ModelFileError || error instanceof ArgumentError)) throw error;
    throw new DataError(error.message, { cause: error });
  }
}
