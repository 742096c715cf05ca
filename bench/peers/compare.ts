/** What measures, in Node as in a page: opens the peers, compares their answers, and lets them take turns. */
import type { Case, Results, Work } from './cases.ts';
import { distance, expectedResults } from './oracle.ts';
import type { Peer, PeerList, Prepared } from './peer.ts';

/** Of a peer in a pass; and no fewer calls than these. */
const MS_PER_PASS = 300;
const LEAST_CALLS = 3;

/**
 * What a peer came to in a case. Times are medians of a pass: the least, the middle one, and from the least to the
 * greatest as a share of the middle one.
 */
export type Outcome =
  | {
      readonly bestMs: number;
      readonly medianMs: number;
      readonly spread: number;
      readonly distance: number;
      /** In buffers, to the first results, of a process of its own; left out where nobody here sees them. */
      readonly peakBytes?: number;
    }
  | { readonly reason: string };

export interface Row {
  readonly name: string;
  /** As of its case. */
  readonly against?: string;
  readonly outcomes: Readonly<Record<string, Outcome>>;
}

export interface Opened {
  /** In the words of those who say which one they took. */
  readonly adapter: string;
  readonly peers: ReadonlyMap<string, Peer>;
  /** Why others could not be opened. */
  readonly leftOut: Readonly<Record<string, string>>;
}

/** Errors of WebGPU so far, by peer; undefined where nobody can ask. */
export type Errors = Readonly<Record<string, number | undefined>>;

/** Where cases run. */
export interface Place extends Omit<Opened, 'peers'> {
  /** Of the peers, in the order of the table. */
  readonly names: readonly string[];
  readonly errors: Errors;
  /** Node or Chromium, and its version. */
  readonly host: Readonly<Record<string, string>>;
  compare(each: Case): Promise<Row>;
  close(): Promise<void>;
}

/** @throws Error unless all who name an adapter name the same */
export async function openPeers(list: PeerList, gpu: GPU): Promise<Opened> {
  const peers = new Map<string, Peer>();
  const leftOut: Record<string, string> = {};
  for (const [name, load] of Object.entries(list)) {
    try {
      peers.set(name, await (await load())(gpu));
    } catch (error) {
      leftOut[name] = reasonOf(error);
    }
  }
  const named = [...peers.values()].filter(({ errors }) => errors !== undefined);
  const adapters = new Set(named.map((peer) => peer.adapter));
  if (adapters.size !== 1) {
    const got = [...adapters].join(', ') || JSON.stringify(leftOut);
    throw new Error(`bench:peers: expected one adapter, got ${got}`);
  }
  return { adapter: [...adapters][0]!, peers, leftOut };
}

export const errorsOf = (peers: ReadonlyMap<string, Peer>): Errors =>
  Object.fromEntries([...peers].map(([name, { errors }]) => [name, errors]));

/** @param tell hears whose turn it is, before it begins */
export async function compare(
  { name, tolerance, against, work: make }: Case,
  peers: ReadonlyMap<string, Peer>,
  passes: number,
  tell: (peer: string) => Promise<void> = async () => {},
): Promise<Row> {
  const work = make();
  const outcomes: Record<string, Outcome> = {};
  interface Ready {
    readonly prepared: Prepared;
    readonly results: Results;
    readonly errors: number;
    readonly medians: number[];
  }
  const ready = new Map<string, Ready>();
  for (const [peerName, peer] of peers) {
    let prepared: Prepared | undefined;
    try {
      const { errors = 0 } = peer;
      await tell(peerName);
      prepared = await peer.prepare(work);
      ready.set(peerName, { prepared, results: await prepared.results(), errors, medians: [] });
    } catch (error) {
      outcomes[peerName] = { reason: reasonOf(error) };
      free(prepared);
    }
  }
  const leave = (peerName: string, outcome: Outcome): void => {
    outcomes[peerName] = outcome;
    free(ready.get(peerName)!.prepared);
    ready.delete(peerName);
  };
  const expected = completed(work, [...ready.values()].map(({ results }) => results));
  for (const [peerName, { results }] of ready) {
    const apart = distance(results, expected);
    if (!(apart <= tolerance)) leave(peerName, { reason: `wrong (max error ${apart.toExponential(1)})` });
  }
  // Pass 0 is not counted: drivers compile the last of a kernel as it first runs.
  for (let pass = 0; pass <= passes; pass++) {
    const order = [...ready];
    // Whoever follows the slowest would always find the machine warm.
    order.push(...order.splice(0, pass % Math.max(1, order.length)));
    for (const [peerName, { prepared, medians }] of order) {
      try {
        await tell(peerName);
        const ms = await timeCalls(prepared, pass === 0 ? 0 : MS_PER_PASS);
        if (pass > 0) medians.push(ms);
      } catch (error) {
        leave(peerName, { reason: reasonOf(error) });
      }
    }
  }
  for (const [peerName, { results, errors, medians }] of ready) {
    const reported = (peers.get(peerName)!.errors ?? 0) - errors;
    const outcome = { ...statistics(medians), distance: distance(results, expected) };
    leave(peerName, reported > 0 ? { reason: `${reported} errors of WebGPU` } : outcome);
  }
  return { name, ...(against && { against }), outcomes };
}

/** As far as it goes: in the middle of a call that failed nobody knows what is held. */
function free(prepared: Prepared | undefined): void {
  try {
    prepared?.dispose?.();
  } catch (error) {
    console.error(`dispose: ${reasonOf(error)}`);
  }
}

/** What the oracle leaves open (the later steps of a training) is the middle one of what the peers say. */
function completed(work: Work, results: readonly Results[]): Results {
  const expected = expectedResults(work);
  return Object.fromEntries(
    Object.entries(expected).map(([name, values]) => {
      const lists = results.map((of) => of[name]!).filter(Boolean);
      const length = Math.max(values.length, ...lists.map((list) => list.length));
      const consensus = (at: number): number => median(lists.map((list) => list[at]!));
      const more = Array.from({ length: length - values.length }, (_, index) => consensus(values.length + index));
      return [name, more.length > 0 ? [...Array.from(values), ...more] : values];
    }),
  );
}

async function timeCalls({ run }: Prepared, ms: number): Promise<number> {
  const times: number[] = [];
  const began = performance.now();
  let now = began;
  while (now - began < ms || times.length < LEAST_CALLS) {
    await run();
    const end = performance.now();
    times.push(end - now);
    now = end;
  }
  return median(times);
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1]!;
}

export function statistics(ms: readonly number[]): { bestMs: number; medianMs: number; spread: number } {
  const [bestMs, medianMs] = [Math.min(...ms), median(ms)];
  return { bestMs, medianMs, spread: (Math.max(...ms) - bestMs) / medianMs };
}

/** The first line of what an error says, as far as a table has room. */
export function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.split('\n')[0]!.slice(0, 120);
}
