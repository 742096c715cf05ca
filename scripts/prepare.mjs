/** What must be there before anything runs: installed packages, generated kernels, the built library. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { root, run, runNode } from './run.mjs';

/** What is to run from the sources needs both. */
export async function prepare() {
  await install();
  await generateKernels();
}

/** Installs what package-lock.json names, unless it is there. */
export async function install() {
  await installIn('', ['--include=dev']);
}

/** Installs the engines of `bench/peers`, which has a package of its own. None of them needs its install script. */
export async function installPeers() {
  await installIn('bench/peers', ['--prefix=bench/peers', '--ignore-scripts']);
}

async function installIn(folder, flags) {
  if (installed(folder)) return;
  console.error(`exitgpu: installing packages (npm ci${folder && ` in ${folder}`})`);
  const args = ['ci', ...flags, '--no-audit', '--no-fund', '--loglevel=error'];
  // npm names its own program to the scripts it runs; a bare `npm` on Windows is a batch file and needs a shell.
  const npm = process.env.npm_execpath;
  const shell = process.platform === 'win32';
  check('npm ci', await (npm?.endsWith('.js') ? runNode([npm, ...args]) : run('npm', args, { shell })));
}

/** Generates the typed kernel modules, unless they are newer than the WGSL files. */
export async function generateKernels() {
  const sources = ['src/kernels/wgsl', 'src/custom/toolchain', 'scripts/kernels.mjs', 'scripts/kernels'];
  if (upToDate('src/kernels/generated', sources)) return;
  check('scripts/kernels.mjs', await runNode(['scripts/kernels.mjs']));
}

/** Builds `dist/`, unless it is newer than the sources. */
export async function build() {
  const settings = ['package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json'];
  // The bundled command line is what the build writes last.
  if (upToDate('dist/cli.mjs', ['src', 'scripts/build.mjs', ...settings])) return;
  console.error('exitgpu: building');
  check('scripts/build.mjs', await runNode(['scripts/build.mjs']));
}

/** Is all of package-lock.json in npm's record of node_modules? By content, because a checkout changes its time. */
function installed(folder) {
  const record = join(root, folder, 'node_modules/.package-lock.json');
  if (!existsSync(record)) return false;
  const [wanted, present] = [join(root, folder, 'package-lock.json'), record].map(
    (file) => JSON.parse(readFileSync(file, 'utf8')).packages,
  );
  return Object.entries(wanted).every(
    // Optional packages are mostly those of other platforms.
    ([path, { version, optional }]) => path === '' || optional || present[path]?.version === version,
  );
}

function upToDate(output, inputs) {
  return existsSync(join(root, output)) && newest(output) > Math.max(...inputs.map(newest));
}

/** The time of the latest change in a file or folder; a folder's own time tells of files that were removed. */
function newest(path) {
  const stat = statSync(join(root, path), { throwIfNoEntry: false });
  if (!stat) return 0;
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(stat.mtimeMs, ...readdirSync(join(root, path)).map((name) => newest(join(path, name))));
}

function check(step, code) {
  if (code !== 0) throw new StepError(step, code);
}

/** A step that failed, having said why on this terminal. */
export class StepError extends Error {
  constructor(step, code) {
    super(`exitgpu: ${step} failed (exit code ${code})`);
    this.exitCode = code;
  }
}
