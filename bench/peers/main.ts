/**
 * `npm run bench:peers -- [FILTER...] [--passes N] [--json FILE]`: the cases whose names contain one of the filters, or
 * all, asked of every peer in one process on one adapter. Answers are compared with a double-precision oracle before
 * any time is taken; the peers then take turns, pass by pass. Writes `bench/results/peers.json` if all were asked.
 */
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { CASES, COLD } from './cases.ts';
import type { Case, Results, Work } from './cases.ts';
import { distance, expectedResults } from './oracle.ts';
import type { Peer, Prepared } from './peer.ts';
import { PEERS, providePageGpu, RIVALS } from './peers.ts';

/** Of a peer in a pass; and no fewer calls than these. */
const MS_PER_PASS = 300;
const LEAST_CALLS = 3;
const COLD_NAME = `cold: from opening the device to the first answer, ${COLD.name}`;

/**
 * What a peer came to in a case. Times are medians of a pass: the least, the middle one, and from the least to the
 * greatest as a share of the middle one.
 */
type Outcome =
  | { readonly bestMs: number; readonly medianMs: number; readonly spread: number; readonly distance: number }
  | { readonly reason: string };

interface Row {
  readonly name: string;
  readonly outcomes: Readonly<Record<string, Outcome>>;
}

const { values: options, positionals: filters } = parseArgs({
  allowPositionals: true,
  options: { passes: { type: 'string', default: '3' }, json: { type: 'string' } },
});
const passes = Number(options.passes);
if (!(Number.isInteger(passes) && passes > 0)) {
  throw new Error(`bench:peers: expected --passes of 1 or more, got '${options.passes}'`);
}
const wanted = (name: string): boolean => filters.length === 0 || filters.some((filter) => name.includes(filter));
if (![...CASES.map(({ name }) => name), COLD_NAME].some(wanted)) {
  throw new Error(`bench:peers: no case is named like '${filters.join("', '")}'`);
}

const peers = await openPeers();
const rows: Row[] = [];
for (const each of CASES) {
  if (!wanted(each.name)) continue;
  rows.push(await compare(each));
  report(rows.at(-1)!);
}
if (wanted(COLD_NAME)) {
  rows.push(await compareCold());
  report(rows.at(-1)!);
}
const { adapter, ...environment } = environmentOf(peers);
console.log(`\nadapter: ${adapter}; ${passes} passes, best / median in ms\n\n${markdown(rows)}`);
const usual = fileURLToPath(new URL('../results/peers.json', import.meta.url));
const file = options.json ?? (filters.length === 0 ? usual : undefined);
if (file) {
  mkdirSync(dirname(file), { recursive: true });
  const question = 'How long do the same operations, networks and exits take, with which engine, on one adapter?';
  const record = { question, environment: { adapter, ...environment }, passes, errors: errorsOf(peers), rows };
  writeFileSync(file, `${JSON.stringify(record, null, 2)}\n`);
}
// Native libraries may hold threads of their own.
process.exit(0);

/** @throws Error unless all who name an adapter name the same */
async function openPeers(): Promise<Map<string, Peer>> {
  const gpu = providePageGpu();
  const opened = new Map<string, Peer>();
  for (const [name, load] of Object.entries(PEERS)) {
    try {
      const peer = await (await load())(gpu);
      opened.set(name, peer);
      console.error(`${name}: ${peer.adapter}`);
    } catch (error) {
      console.error(`${name}: left out, ${reasonOf(error)}`);
    }
  }
  const named = [...opened.values()].filter(({ errors }) => errors !== undefined);
  const adapters = new Set(named.map((peer) => peer.adapter));
  if (adapters.size !== 1) throw new Error(`bench:peers: expected one adapter, got ${[...adapters].join(', ')}`);
  return opened;
}

async function compare({ name, tolerance, work: make }: Case): Promise<Row> {
  const work = make();
  const outcomes: Record<string, Outcome> = {};
  const ready = new Map<string, { prepared: Prepared; results: Results; errors: number; medians: number[] }>();
  for (const [peerName, peer] of peers) {
    try {
      const { errors = 0 } = peer;
      const prepared = await peer.prepare(work);
      ready.set(peerName, { prepared, results: await prepared.results(), errors, medians: [] });
    } catch (error) {
      outcomes[peerName] = { reason: reasonOf(error) };
    }
  }
  const expected = completed(work, [...ready.values()].map(({ results }) => results));
  for (const [peerName, { results, prepared }] of ready) {
    const apart = distance(results, expected);
    if (apart <= tolerance) continue;
    outcomes[peerName] = { reason: `wrong (max error ${apart.toExponential(1)})` };
    prepared.dispose?.();
    ready.delete(peerName);
  }
  // Pass 0 is not counted: drivers compile the last of a kernel as it first runs.
  for (let pass = 0; pass <= passes; pass++) {
    const order = [...ready];
    // Whoever follows the slowest would always find the machine warm.
    order.push(...order.splice(0, pass % Math.max(1, order.length)));
    for (const [peerName, { prepared, medians }] of order) {
      try {
        const ms = await timeCalls(prepared, pass === 0 ? 0 : MS_PER_PASS);
        if (pass > 0) medians.push(ms);
      } catch (error) {
        outcomes[peerName] = { reason: reasonOf(error) };
        ready.delete(peerName);
      }
    }
  }
  for (const [peerName, { prepared, results, errors, medians }] of ready) {
    const reported = (peers.get(peerName)!.errors ?? 0) - errors;
    const outcome = { ...statistics(medians), distance: distance(results, expected) };
    outcomes[peerName] = reported > 0 ? { reason: `${reported} errors of WebGPU` } : outcome;
    prepared.dispose?.();
  }
  return { name, outcomes };
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

/** Each in a process of its own, with the caches of drivers off. */
async function compareCold(): Promise<Row> {
  const found = new Map([...peers.keys()].map((name) => [name, [] as { ms: number; distance: number }[]]));
  const outcomes: Record<string, Outcome> = {};
  const script = fileURLToPath(new URL('cold.ts', import.meta.url));
  const env = { ...process.env, MESA_SHADER_CACHE_DISABLE: 'true', __GL_SHADER_DISK_CACHE: '0' };
  for (let pass = 0; pass < passes; pass++) {
    for (const [name, calls] of found) {
      try {
        const args = ['--import', 'tsx', script, name];
        calls.push(JSON.parse((await promisify(execFile)(process.execPath, args, { env })).stdout));
      } catch (error) {
        outcomes[name] = { reason: reasonOf(error) };
        found.delete(name);
      }
    }
  }
  for (const [name, calls] of found) {
    const furthest = Math.max(...calls.map((call) => call.distance));
    outcomes[name] = { ...statistics(calls.map(({ ms }) => ms)), distance: furthest };
  }
  return { name: COLD_NAME, outcomes };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1]!;
}

function statistics(ms: readonly number[]): { bestMs: number; medianMs: number; spread: number } {
  const [bestMs, medianMs] = [Math.min(...ms), median(ms)];
  return { bestMs, medianMs, spread: (Math.max(...ms) - bestMs) / medianMs };
}

/** What a child wrote before it died says more than that it did. */
function reasonOf(error: unknown): string {
  const { message, stderr } = error as Error & { stderr?: string };
  return (/^\w*Error: (.*)/m.exec(stderr ?? '')?.[1] ?? message.split('\n')[0]!).slice(0, 120);
}

function environmentOf(opened: ReadonlyMap<string, Peer>): Record<'adapter' | 'node' | 'cpu' | 'date', string> & {
  versions: Record<string, string>;
} {
  const packageAt = (path: string) => JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8'));
  const { dependencies } = packageAt('package.json');
  const { webgpu } = packageAt('../../package.json').devDependencies;
  return {
    adapter: [...opened.values()].find(({ errors }) => errors !== undefined)!.adapter,
    node: process.version,
    cpu: `${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}`,
    date: new Date().toISOString().slice(0, 10),
    versions: { ...dependencies, webgpu },
  };
}

function errorsOf(opened: ReadonlyMap<string, Peer>): Record<string, number | string> {
  return Object.fromEntries([...opened].map(([name, { errors }]) => [name, errors ?? 'nobody can ask']));
}

function cell(outcome: Outcome | undefined): string {
  if (!outcome) return '-';
  return 'reason' in outcome ? outcome.reason : `${rounded(outcome.bestMs)} / ${rounded(outcome.medianMs)}`;
}

function rounded(ms: number): string {
  return ms < 100 ? ms.toPrecision(3) : ms.toFixed(0);
}

/** How many times faster exitgpu is than the fastest rival with right results. */
function ratio({ outcomes }: Row): string {
  const best = (name: string): number => {
    const outcome = outcomes[name];
    return outcome && 'bestMs' in outcome ? outcome.bestMs : Infinity;
  };
  const times = Math.min(...RIVALS.map(best)) / best('exitgpu');
  return Number.isFinite(times) && times > 0 ? times.toFixed(2) : '-';
}

function report(row: Row): void {
  const cells = Object.entries(row.outcomes).map(([name, outcome]) => `${name} ${cell(outcome)}`);
  console.error(`${row.name}: ${cells.join(', ')}; best rival / exitgpu ${ratio(row)}`);
}

function markdown(all: readonly Row[]): string {
  const names = [...peers.keys()];
  const lines = all.map((row) => [row.name, ...names.map((name) => cell(row.outcomes[name])), ratio(row)]);
  const header = ['case', ...names, 'best rival / exitgpu'];
  return [header, header.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
