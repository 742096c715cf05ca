import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const script = fileURLToPath(new URL('determinism/hashes.ts', import.meta.url));

async function hashes(runs: number): Promise<Record<string, string>> {
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', script, String(runs)]);
  return JSON.parse(stdout) as Record<string, string>;
}

it('every operation gives the same bits 100 times, and after a restart', async () => {
  const [first, second] = [await hashes(100), await hashes(1)];
  expect(Object.keys(first).length).toBeGreaterThan(100);
  expect(second).toEqual(first);
});
