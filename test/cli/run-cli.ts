import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'rolldown';
import { afterAll, onTestFinished } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

// A bundle starts four times faster than the sources. It lies where `webgpu` is found.
const bundle = join(root, `node_modules/.cache/exitgpu/cli-${process.pid}.mjs`);
await build({
  cwd: root,
  input: 'src/cli/main.ts',
  platform: 'node',
  external: ['webgpu'],
  transform: { target: 'node20' },
  output: { file: bundle, codeSplitting: false },
});
afterAll(() => rm(bundle));

export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  readonly env?: NodeJS.ProcessEnv;
  /** Sees standard output so far whenever more of it comes; `interrupt` is what Ctrl-C does. */
  readonly onOutput?: (text: string, interrupt: () => void) => void;
}

/** Runs `exitgpu` in a process of its own. */
export function runCli(args: readonly string[], { env = {}, onOutput }: CliOptions = {}): Promise<CliResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [bundle, ...args], { env: { ...process.env, ...env } });
    const output = { stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output.stdout += text;
      onOutput?.(output.stdout, () => child.kill('SIGINT'));
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, ...output }));
  });
}

/** A folder that goes when the test ends. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'exitgpu-cli-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
