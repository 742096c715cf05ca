import type { LinkedKernel as Linked } from '../src/custom/toolchain/kernel.d.mts';

/** A kernel as the generator sees it, before it becomes a typed module. */
export type LinkedKernel = Omit<Linked, 'locate'>;

export function linkKernel(file: string, condition?: string): LinkedKernel;
export function linkVariants(file: string): LinkedKernel[];
export function generate(from?: string, to?: string): { kernels: number; written: number; removed: number };
