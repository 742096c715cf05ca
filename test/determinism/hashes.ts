/**
 * A process of its own: runs a case of every operation as often as its argument says, each time to the same bits, and
 * prints a hash of these by the operation's name, as JSON.
 */
import { createHash } from 'node:crypto';
import { open } from '../../src/node.ts';
import * as registry from '../../src/kernels/registry.ts';
import { table } from '../op-rows.ts';
import { repeat } from '../op-table.ts';
import type { OpCase } from '../op-table.ts';

const runs = Number(process.argv[2]);
/** Keeps a software GPU from taking minutes. */
const MOST_ELEMENTS = 3000;

const adapter = process.env['EXITGPU_ADAPTER'];
const device = await open(adapter ? { adapter } : {});
const operations: Readonly<Record<keyof typeof table, unknown>> = { ...registry };
const hashes: Record<string, string> = {};
for (const [name, row] of Object.entries(table)) {
  if (!('cases' in row)) continue;
  const small = row.cases.filter(({ inputs }) => Object.values(inputs).every(({ data }) => data.length < MOST_ELEMENTS));
  // The largest says most about the order of sums.
  const size = ({ inputs }: OpCase): number => Math.max(...Object.values(inputs).map(({ data }) => data.length));
  const opCase = small.toSorted((a, b) => size(b) - size(a))[0]!;
  const hash = createHash('sha256');
  const results = await repeat(device, operations[name as keyof typeof table] as never, opCase, runs);
  for (const values of Object.values(results)) hash.update(values);
  hashes[name] = hash.digest('hex');
}
if (device.uncapturedErrors > 0) throw new Error(`${device.uncapturedErrors} errors that WebGPU reported`);
device.destroy();
console.log(JSON.stringify(hashes));
