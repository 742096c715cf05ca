/**
 * `npm run bench:peers -- [--browser | --memory] [FILTER...] [--passes N] [--json FILE]`: exitgpu beside other
 * engines, in Node on the best adapter or in a headless Chromium. They are installed when this runs for the first time
 * (360 MB), apart from the packages of this repository.
 */
import './node-version.mjs';
import { readOptions } from '../bench/peers/options.mjs';
import { onBestAdapter } from './adapter.mjs';
import { installPeers, prepare } from './prepare.mjs';
import { launch, runNode } from './run.mjs';

await launch(async () => {
  const { browser } = readOptions(process.argv.slice(2));
  await prepare();
  await installPeers();
  const args = ['--import', 'tsx', 'bench/peers/main.ts', ...process.argv.slice(2)];
  // Chromium looks for its adapter itself.
  return runNode(args, browser ? {} : await onBestAdapter());
});
