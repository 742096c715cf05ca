import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const root = new URL('../', import.meta.url);
const readme = readFileSync(new URL('README.md', root), 'utf8');

/** The README's JavaScript, run as written against the built package, under its own name. */
it('the example of the README runs as written, in twenty lines', async () => {
  const [, example] = /```js\n([\s\S]*?)```/.exec(readme) ?? [];
  expect(example).toBeDefined();
  expect(example!.trim().split('\n').length).toBeLessThanOrEqual(20);
  const folder = new URL('dist/.readme/', root);
  mkdirSync(folder, { recursive: true });
  const file = fileURLToPath(new URL(`${process.env['EXITGPU_ADAPTER'] || 'example'}.mjs`, folder));
  writeFileSync(file, example!);
  const { stdout } = await promisify(execFile)(process.execPath, [file], { env: process.env });
  expect(stdout).toMatch(/is a \d, said by exit [12]/);
  rmSync(file);
});
