/**
 * `npm run bench:peers -- [--browser] [FILTER...] [--passes N] [--json FILE]`: exitgpu beside other engines, in Node on
 * the best adapter or in a headless Chromium. They are installed when this runs for the first time (360 MB), apart from
 * the packages of this repository.
 */
import './node-version.mjs';
import { readOptions } from '../bench/peers/options.mjs';
import { adapterEnvironment } from './adapter.mjs';
import { generateKernels, install, installPeers } from './prepare.mjs';
import { runNode } from './run.mjs';

try {
  const { browser } = readOptions(process.argv.slice(2));
  await install();
  await installPeers();
  await generateKernels();
  const args = ['--import', 'tsx', 'bench/peers/main.ts', ...process.argv.slice(2)];
  // Chromium looks for its adapter itself.
  process.exitCode = await runNode(args, browser ? {} : await inBestAdapter());
} catch (error) {
  console.error(error.message);
  process.exitCode = error.exitCode ?? 1;
}

async function inBestAdapter() {
  const { description, environment } = await adapterEnvironment();
  console.error(`adapter: ${description}`);
  return { environment };
}
