import type { Kernel, StructField } from '../src/kernels/kernel.ts';

interface StructLayout {
  readonly name: string;
  readonly size: number;
  readonly fields: readonly StructField[];
}

/** A kernel as the generator sees it, before it becomes a typed module. */
export interface LinkedKernel extends Omit<Kernel, 'params' | 'overrides'> {
  /** The linked text with its white space; `code` is the same without. */
  readonly wgsl: string;
  /** The comment that its file opens with. */
  readonly opening: string;
  readonly params?: { readonly binding: number; readonly struct: StructLayout };
  readonly overrides: readonly { readonly name: string; readonly type: string }[];
  /** The structs that its storage bindings consist of. */
  readonly structs: readonly StructLayout[];
}

export function linkKernel(file: string, condition?: string): LinkedKernel;
export function linkVariants(file: string): LinkedKernel[];
export function generate(from?: string, to?: string): { kernels: number; written: number; removed: number };
