import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { imageAt } from '../../data/dataset.ts';
import type { Dataset } from '../../data/dataset.ts';
import { ArgumentError } from '../../errors.ts';
import type { Classifier, ClassifyOptions } from '../classifier.ts';
import { checkFits } from '../network.ts';
import { WARM_UP } from './latency.ts';

/** Counts what processor packages use: all processes on them, and nothing of a graphics card beside them. */
export interface EnergyCounter {
  /** Millijoules since the last call, or since the counter was opened. */
  take(): Promise<number>;
}

/**
 * The counter that Linux keeps for Intel's and AMD's processors (Documentation/power/powercap/powercap.rst); nothing
 * where there is none or this user may not read it. Only whole packages count: zones such as `intel-rapl:0:1` are parts
 * of one, and `psys` holds them all. The files wrap around, after minutes at the least.
 * @param root the folder with the zones
 */
export async function openEnergyCounter(root = '/sys/class/powercap'): Promise<EnergyCounter | undefined> {
  try {
    const text = (zone: string, file: string): Promise<string> => readFile(join(root, zone, file), 'utf8');
    const packages: { range: number; before: number; read: () => Promise<number> }[] = [];
    for (const zone of (await readdir(root)).filter((name) => /^intel-rapl:\d+$/.test(name))) {
      if (!(await text(zone, 'name')).startsWith('package')) continue;
      const read = async (): Promise<number> => Number(await text(zone, 'energy_uj'));
      const [range, before] = [Number(await text(zone, 'max_energy_range_uj')), await read()];
      if (range > 0 && before >= 0) packages.push({ range, before, read });
    }
    if (packages.length === 0) return undefined;
    return {
      async take() {
        let microjoules = 0;
        for (const each of packages) {
          const now = await each.read();
          microjoules += now - each.before + (now < each.before ? each.range : 0);
          each.before = now;
        }
        return microjoules / 1000;
      },
    };
  } catch {
    return undefined;
  }
}

/** Millijoules of the packages per sample, those that they would have used idle included. */
export interface Energy {
  readonly early: number;
  readonly full: number;
}

export interface EnergyOptions {
  /** Milliseconds with exits, and then without: long against the one in which counters move on. 1000 where left out. */
  readonly ms?: number;
  /** Of the calls with exits. */
  readonly deadlineMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Classifies samples one by one, with exits and then without.
 * @throws ArgumentError, DeviceLostError, the signal's reason
 */
export async function measureEnergy(
  { early, full }: { early: Classifier; full: Classifier },
  dataset: Dataset,
  counter: EnergyCounter,
  { ms = 1000, deadlineMs, signal }: EnergyOptions = {},
): Promise<Energy> {
  checkFits(early.model.network, dataset, 'measureEnergy');
  if (!(ms > 0 && ms < Infinity)) throw new ArgumentError(`measureEnergy: expected ms above 0, got ${ms}`);
  const perSample = async (classifier: Classifier, options: ClassifyOptions): Promise<number> => {
    for (let call = 0; call < WARM_UP; call++) await classifier.classify(imageAt(dataset, call % dataset.labels.length));
    let samples = 0;
    const began = performance.now();
    await counter.take();
    while (samples === 0 || performance.now() - began < ms) {
      await classifier.classify(imageAt(dataset, samples++ % dataset.labels.length), options);
    }
    return (await counter.take()) / samples;
  };
  return { early: await perSample(early, { deadlineMs, signal }), full: await perSample(full, { signal }) };
}
