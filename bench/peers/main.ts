/**
 * `npm run bench:peers -- [--browser | --memory] [FILTER...] [--passes N] [--json FILE]`: the cases whose names contain
 * one of the filters, or all, asked of every peer in one process on one adapter, or in one page of a headless Chromium;
 * for the memory that they take, of each in a process of its own.
 * Answers are compared with a double-precision oracle before any time is taken; the peers then take turns, pass by
 * pass. Writes `bench/results/peers.json`, `peers-browser.json` or `peers-memory.json` if all were asked.
 */
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { CASES, COLD } from './cases.ts';
import type { Case } from './cases.ts';
import { compare, errorsOf, openPeers, reasonOf, statistics } from './compare.ts';
import type { Outcome, Place, Row } from './compare.ts';
import { readOptions } from './options.mjs';
import { PEERS, providePageGpu } from './peers.ts';
import { line, markdown, memoryMarkdown } from './report.ts';

const COLD_NAME = `cold: from opening the device to the first answer, ${COLD.name}`;

const { browser, memory, json, passes, filters } = readOptions(process.argv.slice(2));
const wanted = (name: string): boolean => filters.length === 0 || filters.some((filter) => name.includes(filter));
const cases = CASES.filter(({ name }) => wanted(name));
// A page has no caches of drivers to turn off, and no process of its own.
const cold = !browser && !memory && wanted(COLD_NAME);
if (cases.length === 0 && !cold) throw new Error(`bench:peers: no case is named like '${filters.join("', '")}'`);

const place = browser ? await (await import('./browser.ts')).openChromium(passes) : await openHere();
const { adapter, names, leftOut } = place;
for (const [name, reason] of Object.entries(leftOut)) console.error(`${name}: left out, ${reason}`);
const rows: Row[] = [];
const add = (row: Row): void => {
  rows.push(row);
  console.error(line(row, rows));
};
for (const each of cases) add(memory ? await compareAlone(each.name, each, 1) : await place.compare(each));
if (cold) add(await compareAlone(COLD_NAME, COLD, passes));
const found = memory ? memoryMarkdown(rows, names) : `${passes} passes, best / median in ms\n\n${markdown(rows, names)}`;
console.log(`\nadapter: ${adapter}; ${found}`);
const usual = new URL(`../results/peers${browser ? '-browser' : memory ? '-memory' : ''}.json`, import.meta.url);
const file = json ?? (filters.length === 0 ? fileURLToPath(usual) : undefined);
if (file) {
  const environment = {
    adapter,
    ...place.host,
    cpu: `${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}`,
    date: new Date().toISOString().slice(0, 10),
    versions: versions(),
  };
  const errors = Object.fromEntries(names.map((name) => [name, place.errors[name] ?? 'nobody can ask']));
  const question = memory
    ? 'How many bytes in buffers do the same operations and networks take at most, with which engine?'
    : 'How long do the same operations, networks and exits take, with which engine, on one adapter?';
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify({ question, environment, passes: memory ? 1 : passes, leftOut, errors, rows }, null, 2)}\n`);
}
await place.close();
// Native libraries may hold threads of their own.
process.exit(0);

async function openHere(): Promise<Place> {
  const { peers, ...opened } = await openPeers(PEERS, providePageGpu());
  return {
    ...opened,
    host: { node: process.version },
    names: [...peers.keys()],
    get errors() {
      return errorsOf(peers);
    },
    compare: (each) => compare(each, peers, passes),
    close: async () => {},
  };
}

/** What `alone.ts` prints. */
interface Call {
  readonly ms: number;
  readonly peakBytes: number;
  readonly distance: number;
}

/** Each peer in a process of its own, with the caches of drivers off. */
async function compareAlone(rowName: string, asked: Case, passes: number): Promise<Row> {
  const found = new Map(names.map((name) => [name, [] as Call[]]));
  const outcomes: Record<string, Outcome> = {};
  const script = fileURLToPath(new URL('alone.ts', import.meta.url));
  const env = { ...process.env, MESA_SHADER_CACHE_DISABLE: 'true', __GL_SHADER_DISK_CACHE: '0' };
  for (let pass = 0; pass < passes; pass++) {
    for (const [name, calls] of found) {
      try {
        const args = ['--import', 'tsx', script, name, asked.name];
        calls.push(JSON.parse((await promisify(execFile)(process.execPath, args, { env })).stdout));
      } catch (error) {
        // What a child wrote before it died says more than that it did.
        const said = /^(?:\w*Error|\w+ \[Error\]): (.*)/m.exec((error as { stderr?: string }).stderr ?? '')?.[1];
        outcomes[name] = { reason: reasonOf(said ?? error) };
        found.delete(name);
      }
    }
  }
  for (const [name, calls] of found) {
    const most = (of: (call: Call) => number): number => Math.max(...calls.map(of));
    const peakBytes = most((call) => call.peakBytes);
    const seen = peakBytes > 0 && { peakBytes };
    outcomes[name] = { ...statistics(calls.map(({ ms }) => ms)), distance: most((call) => call.distance), ...seen };
  }
  return { name: rowName, outcomes };
}

/** Of what is measured, and of Dawn in Node: Chromium has its own. */
function versions(): Record<string, string> {
  const packageAt = (path: string) => JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8'));
  const { 'onnxruntime-node': ort, ...portable } = packageAt('package.json').dependencies;
  const { webgpu } = packageAt('../../package.json').devDependencies;
  return browser ? portable : { ...portable, 'onnxruntime-node': ort, webgpu };
}
