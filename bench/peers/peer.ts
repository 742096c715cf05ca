import type { Results, Work } from './cases.ts';

/** A case made ready: compiled, operands where they belong. */
export interface Prepared {
  /** One operation with a tiny read at its end: when it resolves, the answer is on the host. */
  run(): Promise<unknown>;
  /** All of the answer. Called once, before the first `run()`: of a training it takes the first steps. */
  results(): Promise<Results>;
  dispose?(): void;
}

/** An engine, used as its own documentation recommends. */
export interface Peer {
  readonly name: string;
  /** The adapter in its own words, as far as it can be known. */
  readonly adapter: string;
  /** @throws Unsupported */
  prepare(work: Work): Promise<Prepared>;
  /** Errors that WebGPU reported so far; undefined where nobody can ask. */
  readonly errors: number | undefined;
}

/** A peer cannot do a case; the message is the reason that the table gives. */
export class Unsupported extends Error {}

/** Counts the errors that WebGPU reports on a device and nobody catches, and shows the first. */
export function countErrors(device: GPUDevice): { readonly count: number } {
  const errors = { count: 0 };
  device.addEventListener('uncapturederror', (event) => {
    event.preventDefault();
    if (errors.count++ === 0) console.error(event.error.message);
  });
  return errors;
}

export const describeAdapter = ({ vendor, architecture, device, description }: GPUAdapterInfo): string =>
  [...new Set([vendor, architecture, device, description])].filter(Boolean).join(' ');
