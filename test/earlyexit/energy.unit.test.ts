import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openEnergyCounter } from '../../src/earlyexit/judgement/energy-node.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'exitgpu-powercap-'));
});

afterEach(() => rm(folder, { recursive: true }));

/** A zone as Linux shows it: a folder with a file for each number. */
async function zone(id: string, name: string, energy: number | string, range = 262_143_328_850): Promise<void> {
  await mkdir(join(folder, id), { recursive: true });
  const files = { name: `${name}\n`, energy_uj: `${energy}\n`, max_energy_range_uj: `${range}\n` };
  for (const [file, text] of Object.entries(files)) await writeFile(join(folder, id, file), text);
}

describe('the energy counter', () => {
  it('adds up packages since the last reading, and neither parts of them nor what holds them', async () => {
    await zone('intel-rapl:0', 'package-0', 5_000_000);
    await zone('intel-rapl:1', 'package-1', 1_000);
    await zone('intel-rapl:0:0', 'core', 0);
    await zone('intel-rapl:2', 'psys', 0);
    await zone('intel-rapl-mmio:0', 'package-0', 0);
    const counter = (await openEnergyCounter(folder))!;
    expect(await counter.take()).toBe(0);
    await zone('intel-rapl:0', 'package-0', 7_500_000);
    await zone('intel-rapl:1', 'package-1', 1_250);
    for (const id of ['intel-rapl:0:0', 'intel-rapl:2', 'intel-rapl-mmio:0']) await zone(id, 'more', 9e9);
    expect(await counter.take()).toBeCloseTo(2500.25, 9);
    expect(await counter.take()).toBe(0);
  });

  it('goes on where a file wraps around', async () => {
    await zone('intel-rapl:0', 'package-0', 990_000, 1_000_000);
    const counter = (await openEnergyCounter(folder))!;
    await zone('intel-rapl:0', 'package-0', 25_000, 1_000_000);
    expect(await counter.take()).toBeCloseTo(35, 9);
  });

  it('is none without packages, without the folder, and of files that say something else', async () => {
    expect(await openEnergyCounter(folder)).toBeUndefined();
    expect(await openEnergyCounter(join(folder, 'none'))).toBeUndefined();
    await zone('intel-rapl:0', 'package-0', 'no number');
    expect(await openEnergyCounter(folder)).toBeUndefined();
    await rm(join(folder, 'intel-rapl:0/energy_uj'));
    expect(await openEnergyCounter(folder)).toBeUndefined();
  });
});
