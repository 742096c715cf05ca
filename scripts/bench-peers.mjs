/**
 * `npm run bench:peers -- [FILTER...] [--passes N] [--json FILE]`: exitgpu beside other engines on the best adapter.
 * They are installed when this runs for the first time (360 MB), apart from the packages of this repository.
 */
import './node-version.mjs';
import { adapterEnvironment } from './adapter.mjs';
import { generateKernels, install, installPeers } from './prepare.mjs';
import { runNode } from './run.mjs';

try {
  await install();
  await installPeers();
  await generateKernels();
  const { description, environment } = await adapterEnvironment();
  console.error(`adapter: ${description}`);
  const args = ['--import', 'tsx', 'bench/peers/main.ts', ...process.argv.slice(2)];
  process.exitCode = await runNode(args, { environment });
} catch (error) {
  console.error(error.message);
  process.exitCode = error.exitCode ?? 1;
}
