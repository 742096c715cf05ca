import { NoAdapterError } from '../errors.ts';
import type { Device } from './device.ts';
import { open as openHere, openFrom } from './open.ts';
import type { OpenOptions } from './open.ts';

export interface NodeOpenOptions extends OpenOptions {
  /** Picks the adapter whose name contains this, e.g. `llvmpipe` or `SwiftShader`. */
  adapter?: string;
}

/**
 * Opens a device through Dawn (the optional peer package `webgpu`).
 * @throws NoAdapterError if the package or an adapter is missing, with the ways to get one
 */
export async function open(options: NodeOpenOptions = {}): Promise<Device> {
  if (options.device || options.gpu) return openHere(options);
  let dawn: typeof import('webgpu');
  try {
    dawn = await import('webgpu');
  } catch (error) {
    throw new NoAdapterError(`open: Node has no WebGPU of its own; npm install webgpu (${(error as Error).message.split('\n')[0]})`, {
      cause: error,
    });
  }
  Object.assign(globalThis, dawn.globals);
  const gpu = dawn.create(options.adapter ? [`adapter=${options.adapter}`] : []);
  try {
    return await openFrom(gpu, options, gpu);
  } catch (error) {
    // With a name that fits no adapter Dawn throws instead of returning null.
    const missing = error instanceof NoAdapterError || /no suitable backends/.test(String(error));
    if (!missing || !options.adapter) throw error;
    throw new NoAdapterError(`open: no adapter named like '${options.adapter}'; leave the name out to take the first`, { cause: error });
  }
}
