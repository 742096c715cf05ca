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
  /** The adapter in its own words, as far as it can be known. */
  readonly adapter: string;
  /** @throws Unsupported */
  prepare(work: Work): Promise<Prepared>;
  /** Errors that WebGPU reported so far; undefined where nobody can ask. */
  readonly errors: number | undefined;
}

/**
 * Who is measured, in the order of the table: each loads its library and gives the function that opens its device. They
 * are loaded when asked for: some look for `navigator.gpu` as they are imported.
 */
export type PeerList = Readonly<Record<string, () => Promise<(gpu: GPU) => Promise<Peer>>>>;

/** A peer cannot do a case; the message is the reason that the table gives. */
export class Unsupported extends Error {}

/** A case whose whole answer, a list of this name, is read each time. */
export const reading = (name: string, run: () => Promise<ArrayLike<number>>, dispose: () => void): Prepared => ({
  run,
  results: async () => ({ [name]: await run() }),
  dispose,
});

/** A training, a step and its loss each time. */
export const stepping = (run: () => Promise<number>, dispose: () => void): Prepared => ({
  run,
  results: async () => ({ losses: [await run(), await run(), await run()] }),
  dispose,
});

/** One sample through a network with exits; the answer begins with entropy, margin and label. */
export const answering = (run: () => Promise<ArrayLike<number>>, dispose: () => void): Prepared => ({
  run,
  async results() {
    const { 0: entropy, 2: label } = await run();
    return { entropy: [entropy!], label: [label!] };
  },
  dispose,
});

/** Asks stage after stage: the answer of the first whose entropy is below the threshold, or else of the last. */
export async function firstSure<Stage, Answer extends ArrayLike<number>>(
  stages: readonly Stage[],
  threshold: number,
  ask: (stage: Stage) => Promise<Answer>,
): Promise<Answer> {
  for (const [index, stage] of stages.entries()) {
    const answer = await ask(stage);
    if (index === stages.length - 1 || answer[0]! < threshold) return answer;
  }
  throw new Error('a network without stages');
}

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
