import type { Kernel, StructField } from '../../kernels/kernel.js';

/** A file or text of WGSL with imports. */
export interface Source {
  /** As messages show it; of two sources with the same path one is parsed. */
  readonly path: string;
  readonly text: string;
}

export interface Linked {
  readonly opening: string;
  readonly wgsl: string;
  readonly locate: (node?: { start: number }) => string;
}

export type Linker = (main: Source, conditions?: Record<string, boolean>) => Linked;

export interface StructLayout {
  readonly name: string;
  readonly size: number;
  readonly fields: readonly StructField[];
}

/** A kernel as linked and reflected, before it becomes a typed module or is compiled. */
export interface LinkedKernel extends Omit<Kernel, 'code' | 'params'> {
  readonly code: string;
  /** The linked text with its white space; `code` is the same without. */
  readonly wgsl: string;
  /** The comment that its source opens with. */
  readonly opening: string;
  /** `path:line` of what starts there in `wgsl`. */
  readonly locate: (node?: { start: number }) => string;
  readonly params?: { readonly binding: number; readonly struct: StructLayout };
  readonly overrides: readonly { readonly name: string; readonly type: string }[];
  /** The structs that its storage bindings consist of. */
  readonly structs: readonly StructLayout[];
}

export interface Declaration {
  readonly kind: 'fn' | 'struct' | 'buffer';
  readonly name: string;
  /** Names of the types of a function's parameters and of its result; empty where there is none. */
  readonly takes: readonly string[];
  readonly gives: string;
  /** `path:line`. */
  readonly place: string;
}

export class KernelError extends Error {}
/** Runs `work` while the linker prints nothing. */
export function quietly<T>(work: () => T): Promise<Awaited<T>>;
export function createLinker(find: (modulePath: string) => Source | undefined): Linker;
/** @throws KernelError */
export function declarations(source: Source): Declaration[];
/** @throws KernelError */
export function linkKernel(
  link: Linker,
  source: Source,
  options: { name: string; conditions?: Record<string, boolean> | undefined; except?: readonly string[] },
): LinkedKernel;
/** The conditions, one at a time, for which a source also makes a kernel. */
export function variantsOf(opening: string): string[];
/** Whether a source also makes a kernel for values in f16. */
export function storesHalf(opening: string): boolean;
