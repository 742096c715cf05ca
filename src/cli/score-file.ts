import { parquetMetadata, parquetReadObjects } from 'hyparquet';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { DataError, recordScores, restoreScores } from '../node.ts';
import type { ScoreColumns, ScoreRecord } from '../node.ts';
import { checkWritable, readBytes, writeWhole } from './files.ts';
import { UsageError } from './usage-error.ts';
import { versions } from './versions.ts';

/** The one key of the file's metadata that is ours. */
const KEY = 'exitgpu';

/** Parquet's names for what columns hold. */
const TYPES = {
  sample: 'INT32',
  truth: 'INT32',
  exit: 'INT32',
  label: 'INT32',
  confidence: 'FLOAT',
  entropy: 'FLOAT',
  margin: 'FLOAT',
  finite: 'BOOLEAN',
  correct: 'BOOLEAN',
  halting: 'FLOAT',
  difficulty: 'FLOAT',
} as const satisfies Record<keyof ScoreColumns, string>;

/** Whether a file holds recorded scores, and no model. */
export const isScoreFile = (path: string): boolean => path.endsWith('.parquet');

/** Before anything long begins. @throws UsageError for a name that would not be found to be one, DataError */
export async function checkRecord(path: string): Promise<void> {
  if (!isScoreFile(path)) throw new UsageError(`--record: expected a file that ends in .parquet, got '${path}'`);
  await checkWritable(path);
}

/** Writes a score table as Parquet, one row per sample and exit, for others to read too. @throws DataError */
export async function writeScores(path: string, record: ScoreRecord): Promise<void> {
  const { columns, metadata } = recordScores({ ...record, versions: versions() });
  const buffer = parquetWriteBuffer({
    columnData: Object.entries(columns).map(([name, data]) => ({
      name,
      data,
      type: TYPES[name as keyof ScoreColumns],
      nullable: false,
    })),
    kvMetadata: [{ key: KEY, value: metadata }],
    createdBy: `exitgpu version ${versions().exitgpu}`,
  });
  await writeWhole(path, new Uint8Array(buffer));
}

/** @throws DataError for a file that is missing, not Parquet, or not such a record */
export async function readScoreFile(path: string): Promise<ScoreRecord> {
  const { buffer: file, byteOffset, byteLength } = await readBytes(path, 'a file of recorded scores');
  const own = file.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer;
  const { metadata, rows } = await parse(own, path);
  const column = <T>(name: keyof ScoreColumns, type: 'number' | 'boolean'): T[] => {
    const values = rows.map((row) => row[name]);
    if (values.every((value) => typeof value === type)) return values;
    throw new DataError(`${path}: expected a ${type} ${name} in every row, got a column that is not`);
  };
  const whole = (name: keyof ScoreColumns) => Int32Array.from(column(name, 'number'));
  const real = (name: keyof ScoreColumns) => Float32Array.from(column(name, 'number'));
  const has = (name: keyof ScoreColumns): boolean => rows[0] !== undefined && name in rows[0];
  const columns: ScoreColumns = {
    sample: whole('sample'),
    truth: whole('truth'),
    exit: whole('exit'),
    label: whole('label'),
    confidence: real('confidence'),
    entropy: real('entropy'),
    margin: real('margin'),
    finite: column('finite', 'boolean'),
    correct: column('correct', 'boolean'),
    ...(has('halting') && { halting: real('halting') }),
    ...(has('difficulty') && { difficulty: real('difficulty') }),
  };
  return restoreScores({ columns, metadata }, path);
}

async function parse(file: ArrayBuffer, path: string) {
  try {
    const metadata = parquetMetadata(file).key_value_metadata?.find(({ key }) => key === KEY)?.value;
    if (metadata === undefined) throw new Error(`no metadata called ${KEY}`);
    return { metadata, rows: await parquetReadObjects({ file }) };
  } catch (cause) {
    const expected = 'scores that exitgpu evaluate --record wrote';
    throw new DataError(`${path}: expected ${expected}, got ${(cause as Error).message}`, { cause });
  }
}
