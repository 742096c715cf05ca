import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { filePlanStore } from '../../src/earlyexit/scheduling/plan-store-node.ts';
import {
  loadPlan, memoryPlanStore, parsePlan, planKey, savePlan, serializePlan,
} from '../../src/earlyexit/scheduling/plan-store.ts';
import type { PlanStore } from '../../src/earlyexit/scheduling/plan-store.ts';
import { choosePlan } from '../../src/earlyexit/scheduling/planner.ts';
import { DataError } from '../../src/errors.ts';

const part = (alive: number) => ({ full: { alive, skipped: 0.1 }, indirect: { alive: alive + 0.02, skipped: 0.01 } });
const planAt = (roundTripMs: number) =>
  choosePlan(
    {
      adapter: 'llvmpipe (LLVM 15.0.7, 256 bits) ../../é',
      network: 'b-lenet',
      batch: 1,
      roundTripMs,
      stages: [1, 2, 3].map((ms) => ({ body: part(ms), exit: part(0.1) })),
    },
    [0.6, 0.3, 0.1],
  );
const plan = planAt(0.5);
const key = planKey(plan.costs.adapter, 'b-lenet', 1, 3);

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'exitgpu-plans-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Plans as their fields say, then one field changed. */
const changed = (change: object) => JSON.stringify({ ...JSON.parse(serializePlan(plan)), ...change });

describe('a plan as text', () => {
  it('comes back', () => expect(parsePlan(serializePlan(plan), 'file')).toEqual(plan));

  it.each([
    ['', 'file: expected JSON, got ""'],
    [serializePlan(plan).slice(0, -9), /^file: expected JSON, got/],
    ['[]', 'file: expected an object, got an array of 0'],
    ['{}', 'file.formatVersion: expected a number >= 1 and <= 1, got nothing'],
    [changed({ formatVersion: 2 }), 'file.formatVersion: expected a number >= 1 and <= 1, got 2'],
    [changed({ policy: 'auto' }), 'file.policy: expected one of readback, gated, overlap, got "auto"'],
    [changed({ shares: [0.6, 0.4] }), 'file: expected 3 shares, one per exit, got 2'],
    [
      changed({ exits: [1, 2] }),
      'file: expected exits that ascend from 1 or more and end with the last, 3, got [1, 2]',
    ],
    [changed({ grids: [] }), /^file: expected \d grids, full or indirect, one per kept exit, got \[\]$/],
    [changed({ expectedMs: null }), 'file.expectedMs: expected a number >= 0, got null'],
    [changed({ costs: { ...plan.costs, stages: [] } }), 'file: expected the costs of at least one stage, got none'],
    [
      changed({ alternatives: [{ ...plan.alternatives[0], exits: [9] }] }),
      'file: expected exits that ascend from 1 or more and end with the last, 3, got [9]',
    ],
  ])('is refused, case %#', (text, message) => {
    expect(() => parsePlan(text, 'file')).toThrow(DataError);
    expect(() => parsePlan(text, 'file')).toThrow(typeof message === 'string' ? new DataError(message) : message);
  });
});

it('keys of different things differ', () => {
  const keys = [
    planKey('a', 'b', 1, 2), planKey('a', 'b', 12, 2), planKey('a', 'b', 1, 22), planKey('a","b', '', 1, 2),
    planKey('', 'a b', 1, 2), planKey('a b', '', 1, 2),
  ];
  expect(new Set(keys).size).toBe(keys.length);
});

const stores: Record<string, () => PlanStore> = {
  memory: memoryPlanStore,
  file: () => filePlanStore(join(folder, 'made', 'when', 'needed')),
};

describe.each(Object.keys(stores))('the %s store', (name) => {
  it('has nothing at first, then what was set last', async () => {
    const store = stores[name]!();
    expect(await store.get(key)).toBeUndefined();
    await store.set(key, 'one');
    await store.set('other', '');
    await store.set(key, 'two');
    expect([await store.get(key), await store.get('other')]).toEqual(['two', '']);
  });

  it('keeps plans', async () => {
    const store = stores[name]!();
    expect(await loadPlan(store, key)).toBeUndefined();
    expect(await savePlan(store, plan)).toBe(true);
    expect(await loadPlan(store, key)).toEqual(plan);
  });

  it.each([
    ['nothing', ''],
    ['half a plan', serializePlan(plan).slice(0, 200)],
    ['zeros', '\0'.repeat(4096)],
    ['brackets without end', '['.repeat(100_000)],
    ['a plan of another batch', changed({ costs: { ...plan.costs, batch: 2 } })],
  ])('has no plan where it holds %s', async (_, text) => {
    const store = stores[name]!();
    await store.set(key, text);
    expect(await loadPlan(store, key)).toBeUndefined();
    expect(await savePlan(store, plan)).toBe(true);
    expect(await loadPlan(store, key)).toEqual(plan);
  });
});

describe('the file store', () => {
  it('is there for the next process', async () => {
    await savePlan(filePlanStore(folder), plan);
    expect(await loadPlan(filePlanStore(folder), key)).toEqual(plan);
  });

  it('names files safely, whatever the key, one for each', async () => {
    const keys = ['../../escape', 'a/b', 'A/B', 'con', '', '\0', 'x'.repeat(5000), key];
    const store = filePlanStore(folder);
    for (const each of keys) await store.set(each, `value of ${each}`);
    for (const each of keys) expect(await store.get(each)).toBe(`value of ${each}`);
    const files = await readdir(folder);
    expect(files).toHaveLength(keys.length);
    for (const file of files) expect(file).toMatch(/^[0-9a-f]{32}\.json$/);
  });

  it('never shows half a file to readers while many write', async () => {
    const texts = Array.from({ length: 8 }, (_, n) => String(n).repeat(200_000));
    const stores = texts.map(() => filePlanStore(folder));
    await stores[0]!.set(key, texts[0]!);
    const writing = Promise.all(texts.map(async (text, n) => {
      for (let round = 0; round < 10; round++) await stores[n]!.set(key, text);
    }));
    let written = false;
    void writing.finally(() => (written = true)).catch(() => {});
    let reads = 0;
    for (; !written; reads++) expect(texts.includes((await filePlanStore(folder).get(key))!)).toBe(true);
    await writing;
    expect(reads).toBeGreaterThan(0);
    expect(await readdir(folder)).toHaveLength(1);
  });

  it('leaves nothing behind where it cannot write', async () => {
    const store = filePlanStore(folder);
    await store.set(key, 'x');
    const [file] = await readdir(folder);
    // A folder in the place of the file: the rename fails.
    await rm(join(folder, file!));
    await filePlanStore(join(folder, file!)).set('inside', 'x');
    await expect(store.set(key, 'y')).rejects.toThrow();
    expect(await readdir(folder)).toEqual([file]);
  });

  it('stops nobody where its folder is a file', async () => {
    const path = join(folder, 'file');
    await writeFile(path, 'mine');
    const store = filePlanStore(path);
    await expect(store.get(key)).rejects.toThrow();
    expect(await loadPlan(store, key)).toBeUndefined();
    expect(await savePlan(store, plan)).toBe(false);
    expect(await readFile(path, 'utf8')).toBe('mine');
  });
});
