import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parquetMetadata, parquetReadObjects } from 'hyparquet';
import { afterAll, describe, expect, it } from 'vitest';
import { readScoreFile, writeScores } from '../../src/cli/score-file.ts';
import { notFinite, randomTable, said, tableOf } from '../earlyexit/score-tables.ts';

const folder = await mkdtemp(join(tmpdir(), 'exitgpu-scores-'));
afterAll(() => rm(folder, { recursive: true }));
const file = join(folder, 'scores.parquet');

const record = {
  table: { ...randomTable(3, 50, 1), temperatures: [1, 1.5, 2] },
  network: 'by-hand',
  heads: [10, 10, 10],
};

describe('a file of scores', () => {
  it('gives the table back', async () => {
    await writeScores(file, record);
    const { table, ...rest } = await readScoreFile(file);
    expect(rest).toMatchObject({ network: 'by-hand', heads: [10, 10, 10], versions: { exitgpu: expect.any(String) } });
    const { exits, macs, classes, temperatures, dataset } = record.table;
    expect(table).toMatchObject({ exits, macs, classes, temperatures });
    expect(table.dataset.classNames).toEqual(dataset.classNames);
    expect([...table.dataset.labels]).toEqual([...dataset.labels]);
  });

  it('is a row per sample and exit for any reader of Parquet', async () => {
    await writeScores(file, { ...record, table: tableOf([2, 1], [said(2, 0.5), notFinite], [said(0, 0), said(1, 0.25)]) });
    const bytes = await readFile(file);
    const own = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
    expect(await parquetReadObjects({ file: own })).toEqual([
      { sample: 0, truth: 2, exit: 1, label: 2, confidence: 0.75, entropy: 0.5, margin: 0.5, finite: true, correct: true },
      { sample: 0, truth: 2, exit: 2, label: 0, confidence: 1, entropy: 0, margin: 1, finite: true, correct: false },
      { sample: 1, truth: 1, exit: 1, label: 0, confidence: NaN, entropy: NaN, margin: NaN, finite: false, correct: false },
      { sample: 1, truth: 1, exit: 2, label: 1, confidence: 0.875, entropy: 0.25, margin: 0.75, finite: true, correct: true },
    ]);
    expect(parquetMetadata(own).created_by).toMatch(/^exitgpu version \d/);
  });

  it('refuses other files', async () => {
    await expect(readScoreFile(join(folder, 'none'))).rejects.toThrow('a file of recorded scores, got nothing there');
    await writeFile(file, 'not parquet at all');
    await expect(readScoreFile(file)).rejects.toThrow('expected scores that exitgpu evaluate --record wrote, got');
  });
});
