import { join } from 'node:path';
import { dataFlags, PROCEDURAL, readData } from '../data.ts';
import { adapterFlag, openDevice } from '../device.ts';
import { EXIT_CODES } from '../failure.ts';
import { flag, text } from '../flags.ts';
import { interruptSignal } from '../interrupt.ts';
import { named } from '../named.ts';
import { REPRODUCTIONS } from '../reproductions/index.ts';
import type { ReproductionName } from '../reproductions/index.ts';
import { Interrupted, Workbench } from '../reproductions/workbench.ts';
import type { Reproduction } from '../reproductions/workbench.ts';
import { UsageError } from '../usage-error.ts';
import { versions } from '../versions.ts';
import { defineVerb } from '../verb.ts';

export const reproduceVerb = defineVerb({
  name: 'reproduce',
  inputs: '<name>',
  summary: 'Make a published result again; hours without a GPU, and resumable: the same call goes on',
  flags: {
    ...dataFlags,
    folder: flag(text, { placeholder: 'folder', help: 'Where models are kept between calls', fallback: 'models' }),
    adapter: adapterFlag,
  },
  async run([name], flags) {
    const reproduction = find(name!);
    if (reproduction.data && flags.data === PROCEDURAL) {
      throw new UsageError(`reproduce ${name}: expected --data with ${reproduction.data}, got none`);
    }
    const parts = await readData(flags);
    using device = await openDevice(flags.adapter);
    using interrupt = interruptSignal();
    const workbench = new Workbench(device, parts, join(flags.folder, 'reproduce'), interrupt.signal);
    try {
      const { text, json } = await reproduction.run(workbench);
      const environment = { ...versions(), adapter: device.name, date: new Date().toISOString().slice(0, 10) };
      return { text, json: { name, environment, errors: device.uncapturedErrors, ...json } };
    } catch (error) {
      if (!interrupt.signal.aborted && !(error instanceof Interrupted)) throw error;
      return {
        text: 'interrupted; the same call goes on',
        json: { name, interrupted: true },
        exitCode: EXIT_CODES.interrupted,
      };
    }
  },
});

function find(name: string): Reproduction {
  if (Object.hasOwn(REPRODUCTIONS, name)) return REPRODUCTIONS[name as ReproductionName];
  const known = Object.entries(REPRODUCTIONS).map(([key, { summary }]) => [key, summary]);
  throw new UsageError(`reproduce: expected one of ${named(Object.fromEntries(known))}; got '${name}'`);
}
