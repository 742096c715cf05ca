import { open } from '../node.ts';
import type { Device } from '../node.ts';
import { optionalFlag, text } from './flags.ts';

export const adapterFlag = optionalFlag(text, {
  placeholder: 'name',
  help: 'Take the adapter whose name contains this, e.g. llvmpipe (default the first)',
});

/** @throws NoAdapterError with the ways to get one */
export const openDevice = (adapter: string | undefined): Promise<Device> => open(adapter ? { adapter } : {});
