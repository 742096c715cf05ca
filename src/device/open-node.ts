import { NoAdapterError } from '../errors.ts';
import type { Device } from './device.ts';
import { open as openHere } from './open.ts';
import type { OpenOptions } from './open.ts';

export interface NodeOpenOptions extends OpenOptions {
  /** Picks the adapter whose name contains this, e.g. `llvmpipe` or `SwiftShader`. */
  adapter?: string;
}

/**
 * Dawn's entry objects, one per choice of adapter, for as long as the process lives: collected as garbage while
 * anything made from one is still waiting for its own collection, they crash the process. Holding them does not keep
 * Node alive.
 */
const instances = new Map<string, GPU>();

/** Time stamps to the nanosecond: coarse ones (65 microseconds) hide pages from each other, and Node has no pages. */
const EXACT_TIME = 'disable-dawn-features=timestamp_quantization';

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
    throw new NoAdapterError(
      `open: Node has no WebGPU of its own; npm install webgpu (${(error as Error).message.split('\n')[0]})`,
      { cause: error },
    );
  }
  const flags = [EXACT_TIME, ...(options.adapter ? [`adapter=${options.adapter}`] : [])];
  let gpu = instances.get(flags.join());
  if (!gpu) {
    Object.assign(globalThis, dawn.globals);
    instances.set(flags.join(), (gpu = dawn.create(flags)));
  }
  try {
    return await openHere({ ...options, gpu });
  } catch (error) {
    // With a name that fits no adapter Dawn throws instead of returning null.
    const missing = error instanceof NoAdapterError || /no suitable backends/.test(String(error));
    if (!missing || !options.adapter) throw error;
    throw new NoAdapterError(`open: no adapter named like '${options.adapter}'; leave the name out to take the first`, {
      cause: error,
    });
  }
}
