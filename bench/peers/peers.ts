import { createRequire } from 'node:module';
import { create, globals } from 'webgpu';
import type { PeerList } from './peer.ts';

/** Who is measured in Node. */
export const PEERS: PeerList = {
  exitgpu: async () => (await import('./exitgpu.ts')).open,
  bare: async () => (await import('./bare.ts')).open,
  async tfjs() {
    const { open } = await import('./tfjs.ts');
    // Not a file that Node can import.
    createRequire(import.meta.url)('@tensorflow/tfjs-core/dist/register_all_gradients');
    return open;
  },
  'jax-js': async () => (await import('./jax.ts')).open,
  'ort-node WebGPU': async () => (await import('./ort.ts')).openWebGpu,
  'ort-node CPU': async () => (await import('./ort.ts')).openCpu,
};

/**
 * Makes Node look like a page with WebGPU, for libraries that are made for pages. As a property of the global object
 * Dawn's entry object lives as long as the process; collected sooner it would crash it.
 */
export function providePageGpu(): GPU {
  const gpu = create([]);
  Object.assign(globalThis, globals);
  Object.defineProperty(globalThis, 'navigator', { value: { gpu, userAgent: 'node' }, configurable: true });
  return gpu;
}
