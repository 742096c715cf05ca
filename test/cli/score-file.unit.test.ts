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
    const table = tableOf([2, 1], [said(2, 0.5), notFinite], [said(0, 0), said(1, 0.25)]);
    await writeScores(file, { ...record, table });
    const bytes = await readFile(file);
    const own = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
    const rows = (await parquetReadObjects({ file: own })).map((row) => Object.values(row));
    expect(rows).toEqual([
      // sample, truth, exit, label, confidence, entropy, margin, finite, correct
      [0, 2, 1, 2, 0.75, 0.5, 0.5, true, true],
      [0, 2, 2, 0, 1, 0, 1, true, false],
      [1, 1, 1, 0, NaN, NaN, NaN, false, false],
      [1, 1, 2, 1, 0.875, 0.25, 0.75, true, true],
    ]);
    expect(parquetMetadata(own).created_by).toMatch(/^exitgpu version \d/);
  });

  it('refuses other files', async () => {
    await expect(readScoreFile(join(folder, 'none'))).rejects.toThrow('a file of recorded scores, got nothing there');
    await writeFile(file, 'not parquet at all');
    await expect(readScoreFile(file)).rejects.toThrow('expected scores that exitgpu evaluate --record wrote, got');
  });
});
