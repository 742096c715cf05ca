import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Bench } from 'tinybench';
import { open } from '#exitgpu';
import type { Device } from '../src/device/device.ts';

/** One thing measured: a call, awaited to its result on the host. */
export interface Case {
  readonly name: string;
  run(): Promise<unknown>;
  /** After each call, not timed. */
  after?(): void;
  /** Samples (rows, steps) in one call, for a rate. */
  readonly items?: number;
  /** Multiply-accumulates per item: what of their saving against the first case is realised as time is worked out. */
  readonly macs?: number;
  /** Anything else worth a column, e.g. dispatches, or what follows from the time. */
  readonly facts?: Facts | ((medianMs: number) => Facts);
}

export type Facts = Readonly<Record<string, string | number>>;

interface Row {
  readonly name: string;
  readonly calls: number;
  readonly medianMs: number;
  readonly p25Ms: number;
  readonly p75Ms: number;
  readonly minMs: number;
  readonly itemsPerSecond?: number;
  readonly macs?: number;
  /** Share of the first case's time saved over share of its multiply-accumulates saved. */
  readonly realisedSaving?: number;
  readonly facts?: Facts;
}

/** Cases of a group take turns this often: the speed of a machine drifts, ratios within a round do not. */
const ROUNDS = 5;

interface BenchOptions {
  readonly secondsPerCase?: number;
  /** Of a case in each round, and before the first. */
  readonly leastCalls?: number;
}

/**
 * Answers one question: measures groups of cases side by side, prints medians with spread, and writes
 * `bench/results/NAME.json`. Fails if WebGPU reported any error: a refused dispatch is very fast.
 */
export async function bench(
  name: string,
  question: string,
  prepare: (device: Device) => AsyncIterable<readonly Case[]>,
  { secondsPerCase = 2, leastCalls = 3 }: BenchOptions = {},
): Promise<void> {
  const device = await open();
  const environment = {
    adapter: device.name,
    node: process.version,
    cpu: `${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}`,
    date: new Date().toISOString().slice(0, 10),
  };
  console.log(question);
  const rows: Row[] = [];
  for await (const cases of prepare(device)) {
    const measured = (await measure(cases, secondsPerCase, leastCalls)).map((row, _, [first]) => ({
      ...row,
      ...realised(row, first!),
    }));
    for (const row of measured) {
      rows.push(row);
      console.log(format(row, measured[0]!));
    }
  }
  await device.idle();
  if (device.uncapturedErrors > 0) {
    throw new Error(`${name}: WebGPU reported ${device.uncapturedErrors} errors; no figure above counts`);
  }
  const folder = new URL('./results/', import.meta.url);
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    fileURLToPath(new URL(`${name}.json`, folder)),
    `${JSON.stringify({ question, environment, errors: 0, rows }, null, 2)}\n`,
  );
  await device[Symbol.asyncDispose]();
}

async function measure(cases: readonly Case[], seconds: number, leastCalls: number): Promise<Row[]> {
  const samples = cases.map(() => [] as number[]);
  for (let round = 0; round < ROUNDS; round++) {
    const group = new Bench({
      time: (seconds * 1000) / ROUNDS,
      iterations: leastCalls,
      warmup: round === 0,
      warmupTime: 200,
      warmupIterations: leastCalls,
      retainSamples: true,
      throws: true,
    });
    for (const { name, run, after } of cases) {
      group.add(name, async () => void (await run()), after && { afterEach: after });
    }
    await group.run();
    group.tasks.forEach(({ result }, index) => {
      if (!('latency' in result)) throw new Error(`${cases[index]!.name}: was not measured`);
      samples[index]!.push(...(result.latency.samples ?? []));
    });
  }
  return cases.map(({ name, items, macs, facts }, index) => {
    const sorted = samples[index]!.sort((a, b) => a - b);
    const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
    const medianMs = at(0.5);
    return {
      name,
      calls: sorted.length,
      medianMs,
      p25Ms: at(0.25),
      p75Ms: at(0.75),
      minMs: sorted[0]!,
      ...(items && { itemsPerSecond: (items * 1000) / medianMs }),
      ...(macs && { macs }),
      ...(facts && { facts: typeof facts === 'function' ? facts(medianMs) : facts }),
    };
  });
}

/** None where hardly any work is saved: a ratio of two noises says nothing. */
function realised({ medianMs, macs }: Row, first: Row): { realisedSaving?: number } {
  const saved = macs && first.macs ? 1 - macs / first.macs : 0;
  return saved > 0.02 ? { realisedSaving: (1 - medianMs / first.medianMs) / saved } : {};
}

function format(row: Row, first: Row): string {
  const number = (value: number): string => (value < 10 ? value.toFixed(3) : value.toFixed(1)).padStart(8);
  const ratio = row === first ? '' : `  ${(row.medianMs / first.medianMs).toFixed(2)}x`;
  const saving = row.realisedSaving === undefined ? '' : `  realised ${row.realisedSaving.toFixed(2)}`;
  const facts = Object.entries(row.facts ?? {}).map(([key, value]) => `  ${key} ${value}`).join('');
  const quartiles = `(${number(row.p25Ms)} ..${number(row.p75Ms)})`;
  return `  ${row.name.padEnd(44)}${number(row.medianMs)} ms  ${quartiles}${ratio}${saving}${facts}`;
}
