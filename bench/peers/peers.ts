import { create, globals } from 'webgpu';
import type { Peer } from './peer.ts';

type Open = (gpu: GPU) => Promise<Peer>;

/**
 * Who is measured, in the order of the table: each loads the library and gives the function that opens its device. They
 * are loaded when asked for: some look for `navigator.gpu` as they are imported.
 */
export const PEERS: Readonly<Record<string, () => Promise<Open>>> = {
  exitgpu: async () => (await import('./exitgpu.ts')).open,
  bare: async () => (await import('./bare.ts')).open,
  tfjs: async () => (await import('./tfjs.ts')).open,
  'jax-js': async () => (await import('./jax.ts')).open,
  'ort-node WebGPU': async () => (await import('./ort.ts')).openWebGpu,
  'ort-node CPU': async () => (await import('./ort.ts')).openCpu,
};

/** What exitgpu is to be ahead of: the libraries on the same adapter. */
export const RIVALS: readonly string[] = ['tfjs', 'jax-js', 'ort-node WebGPU'];

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
