import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { OnnxAttribute, OnnxTensor } from '../../src/onnx/index.ts';

/** A tensor as the loader reads it; integers of 64 bits as such. */
export interface LoadedTensor {
  readonly name: string;
  readonly dtype: string;
  readonly dims: readonly number[];
  readonly data: ArrayLike<number | bigint>;
}

export interface LoadedCase {
  readonly name: string;
  readonly nodes: readonly {
    readonly op: string;
    readonly inputs: readonly string[];
    readonly outputs: readonly string[];
    readonly attrs: Readonly<Record<string, unknown>>;
  }[];
  readonly opset: Readonly<Record<string, number>>;
  readonly inputs: readonly LoadedTensor[];
  readonly outputs: readonly LoadedTensor[];
  readonly initializers: Readonly<Record<string, LoadedTensor>>;
}

export interface Loader {
  listCases(filter?: object): readonly { readonly name: string; readonly core?: boolean }[];
  loadCase(name: string): LoadedCase;
  compare(got: object, want: object): { readonly ok: boolean; readonly why?: string; readonly worst?: number };
}

/** @throws Error for a folder without cases */
export async function openCases(folder: string | undefined): Promise<Loader> {
  const loader = folder && join(resolve(folder), 'load.mjs');
  if (!loader || !existsSync(loader)) {
    throw new Error(
      `conformance: expected a folder of operator tests with their load.mjs, got ${folder ?? 'nothing'}; ` +
        'npm run conformance -- FOLDER [FILTER...]',
    );
  }
  return (await import(pathToFileURL(loader).href)) as Loader;
}

export const tensorOf = ({ dtype, dims, data }: LoadedTensor): OnnxTensor => ({
  dtype: dtype as OnnxTensor['dtype'],
  dims,
  data: Array.from(data, Number),
});

export const attributesOf = (attrs: Readonly<Record<string, unknown>>): Record<string, OnnxAttribute> =>
  Object.fromEntries(
    Object.entries(attrs).map(([name, value]) => {
      const isTensor = typeof value === 'object' && value !== null && 'dims' in value;
      return [name, isTensor ? tensorOf(value as LoadedTensor) : (value as OnnxAttribute)];
    }),
  );
