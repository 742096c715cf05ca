import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

/** Run as a user would, against the built package under its own name. */
async function run(example: string): Promise<number[]> {
  const file = fileURLToPath(new URL(`../../examples/${example}.mjs`, import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [file], { env: process.env });
  return [...stdout.matchAll(/(\d+) of 200 leave at exit 1/g)].map(([, count]) => Number(count));
}

it('a criterion of one\'s own: the higher the bound, the more leave', async () => {
  const counts = await run('custom-criterion');
  expect(counts).toHaveLength(4);
  expect(counts).toEqual(counts.toSorted((a, b) => a - b));
  expect(counts[0]).toBe(0);
  expect(counts[3]).toBeGreaterThan(100);
});

it('an exit kernel of one\'s own: the lower the energy it asks for, the more leave', async () => {
  const counts = await run('custom-exit-kernel');
  expect(counts).toEqual(counts.toSorted((a, b) => a - b));
  expect([counts[0], counts[3]]).toEqual([0, 200]);
  expect(counts[2]).toBeGreaterThan(0);
});
