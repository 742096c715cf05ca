import { homedir } from 'node:os';
import { join } from 'node:path';
import { filePlanStore, loadVariants, open } from '../node.ts';
import type { Device, PlanStore } from '../node.ts';
import { optionalFlag, text, toggle } from './flags.ts';

export const adapterFlag = optionalFlag(text, {
  placeholder: 'name',
  help: 'Take the adapter whose name contains this, e.g. llvmpipe (default the first)',
});

export const halfFlag = toggle('Keep weights, and what layers hand on, in f16, on a GPU with shader-f16');

/** Where what was measured of devices is kept between calls of the command: measuring takes a while. */
export function measurements(): PlanStore {
  const cache = process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache');
  return filePlanStore(join(cache, 'exitgpu', 'plans'));
}

/** @throws NoAdapterError with the ways to get one */
export async function openDevice(adapter: string | undefined): Promise<Device> {
  const device = await open(adapter ? { adapter } : {});
  await loadVariants(device, measurements());
  return device;
}
